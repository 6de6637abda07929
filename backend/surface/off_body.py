"""What is drawn beside the body: whether a background plate would cut it, and what is done about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from backend.surface.beside import REACH, Ring

# Garments and gear that stand off the body, singular; a plate would cut what of them moves.
STANDING_OFF = (
    "afro antlers backpack bag banner beard braid broom bun bustle cape cloak coat crest crinoline dreadlocks "
    "dress feathers fins flag fur gown guitar halo hammer headdress horns instrument kilt kimono lance mane "
    "mantle mohawk pack parasol plume poncho ponytail quiver ribbons robe rucksack saree sari scarf scarves shawl "
    "shield skirt spear spikes staff staves sword tail tentacles toga train tutu umbrella veil wand weapon wig wings"
).split()
_NAMED = re.compile(r"\b(" + "|".join(STANDING_OFF) + r")(?:s|es)?\b", re.IGNORECASE)
# The outer part of a ring beside the body, and how much of it may show what goes with the body before it counts as cut.
EDGE = 0.85
MOST_CUT = 0.04

Floats = NDArray[np.float32]


class BackgroundChoice(Enum):
    """What became of the background, by number, as a segment's memory keeps it."""

    ASKED_PLATE = 0
    ASKED_KEEP = 1
    PLATE = 2
    MOVING_CAMERA = 3
    NAMED = 4
    STANDS_OFF = 5

    @property
    def plate(self) -> bool:
        """Whether all frames have one background."""
        return self in (BackgroundChoice.ASKED_PLATE, BackgroundChoice.PLATE)

    def sentence(self, prompts: Sequence[str]) -> str:
        """The choice in one sentence for the user."""
        name = named_off_body(prompts)
        return {
            BackgroundChoice.ASKED_PLATE: "Background: one plate for all frames, as set.",
            BackgroundChoice.ASKED_KEEP: "Background: each frame's own, as set.",
            BackgroundChoice.PLATE: "Background: one plate for all frames, because the camera stands still.",
            BackgroundChoice.MOVING_CAMERA: "Background: each frame's own, because the camera moves.",
            BackgroundChoice.NAMED: f"Background: each frame's own, because a plate could cut off the {name}.",
            BackgroundChoice.STANDS_OFF: "Background: each frame's own, because much is drawn outside the body.",
        }[self]


def named_off_body(prompts: Sequence[str]) -> str | None:
    """The first word of the prompts for something that stands off the body, None without one."""
    found = next((match for prompt in prompts if (match := _NAMED.search(prompt))), None)
    return None if found is None else found[0].lower()


def chosen_background(wish: str, prompts: Sequence[str], still: bool) -> BackgroundChoice:
    """What becomes of the background, by the `wish` (auto, keep or plate), the prompts, and whether the camera stands
    `still`; `PLATE` is left to be judged by the frames (`cut_share`)."""
    if wish == "keep":
        return BackgroundChoice.ASKED_KEEP
    if not still:
        return BackgroundChoice.MOVING_CAMERA
    if wish == "plate":
        return BackgroundChoice.ASKED_PLATE
    return BackgroundChoice.PLATE if named_off_body(prompts) is None else BackgroundChoice.NAMED


def cut_share(mattes: Sequence[Floats], around: Sequence[Ring]) -> float:
    """How much of the outer edge of the frames' rings shows what goes with the body, and would be cut there, 0..1."""
    cut = total = 0.0
    for covered, ring in zip(mattes, around, strict=True):
        reach = REACH * covered.shape[0]
        edge = (ring.distance_px > EDGE * reach) & (ring.distance_px <= reach)
        cut += float(covered[edge].sum())
        total += float(edge.sum())
    return cut / total if total else 0.0
