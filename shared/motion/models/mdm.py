"""MDM's checkpoints (Tevet et al., 2022): how a folder of them is recognised, and the text encoders they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from ...models.places import json_values
from .spec import MotionFamily

ARGUMENTS_FILE: Final = "args.json"
# Each is in every `args.json` of MDM, old ones too.
_ARGUMENTS: Final = frozenset({"dataset", "latent_dim", "layers", "diffusion_steps"})


@dataclass(frozen=True, slots=True)
class TextEncoderFiles:
    """A text encoder: what it is called and where it is had, and the files of its folder."""

    label: str
    repository: str  # on Hugging Face
    folders: tuple[str, ...]  # names under which it is found beside a checkpoint
    model_types: tuple[str, ...]  # what its config.json may say
    tokenizer_files: tuple[tuple[str, ...], ...]  # alternatives

    def folders_in(self, place: Path) -> tuple[Path, ...]:
        """The folders of these names that are there."""
        return tuple(place / name for name in self.folders if (place / name).is_dir())


TEXT_ENCODERS: Final[Mapping[Literal["clip", "bert"], TextEncoderFiles]] = MappingProxyType(
    {
        "clip": TextEncoderFiles(
            "CLIP ViT-B/32",
            "openai/clip-vit-base-patch32",
            ("clip-vit-base-patch32", "clip"),
            ("clip", "clip_text_model"),
            (("tokenizer.json",), ("vocab.json", "merges.txt")),
        ),
        "bert": TextEncoderFiles(
            "DistilBERT",
            "distilbert/distilbert-base-uncased",
            ("distilbert-base-uncased", "distilbert"),
            ("distilbert",),
            (("tokenizer.json",), ("vocab.txt",)),
        ),
    }
)


def _is_mdm(place: Path) -> bool:
    folder = place if place.is_dir() else place.parent
    if place.is_file() and place.suffix != ".pt":
        return False
    return json_values(folder / ARGUMENTS_FILE).keys() >= _ARGUMENTS


MDM: Final = MotionFamily(
    name="mdm",
    label="MDM",
    accepted="a folder with MDM's args.json and a checkpoint (model000200000.pt), or the checkpoint itself",
    is_mine=_is_mdm,
)
