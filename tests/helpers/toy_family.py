"""A model family as small as one can be: a network, a vocabulary, a guide of its own. Nothing loads it."""

from __future__ import annotations

from shared.models.spec import Checkpoint, Control, Family, Kind, Mark, Part, Place, Weights

_NETWORK = Kind("a toy network", (Mark(starts=("toy.",)),), decisive=True)
_GUIDE = Kind("a toy guide", (Mark(starts=("guide.",)),), decisive=True)
_PLACE = Place(
    "controlnet",
    role="toy guide",
    argument="--controlnet",
    metavar="PLACE",
    help="guide of a toy",
    accepted="a folder, or one file of `guide.` weights",
)

TOY = Family(
    "toy",
    label="Toy",
    description="a family of the tests",
    accepted="a folder; a file of `toy.` weights",
    parts=(
        Part("network", "network", "plays", ("ToyNetwork",), weights=Weights(_NETWORK, "toy."), in_checkpoint=True),
        Part("words", "vocabulary", "what it can say", ("ToyWords",), config=(("words.json",),)),
        Part(
            "guide",
            "guide",
            "shows it the way",
            ("ToyGuide",),
            weights=Weights(_GUIDE),
            place=_PLACE,
            advice="Name a guide of a toy.",
        ),
    ),
    places=(_PLACE,),
    kinds=(_NETWORK, _GUIDE),
    latent_channels=3,
    latent_factor=2,
    prompt_width=5,
    checkpoint=Checkpoint(_NETWORK, "leftover"),
    controls=(Control("guide", "skeleton"),),
)
