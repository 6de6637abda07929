"""Changes of a whole motion: left for right, other frames, elsewhere, one after the other, value by value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from backend.make.motion.puppet import Controls, Foot, Hand, turn_matrix

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
    return combined(lambda values: values[0][index], (controls,))


def joined(parts: Sequence[Controls]) -> Controls:
    """One after the other; nothing is smoothed."""
    return combined(lambda values: np.concatenate(values), parts)


def combined(how: Callable[[list[Array]], Array], parts: Sequence[Controls]) -> Controls:
    """Controls of which every array is made of the same arrays of the parts."""

    def feet(feet: list[Foot]) -> Foot:
        names = ("place", "yaw", "pitch", "knee_out")
        return Foot(*(how([getattr(foot, name) for foot in feet]) for name in names))

    def hands(hands: list[Hand]) -> Hand:
        return Hand(*(how([getattr(hand, name) for hand in hands]) for name in ("reach", "elbow", "flex")))

    return Controls(
        pelvis=how([part.pelvis for part in parts]),
        pelvis_turn=how([part.pelvis_turn for part in parts]),
        chest_turn=how([part.chest_turn for part in parts]),
        head_turn=how([part.head_turn for part in parts]),
        left_foot=feet([part.left_foot for part in parts]),
        right_foot=feet([part.right_foot for part in parts]),
        left_hand=hands([part.left_hand for part in parts]),
        right_hand=hands([part.right_hand for part in parts]),
    )


def placed(controls: Controls, about: Array, to: Array, yaw: float) -> Controls:  # about, to (3,) metres
    """The same motion, turned by `yaw` degrees about a point of it, which comes to another one."""
    turn = turn_matrix(np.array([yaw, 0.0, 0.0]))

    def moved(places: Array) -> Array:
        return np.asarray((places - about) @ turn.T + to, dtype=np.float64)

    def foot(foot: Foot) -> Foot:
        return replace(foot, place=moved(foot.place), yaw=foot.yaw + yaw)

    return replace(
        controls,
        pelvis=moved(controls.pelvis),
        pelvis_turn=controls.pelvis_turn + np.array([yaw, 0.0, 0.0]),
        left_foot=foot(controls.left_foot),
        right_foot=foot(controls.right_foot),
    )
