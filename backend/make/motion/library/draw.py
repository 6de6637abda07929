"""Random clips for a data set: drawn again until nothing about them is implausible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.check import faults, plausibility
from backend.make.motion.library.clip import LibraryClip, make_clip
from backend.make.motion.library.table import drawn
from shared.errors import InputError

_TRIES: Final = 12


@dataclass(frozen=True, slots=True, eq=False)
class DrawnClip:
    """A clip and what it was made from."""

    variation: Variation
    clip: LibraryClip


def sound_clip(action: Action, random: np.random.Generator, seconds: float | None = None) -> DrawnClip:
    """A random clip of an action without faults; about one in a hundred has to be drawn again.

    Raises InputError if an action hardly ever gives one.
    """
    wrong: list[str] = []
    for _ in range(_TRIES):
        variation = drawn(action, random, seconds)
        clip = make_clip(action, variation)
        wrong = faults(plausibility(clip), action)
        if not wrong:
            return DrawnClip(variation, clip)
    raise InputError(
        "training.implausible",
        f"{_TRIES} clips of {action.name} in a row are implausible ({', '.join(wrong)}).",
        "Look at the action with backend.make.motion.library.sheet.",
    )
