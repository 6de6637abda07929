"""How surely a foot is planted, told from where the ball of the foot is and how fast it moves.

The optimiser needs a weight without steps; `shared.motion.contacts` answers with yes or no, and knows no floor.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.motion.contacts import BALLS

Array = npt.NDArray[np.float64]

_FLOOR_SHARE: Final = 5.0  # percent of the frames in which the lower ball may be below the floor's height
_NEAR_M: Final = (0.03, 0.08)  # planted for certain below the first height above the floor, never above the second
_SLOW_M_PER_S: Final = (0.25, 0.8)  # the same for the speed


def floor_height(joints: Array) -> float:  # (frames, 22 or 24, 3) metres
    """The height in metres at which the balls of the feet stand."""
    return float(np.percentile(joints[:, BALLS, 1].min(axis=1), _FLOOR_SHARE))


def planted(joints: Array, fps: float) -> Array:  # (frames, 22 or 24, 3) metres
    """How surely each ball is planted between a frame and the next, 0 to 1: (frames - 1, 2), left and right."""
    balls = joints[:, BALLS]
    height = np.maximum(balls[1:, :, 1], balls[:-1, :, 1]) - floor_height(joints)
    speed = np.linalg.norm(np.diff(balls, axis=0), axis=-1) * fps
    return _below(height, *_NEAR_M) * _below(speed, *_SLOW_M_PER_S)


def _below(values: Array, certain: float, never: float) -> Array:
    """1 up to `certain`, 0 from `never` on, smooth between."""
    amount = np.clip((never - values) / (never - certain), 0.0, 1.0)
    return np.asarray(amount * amount * (3.0 - 2.0 * amount))
