"""Feet that stay where the source's stay: the balls of the feet follow the source's, and a planted one does not slide.

Feet differ in length from skeleton to skeleton. So that ankles are not pushed back by a longer foot, the ball is moved
along by the difference; while the source's ball is planted by one and the same way, and in between as it comes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from ..contacts import spans
from ..leg_reach import LEGS, Leg, reach

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_SLOW_M_PER_S: Final = 0.25
_LOW_M: Final = 0.05  # above the lowest place of the ball in the clip
_DROP_S: Final = 0.25  # a pelvis goes down over this time before and after a foot that it cannot reach
_MOST_DROP_M: Final = 0.15
_REACHED_M: Final = 1e-6


def plant(world: Array, offsets: Array, pelvis: Array, targets: Array, fps: float) -> tuple[Array, float]:
    # world (frames, 24, 3, 3), offsets (24, 3), pelvis (frames, 3), targets (frames, 24, 3): the source, scaled
    """Turns the legs in `world` so that the feet are where `targets` has them.

    Returns the pelvis (frames, 3), which comes out lower where planted feet are out of the legs' reach, and how far the
    balls of the feet are from where they belong, on average. All in metres, Y up.
    """
    aims = targets.copy()
    stands = []
    for leg in LEGS:
        planted = contacts(targets[:, leg.foot], fps)
        moved = targets[:, leg.ankle] + world[:, leg.ankle] @ offsets[leg.foot] - targets[:, leg.foot]
        moved[:, 1] = 0.0
        aims[:, leg.foot] += steadied(moved, planted)
        stands.append(planted)
    pelvis = pelvis - [0.0, 1.0, 0.0] * _drop(world, offsets, pelvis, aims, stands, fps)[:, None]
    for leg in LEGS:
        hip = pelvis + world[:, 0] @ offsets[leg.hip]
        off = np.linalg.norm(_ball(world, offsets, hip, leg) - aims[:, leg.foot], axis=-1) > _REACHED_M
        turned = world[off]  # the others are right as they are
        reach(turned, offsets, hip[off], aims[off], leg)
        world[off] = turned
    balls = [_ball(world, offsets, pelvis + world[:, 0] @ offsets[leg.hip], leg) - aims[:, leg.foot] for leg in LEGS]
    return np.asarray(pelvis), float(np.linalg.norm(balls, axis=-1).mean())


def _ball(world: Array, offsets: Array, hip: Array, leg: Leg) -> Array:
    bones = pairwise((leg.hip, leg.knee, leg.ankle, leg.foot))
    return np.asarray(hip + sum((world[:, joint] @ offsets[end] for joint, end in bones), np.zeros(3)))


def contacts(balls: Array, fps: float) -> Flags:  # (frames, 3) metres, Y up
    """The frames (frames,) in which a ball of the foot stands on the clip's floor: low and slow.

    Stricter than `contacts.foot_contacts`, which finds standing feet in clips that float or sink as well.
    """
    if len(balls) < 2:
        return np.ones(len(balls), dtype=np.bool_)
    speed = np.linalg.norm(np.diff(balls, axis=0), axis=-1) * fps
    slow = np.minimum(np.append(speed, np.inf), np.insert(speed, 0, np.inf)) < _SLOW_M_PER_S
    low = balls[:, 1] < balls[:, 1].min() + _LOW_M
    flags: Flags = slow & low
    return flags


def steadied(moved: Array, planted: Flags) -> Array:  # (frames, 3), (frames,)
    """The values with one value for each run of planted frames, and a straight change of the correction in between."""
    frames, values = [], []
    for start, end in spans(planted):
        mean = moved[start:end].mean(axis=0)
        frames += [start, end - 1]
        values += [mean - moved[start], mean - moved[end - 1]]
    if not frames:
        return moved
    between = [np.interp(np.arange(len(moved)), frames, np.array(values)[:, axis]) for axis in range(3)]
    steady = moved + np.stack(between, axis=-1)
    for start, end in spans(planted):
        steady[start:end] = moved[start:end].mean(axis=0)
    return np.asarray(steady)


def _drop(world: Array, offsets: Array, pelvis: Array, aims: Array, stands: list[Flags], fps: float) -> Array:
    """How far the pelvis must go down in each frame, (frames,) metres, smoothly."""
    needed = np.zeros(len(world))
    for leg, planted in zip(LEGS, stands, strict=True):
        needed = np.maximum(needed, np.where(planted, _out_of_reach(world, offsets, pelvis, aims, leg), 0.0))
    if needed.max() <= _REACHED_M:
        return np.zeros(len(world))
    width = max(int(round(_DROP_S * fps)), 1)
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(np.minimum(needed, _MOST_DROP_M), width, mode="edge"), 2 * width + 1
    )
    widened = around.max(axis=-1)
    window = np.hanning(2 * width + 3)[1:-1]
    return np.asarray(np.convolve(np.pad(widened, width, mode="edge"), window / window.sum(), mode="valid"))


def _out_of_reach(world: Array, offsets: Array, pelvis: Array, aims: Array, leg: Leg) -> Array:
    """How much lower the hip must be for the leg to reach, (frames,) metres."""
    length = float(np.linalg.norm(offsets[leg.knee]) + np.linalg.norm(offsets[leg.ankle]))
    hip = pelvis + world[:, 0] @ offsets[leg.hip]
    way = hip - (aims[:, leg.foot] - world[:, leg.ankle] @ offsets[leg.foot])
    beside = np.sum(way[:, [0, 2]] ** 2, axis=-1)
    return np.asarray(np.maximum(way[:, 1] - np.sqrt(np.maximum(length**2 - beside, 0.0)), 0.0))
