"""Puts the end of one clip before another, so that the model learns to go on from what was done before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.make.motion.curves import smoothstep
from shared.motion.humanml.facing import first_facing, turn_about_y
from shared.motion.skeleton import JOINT_INDEX

Array = NDArray[np.float64]

_FEET = [JOINT_INDEX[name] for name in ("left_ankle", "right_ankle", "left_foot", "right_foot")]
_EASED = 12  # frames in which the earlier posture becomes the clip's first


def led_in(before: Array, clip: Array, frames: int) -> Array:  # (frames, 22, 3) metres each, both on the floor y = 0
    """The last `frames` of `before`, then `clip`. Both stand where they meet: the feet are brought together."""
    tail = before[-frames - 1 : -1]
    turn = first_facing(before[-1]) - first_facing(clip[0])
    turned = turn_about_y(turn, tail)
    last = turn_about_y(turn, before[-1])
    shift = (clip[0, _FEET] - last[_FEET]).mean(axis=0) * [1.0, 0.0, 1.0]
    gap = clip[0] - last - shift
    share = smoothstep((np.arange(len(tail)) + 1.0 + _EASED - len(tail)) / (_EASED + 1.0))
    return np.concatenate([turned + shift + share[:, None, None] * gap, clip])
