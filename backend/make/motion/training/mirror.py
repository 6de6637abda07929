"""The mirror image of features: what the left did the right does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared.motion.humanml.layout import CONTACTS, FEATURE_COUNT, PLACES, SPEEDS, STEP, TURN, TURNS
from shared.motion.skeleton import BODY_JOINT_COUNT, JOINT_INDEX, JOINT_NAMES

_OTHER = {"left": "right", "right": "left"}


def _swapped(joint: int) -> int:
    side, _, rest = JOINT_NAMES[joint].partition("_")
    return JOINT_INDEX[f"{_OTHER[side]}_{rest}"] if side in _OTHER else joint


def _tables() -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each feature, which feature its mirror image is and with which sign."""
    order, sign = np.arange(FEATURE_COUNT), np.ones(FEATURE_COUNT, np.float32)
    sign[TURN] = sign[STEP.start] = -1.0
    joints = [_swapped(joint) for joint in range(BODY_JOINT_COUNT)]
    for block, first, width, signs in (
        (PLACES, 1, 3, (-1.0, 1.0, 1.0)),
        (TURNS, 1, 6, (1.0, -1.0, -1.0, -1.0, 1.0, 1.0)),  # a matrix between two mirrors, its first two columns
        (SPEEDS, 0, 3, (-1.0, 1.0, 1.0)),
    ):
        blocks = np.arange(block.start, block.stop).reshape(-1, width)
        order[block] = blocks[[joint - first for joint in joints[first:]]].reshape(-1)
        sign[block] = np.tile(signs, len(blocks))
    order[CONTACTS] = np.arange(CONTACTS.start, CONTACTS.stop).reshape(2, 2)[::-1].reshape(-1)
    return order, sign


ORDER, SIGN = _tables()


def mirrored(features: NDArray[np.float32]) -> NDArray[np.float32]:  # (..., 263), not normalised
    """The mirror image, (..., 263)."""
    return features[..., ORDER] * SIGN
