"""All actions of the library; an action is a row here."""

from __future__ import annotations

from typing import Final

import numpy as np

from backend.make.motion.library import in_place
from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.locomotion import crawl, jumps, runs, special, stand, walks
from backend.make.motion.library.styles import BY_NAME

ACTIONS: Final[tuple[Action, ...]] = (
    *stand.ACTIONS,
    *walks.ACTIONS,
    *runs.ACTIONS,
    *special.ACTIONS,
    *crawl.ACTIONS,
    *jumps.ACTIONS,
    *in_place.ACTIONS,
)
BY_ACTION: Final = {action.name: action for action in ACTIONS}


def drawn(action: Action, random: np.random.Generator, seconds: float | None = None) -> Variation:
    """A random way to do an action, half of them neutral."""
    style = "neutral" if random.random() < 0.5 else str(random.choice(action.styles))
    return Variation(
        style=style,
        speed=float(random.uniform(0.8, 1.25)),
        amplitude=float(random.uniform(0.75, 1.25)),
        mirrored=bool(action.mirrors and random.random() < 0.5),
        seed=int(random.integers(2**31)),
        seconds=seconds,
    )


def text_of(phrase: str, style: str, random: np.random.Generator) -> str:
    """A phrase with words for its style: "a person walks" and "happy" give "a person walks cheerfully"."""
    return phrase + str(random.choice(BY_NAME[style].words))
