"""Crawling: down on hands and knees, along on the opposite hand and knee, and up again."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.clip import rest_joints
from backend.make.motion.library.gait import Gait, Path, Swing, eased_travel, stepped
from backend.make.motion.library.hands import HANG, HandPlace, blended, hand_at, held
from backend.make.motion.library.stand import standing
from backend.make.motion.library.timing import action_times, rested
from backend.make.motion.puppet import Controls, Hand

Array = npt.NDArray[np.float64]

_DOWN_S: Final = 2.5  # from the stand until hands and knees carry the body
_UP_S: Final = 2.6
_KNEEL: Final = Gait(width_m=0.13, toe_out=0.0, lift_m=0.06, strike=0.0, push=0.0, ahead_m=-0.62, drop_m=0.0)
_PALM: Final = Gait(width_m=0.20, toe_out=0.0, lift_m=0.07, strike=0.0, push=0.0, ahead_m=0.45, drop_m=0.0)
_PALM_HEIGHT_M: Final = 0.065  # of the wrist
_TUCKED: Final = 80.0  # pitch of a foot on its toes, the knee on the floor
_ON_FLOOR: Final = HandPlace((0.0, 0.1, 0.98), (0.5, -1.0, -0.1), 70.0)


def crawl(variation: Variation) -> Controls:
    """Crawls forwards for the seconds that are left between getting down and up."""
    random = variation.random("crawl")
    period = 1.25 * float(random.uniform(0.92, 1.1))
    turns = max(2, round((variation.length(9.0) - _DOWN_S - _UP_S) / period))
    start, end = _DOWN_S, _DOWN_S + turns * period
    times = action_times(end + _UP_S, variation.speed)
    pace = 0.34 * variation.amplitude * float(random.uniform(0.9, 1.1))
    gone = eased_travel(times, start, end, pace, 0.5 * period)
    path = Path(times, np.stack([0.0 * gone, gone], axis=1), 0.0 * times)
    controls = _trunk(times, gone, end, period)
    left, right = (_foot_swings(side, start, end, period) for side in (1.0, -1.0))
    pitch = rested(times, {0.3: 0.0, 1.3: 34.0, 1.7: 55.0, 2.3: _TUCKED, end + 0.2: _TUCKED, end + 1.2: 34.0,
                           end + 2.2: 0.0})  # fmt: skip
    feet = [
        replace(stepped(path, _KNEEL, swings, side), pitch=pitch, knee_out=rested(times, _knees(end)))
        for swings, side in ((left, 1.0), (right, -1.0))
    ]
    controls = replace(controls, left_foot=feet[0], right_foot=feet[1])
    palms = [_palm(controls, path, side, (start, end, period)) for side in (1.0, -1.0)]
    return replace(controls, left_hand=palms[0], right_hand=palms[1])


def _knees(end: float) -> dict[float, float]:
    return {0.2: 0.0, 1.2: 22.0, 2.3: 2.0, end + 0.2: 2.0, end + 1.3: 22.0, end + 2.3: 0.0}


def _trunk(times: Array, gone: Array, end: float, period: float) -> Controls:
    """Standing, squatting with the hands on the floor, on all fours, and back."""
    height = {0.15: 0.0, 1.3: -0.50, 2.3: -0.435, end + 0.2: -0.435, end + 1.25: -0.50, end + 2.45: 0.0}
    back = {0.15: 0.0, 1.3: -0.05, 2.3: 0.0, end + 0.2: 0.0, end + 1.25: -0.05, end + 2.3: 0.0}
    pitch = {0.15: 0.0, 1.25: 52.0, 2.3: 74.0, end + 0.2: 74.0, end + 1.25: 52.0, end + 2.45: 0.0}
    chest = {0.15: 0.0, 1.2: 32.0, 2.3: 6.0, end + 0.2: 6.0, end + 1.3: 32.0, end + 2.4: 0.0}
    chin = {0.15: 0.0, 1.2: -22.0, 2.3: -48.0, end + 0.2: -48.0, end + 1.3: -22.0, end + 2.4: 0.0}
    active = rested(times, {_DOWN_S - 0.2: 0.0, _DOWN_S + 0.3: 1.0, end - 0.3: 1.0, end + 0.2: 0.0})
    wave = active * np.sin(2.0 * np.pi * (times - _DOWN_S) / period)
    zero = 0.0 * times
    base = standing(len(times))
    return replace(
        base,
        pelvis=base.pelvis + np.stack([0.025 * wave, rested(times, height), gone + rested(times, back)], axis=1),
        pelvis_turn=base.pelvis_turn + np.stack([5.0 * wave, rested(times, pitch), zero], axis=1),
        chest_turn=base.chest_turn + np.stack([zero, rested(times, chest), -6.0 * wave], axis=1),
        head_turn=base.head_turn + np.stack([zero, rested(times, chin), 3.0 * wave], axis=1),
    )


def _foot_swings(side: float, start: float, end: float, period: float) -> list[Swing]:
    """Back to the knees, one swing a period, and forward again below the body."""
    down = 1.35 if side > 0 else 1.85
    swings = [Swing(down, down + 0.45, start + 0.25 * period, lift=1.6)]
    begin = start + (0.05 if side < 0 else 0.55) * period
    for turn in range(round((end - start) / period)):
        at = begin + turn * period
        swings.append(Swing(at, at + 0.4 * period, at + 0.7 * period))
    up = end + (0.3 if side > 0 else 0.75)
    return [*swings, Swing(up, up + 0.42, None, lift=1.6)]


def _palm(controls: Controls, path: Path, side: float, span: tuple[float, float, float]) -> Hand:
    """A hand that hangs, comes to the floor, steps along with the other side's knee, and comes up again."""
    start, end, period = span
    begin = start + (0.05 if side > 0 else 0.55) * period
    swings = [Swing(0.2, 0.6, start + 0.25 * period)]
    for turn in range(round((end - start) / period)):
        at = begin + turn * period
        swings.append(Swing(at, at + 0.4 * period, at + 0.7 * period))
    steps = stepped(path, _PALM, swings, side).place + np.array([0.0, _PALM_HEIGHT_M, 0.0])
    times = path.times
    frames = len(times)
    down = rested(times, {0.25: 0.0, 1.3: 1.0, end + 1.2: 1.0, end + 2.25: 0.0})
    floor = hand_at(controls, side, steps, held(_ON_FLOOR, frames), rest_joints())
    return blended(held(HANG, frames), floor, down)


ACTIONS = (
    Action(
        "crawl",
        (
            "a person crawls", "someone crawls on hands and knees", "a baby crawls along the floor",
            "a man gets down on all fours and crawls", "a woman crawls forward", "crawling through a tunnel",
        ),
        ("a person moves on all fours", "someone creeps under a fence on hands and knees"),
        crawl,
        loops=True,
        feet="stepping",
        free_arms=False,
        styles=("neutral",),
    ),
)  # fmt: skip
