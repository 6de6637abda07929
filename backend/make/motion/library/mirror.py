"""Left for right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from backend.make.motion.puppet import Controls, Foot

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
