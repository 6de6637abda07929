"""Changes of a whole motion: left for right, other frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from backend.make.motion.puppet import Controls, Foot, Hand

Array = npt.NDArray[np.float64]

_SIDE = np.array([-1.0, 1.0, 1.0])
_TURN = np.array([-1.0, 1.0, -1.0])  # yaw, pitch, roll


def mirrored(controls: Controls) -> Controls:
    """The same motion seen in a mirror that stands at x = 0."""
    return Controls(
        pelvis=controls.pelvis * _SIDE,
        pelvis_turn=controls.pelvis_turn * _TURN,
        chest_turn=controls.chest_turn * _TURN,
        head_turn=controls.head_turn * _TURN,
        left_foot=_foot(controls.right_foot),
        right_foot=_foot(controls.left_foot),
        left_hand=controls.right_hand,
        right_hand=controls.left_hand,
    )


def _foot(foot: Foot) -> Foot:
    return replace(foot, place=foot.place * _SIDE, yaw=-foot.yaw)


def taken(controls: Controls, index: npt.NDArray[np.int64]) -> Controls:
    """The controls at the frames of an index (frames,)."""
    return Controls(
        pelvis=controls.pelvis[index],
        pelvis_turn=controls.pelvis_turn[index],
        chest_turn=controls.chest_turn[index],
        head_turn=controls.head_turn[index],
        left_foot=_foot_at(controls.left_foot, index),
        right_foot=_foot_at(controls.right_foot, index),
        left_hand=_hand_at(controls.left_hand, index),
        right_hand=_hand_at(controls.right_hand, index),
    )


def _foot_at(foot: Foot, index: npt.NDArray[np.int64]) -> Foot:
    return Foot(foot.place[index], foot.yaw[index], foot.pitch[index], foot.knee_out[index])


def _hand_at(hand: Hand, index: npt.NDArray[np.int64]) -> Hand:
    return Hand(hand.reach[index], hand.elbow[index], hand.flex[index])
