"""Which clips are made: action, style, speed, reach, side and seed, drawn at random; some combinations are held out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from backend.make.motion.library.action import SPEEDS, Action, Variation
from backend.make.motion.library.table import BY_ACTION
from backend.motion.embedded.condition import Request
from shared.motion.humanml.layout import HUMANML_FPS, LONGEST_FRAMES

NEUTRAL_SHARE = 0.3  # of the clips; the other styles share the rest
LEAD_SHARE = 0.35  # of the clips begin with the end of another action, as the clauses of a text do
_HELD_OUT_OF = 6  # one pair of action and style in so many is never trained at a high speed
_HIGH_SPEED = 1.15
_SECONDS = (2.5, LONGEST_FRAMES / HUMANML_FPS - 0.2)  # of actions that fill their time
_SPARE_SECONDS = 2.0  # at most, beside an action that happens once


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """One clip: an action, how it is done, and what the person did before."""

    action: str
    variation: Variation
    before: str = ""  # an action whose end leads in; empty: the clip starts from its own first pose

    @property
    def request(self) -> Request:
        """What the model is asked for to make such a clip."""
        return request_of(BY_ACTION[self.action], self.variation)


def request_of(action: Action, variation: Variation) -> Request:
    """The condition of a variation; a side is named only where the action has one."""
    side = ("left" if variation.mirrored else "right") if action.mirrors else ""
    return Request(action.name, variation.style, variation.speed, variation.amplitude, side)  # type: ignore[arg-type]


def held_out(action: str, style: str, speed: float) -> bool:
    """Whether a combination is kept from training."""
    return zlib.crc32(f"{action}/{style}".encode()) % _HELD_OUT_OF == 0 and speed > _HIGH_SPEED


def has_held_out(action: Action) -> bool:
    """Whether any of an action's combinations are kept from training."""
    return any(held_out(action.name, style, SPEEDS[1]) for style in action.styles)


def draw_plan(random: Generator, action: Action, *, only_held_out: bool | None = False) -> ClipPlan:
    """A random plan of an action. `only_held_out`: combinations that training has (False), has not, or all (None)."""
    while True:
        variation = _draw_variation(random, action)
        if only_held_out is None or held_out(action.name, variation.style, variation.speed) == only_held_out:
            break
    before = ""
    if random.random() < LEAD_SHARE:
        others = [one.name for one in BY_ACTION.values() if one.end == action.start and one.name != action.name]
        before = str(random.choice(others))
    return ClipPlan(action.name, variation, before)


def _draw_variation(random: Generator, action: Action) -> Variation:
    others = [style for style in action.styles if style != "neutral"]
    style = "neutral" if random.random() < NEUTRAL_SHARE or not others else str(random.choice(others))
    speed = float(np.exp(random.uniform(*np.log(SPEEDS))))
    amplitude = float(np.clip(random.normal(1.0, 0.12), 0.65, 1.35))
    seconds = float(random.uniform(*_SECONDS)) if action.loops else None
    return Variation(
        style=style,
        speed=round(speed, 3),
        amplitude=round(amplitude, 3),
        mirrored=bool(action.mirrors and random.random() < 0.5),
        seed=int(random.integers(2**31)),
        seconds=None if seconds is None else round(seconds, 2),
    )


def spare_seconds(random: Generator) -> float:
    """How much longer than itself a clip of an action that happens once is."""
    return float(random.uniform(0.0, _SPARE_SECONDS)) if random.random() < 0.7 else 0.0
