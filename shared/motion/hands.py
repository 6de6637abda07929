"""SMPL's two hand joints among SMPL+H's fingers: a hand that turns as one turns the first joint of its four fingers."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FINGER_JOINTS: Final = 30  # 15 a hand, left first: index, middle, pinky, ring, thumb, three joints each
_KNUCKLES: Final = (0, 3, 6, 9)
_SAME_RAD: Final = 1e-6


def fingers_of(hands: Array) -> Array:  # (frames, 2, 3) axis-angle, left and right
    """SMPL+H's finger joints (frames, 30, 3) whose fingers turn as these hands do."""
    fingers = np.zeros((len(hands), 2, FINGER_JOINTS // 2, 3))
    fingers[:, :, _KNUCKLES] = hands[:, :, None]
    return fingers.reshape(len(hands), FINGER_JOINTS, 3)


def hands_of(fingers: Array) -> Array:  # (..., 30, 3) axis-angle
    """SMPL's hands (..., 2, 3) where the fingers of both turn as one in all frames; no turn where they do not."""
    hands = fingers.reshape(*fingers.shape[:-2], 2, FINGER_JOINTS // 2, 3)
    turned = hands[..., _KNUCKLES[0], :]
    whole = np.zeros_like(hands)
    whole[..., _KNUCKLES, :] = turned[..., None, :]
    return turned if np.abs(whole - hands).max(initial=0.0) <= _SAME_RAD else np.zeros_like(turned)
