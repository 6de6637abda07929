"""What is drawn beside the body: whether a background plate would cut it, and what is done about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from backend.surface.plate import Plate
from shared.shot import Shot

# Garments and gear that stand off the body, singular; a plate would cut what of them moves.
STANDING_OFF = (
    "afro antlers armour backpack bag banner beard braid broom bun bustle cape cloak coat crest crinoline crown dreadlocks "
    "dress feathers fins flag fur gown guitar hair halo hammer hat headdress hood horns instrument kilt kimono lance mane "
    "mantle mohawk pack parasol plume poncho ponytail quiver ribbons robe rucksack saree sari scarf shawl shield skirt spear "
    "spikes staff sword tail tails tentacles toga train tutu umbrella veil wand weapon wig wings"
).split()
_NAMED = re.compile(r"\b(" + "|".join(STANDING_OFF) + r")(?:s|es)?\b", re.IGNORECASE)
# Of the ring of pixels beside the body, how many may differ from the plate, and by how much, before it counts as cut.
RING_PX = (0.02, 0.06)  # of the picture's height, from the body
DIFFERENT = 0.2  # of white, over all channels
MOST_CUT = 0.25

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
            BackgroundChoice.ASKED_PLATE: "Background: one plate for all frames, as asked.",
            BackgroundChoice.ASKED_KEEP: "Background: each frame's own, as asked.",
            BackgroundChoice.PLATE: "Background: one plate for all frames, since the camera stands still.",
            BackgroundChoice.MOVING_CAMERA: "Background: each frame's own, since the camera moves.",
            BackgroundChoice.NAMED: f"Background: each frame's own, since a plate could cut the {name}.",
            BackgroundChoice.STANDS_OFF: "Background: each frame's own, since much is drawn beside the body.",
        }[self]


def named_off_body(prompts: Sequence[str]) -> str | None:
    """The first word of the prompts for something that stands off the body, None without one."""
    found = next((match for prompt in prompts if (match := _NAMED.search(prompt))), None)
    return None if found is None else found[0].lower()


def camera_stands_still(shot: Shot) -> bool:
    """Whether the camera is the same in all frames."""
    camera = shot.camera
    return all(
        bool(np.allclose(matrices, matrices[:1], rtol=0, atol=1e-6))
        for matrices in (camera.world_to_camera, camera.intrinsics / max(shot.width, shot.height))
    )


def chosen_background(
    wish: str, prompts: Sequence[str], shot: Shot, frames: Floats, distances_px: Sequence[Floats], plate: Plate
) -> BackgroundChoice:
    """What becomes of the background, by the `wish` (auto, keep or plate), the camera, the prompts and the frames.

    `frames` (n, height, width, 3) and the pixels' `distances_px` (height, width) from the body are those of the shot's
    first segment, `plate` is theirs.
    """
    if wish == "keep":
        return BackgroundChoice.ASKED_KEEP
    if not camera_stands_still(shot):
        return BackgroundChoice.MOVING_CAMERA
    if wish == "plate":
        return BackgroundChoice.ASKED_PLATE
    if named_off_body(prompts) is not None:
        return BackgroundChoice.NAMED
    cut = cut_share(frames, distances_px, plate)
    return BackgroundChoice.STANDS_OFF if cut > MOST_CUT else BackgroundChoice.PLATE


def cut_share(frames: Floats, distances_px: Sequence[Floats], plate: Plate) -> float:
    """How much of a ring beside the body differs from the plate: what a plate would cut, 0..1."""
    height = frames.shape[1]
    low, high = (part * height for part in RING_PX)
    differ = total = 0
    for frame, distance in zip(frames, distances_px, strict=True):
        ring = (distance >= low) & (distance < high) & (plate.weight > 0)
        differ += int((np.abs(frame - plate.colour).sum(axis=2)[ring] > DIFFERENT * 3).sum())
        total += int(ring.sum())
    return differ / total if total else 0.0
