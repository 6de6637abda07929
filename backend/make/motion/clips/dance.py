"""A dance of twelve beats, 120 a minute: side groove with pointing arms, a turn, square arms, a final pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.make.motion.curves import eased, flowing, late, smoothstep
from backend.make.motion.puppet import Controls, Foot, Hand

Array = npt.NDArray[np.float64]

FRAMES = 120
_BEAT = 10.0  # frames

# Places of the wrist from the shoulder (outwards, up, front; arm lengths) and of the elbow's direction.
_UP = (0.52, 0.76, 0.22), (0.9, -0.5, -0.4)
_LOW = (0.62, -0.66, 0.16), (0.7, 0.2, -0.8)
_WIDE = (0.95, 0.08, 0.12), (0.2, -0.9, -0.5)
_WIDE_HIGH = (0.86, 0.42, 0.14), (0.4, -0.8, -0.5)
_WIDE_LOW = (0.86, -0.36, 0.20), (0.2, -0.4, -0.9)
_FRONT = (0.05, 0.02, 0.62), (1.0, -0.5, 0.0)
_SQUARE_UP = (0.52, 0.50, 0.16), (1.0, -0.9, -0.1)
_SQUARE_MIDDLE = (0.62, 0.00, 0.56), (1.0, -0.1, -0.7)
_SQUARE_DOWN = (0.54, -0.48, 0.14), (1.0, 0.8, -0.3)
_HIP = (0.15, -0.70, 0.14), (1.0, 0.1, -0.4)
_SKY = (0.26, 0.94, 0.06), (0.9, -0.2, -0.4)

_Pose = tuple[tuple[float, float, float], tuple[float, float, float]]

_LEFT_ARM: dict[float, _Pose] = {
    0: _UP, 10: _LOW, 20: _UP, 30: _LOW, 39: _WIDE_LOW, 47: _FRONT, 56: _WIDE_HIGH, 61: _WIDE_LOW, 66: _WIDE_HIGH,
    74: _SQUARE_MIDDLE, 80: _SQUARE_UP, 85: _SQUARE_MIDDLE, 90: _SQUARE_DOWN, 95: _SQUARE_MIDDLE, 99: _SQUARE_UP,
    105: _FRONT, 111: _HIP, 119: _HIP,
}  # fmt: skip
_RIGHT_ARM: dict[float, _Pose] = {
    0: _LOW, 10: _UP, 20: _LOW, 30: _UP, 39: _WIDE, 47: _WIDE_LOW, 56: _WIDE_LOW, 61: _WIDE_HIGH, 66: _WIDE_LOW,
    74: _SQUARE_MIDDLE, 80: _SQUARE_DOWN, 85: _SQUARE_MIDDLE, 90: _SQUARE_UP, 95: _SQUARE_MIDDLE, 99: _SQUARE_DOWN,
    105: _FRONT, 111: _SKY, 119: _SKY,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Step:
    """A foot leaves the floor at `start` and stands at (x, z) with `yaw` from `end` on."""

    start: float
    end: float
    x: float
    z: float
    yaw: float
    height_m: float = 0.06


_LEFT_STEPS = (
    _Step(-1, 0, 0.19, 0.0, 20.0, 0.0),
    _Step(48, 54, 0.10, -0.12, 66.0),
    _Step(66, 72, 0.20, 0.0, 24.0),
    _Step(103, 109, 0.36, 0.04, 32.0, 0.09),
)
_RIGHT_STEPS = (
    _Step(-1, 0, -0.19, 0.0, -20.0, 0.0),
    _Step(43, 49, -0.10, 0.14, 34.0, 0.08),
    _Step(70, 76, -0.20, 0.0, -24.0),
    _Step(100, 105, -0.10, 0.0, -12.0),
)
# Heels: the foot without weight taps on its ball; both come up a little in the final stretch.
_LEFT_HEEL: dict[float, float] = {
    0: 0, 5: 0, 10: 34, 14: 0, 25: 0, 30: 34, 34: 0, 44: 0, 48: 30, 53: 12, 56: 0, 63: 0, 66: 24, 71: 8, 73: 0,
    101: 0, 104: 40, 108: 30, 111: 12, 119: 12,
}  # fmt: skip
_RIGHT_HEEL: dict[float, float] = {
    0: 34, 4: 0, 15: 0, 20: 34, 24: 0, 35: 0, 42: 0, 44: 30, 48: 10, 51: 0, 57: 22, 62: 20, 67: 0, 70: 30, 75: 8, 77: 0,
    98: 0, 101: 24, 105: 0, 119: 0,
}  # fmt: skip


def dance() -> Controls:
    """The clip's controls."""
    frame = np.arange(FRAMES, dtype=np.float64)
    side = flowing({0: 0.10, 10: -0.10, 20: 0.10, 30: -0.10, 40: 0.03, 47: -0.03, 55: 0.02, 62: -0.02, 72: 0.06,
                    80: -0.07, 90: 0.08, 99: -0.05, 106: -0.10, 111: -0.075, 119: -0.08}, FRAMES)  # fmt: skip
    yaw = flowing({0: -6, 10: 6, 20: -6, 30: 6, 40: -6, 46: -14, 56: 44, 62: 50, 67: 40, 76: -4, 82: 5, 90: -5, 99: 4,
                   105: 10, 111: -14, 119: -12}, FRAMES)  # fmt: skip
    groove = smoothstep((102 - frame) / 4)
    roll = 70.0 * side * (1.0 - 0.4 * smoothstep((frame - 40) / 4) * smoothstep((70 - frame) / 4))
    ahead = flowing({0: 0.0, 44: 0.0, 52: 0.03, 62: 0.01, 72: 0.0, 119: 0.0}, FRAMES)
    nod = 4.0 * groove * np.cos(2.0 * np.pi * frame / _BEAT)
    pitch = flowing({0: 3, 40: 4, 47: 12, 56: -4, 62: 3, 74: 4, 90: 3, 104: 14, 111: -9, 119: -7}, FRAMES)
    twist = flowing({0: 14, 10: -14, 20: 14, 30: -14, 40: 6, 47: -16, 56: 12, 62: -6, 67: -14, 76: 4, 82: 10, 90: -10,
                     99: 8, 105: 4, 111: -10, 119: -8}, FRAMES)  # fmt: skip
    look = flowing({0: 16, 10: -16, 20: 16, 30: -16, 40: 4, 47: 14, 56: -34, 62: -44, 70: -20, 78: 0, 85: 8, 95: -8,
                    105: 0, 111: 12, 119: 10}, FRAMES)  # fmt: skip
    chin = flowing({0: 0, 40: 0, 47: 4, 56: -4, 74: -3, 90: -4, 105: 4, 111: -14, 119: -12}, FRAMES)
    return Controls(
        pelvis=np.stack([side, _height(frame, groove), ahead], axis=1),
        pelvis_turn=np.stack([yaw, 0.4 * pitch, -0.6 * roll], axis=1),
        chest_turn=np.stack([late(twist, 0.7), 0.6 * pitch + 0.5 * nod, 1.25 * late(roll, 0.5)], axis=1),
        head_turn=np.stack([late(look, 1.0), chin - 0.7 * pitch + late(nod, 1.5), -0.5 * late(roll, 1.2)], axis=1),
        left_foot=_foot(_LEFT_STEPS, _LEFT_HEEL, frame),
        right_foot=_foot(_RIGHT_STEPS, _RIGHT_HEEL, frame),
        left_hand=_hand(_LEFT_ARM),
        right_hand=_hand(_RIGHT_ARM),
    )


def _height(frame: Array, groove: Array) -> Array:
    """Down on every beat, deep in the square-arm part, gathered before the final stretch."""
    base = flowing({0: -0.06, 40: -0.06, 47: -0.10, 56: -0.035, 62: -0.05, 73: -0.10, 80: -0.15, 90: -0.15, 97: -0.12,
                    104: -0.16, 111: -0.055, 119: -0.06}, FRAMES)  # fmt: skip
    return np.asarray(base - 0.030 * groove * np.cos(2.0 * np.pi * frame / _BEAT), dtype=np.float64)


def _hand(poses: dict[float, _Pose]) -> Hand:
    reach = flowing({frame: pose[0] for frame, pose in poses.items()}, FRAMES)
    elbow = flowing({frame: pose[1] for frame, pose in poses.items()}, FRAMES)
    speed = np.gradient(reach[:, 1])
    return Hand(late(reach, 0.7), late(elbow, 0.7), 4.0 + 120.0 * late(speed, 2.0))  # the hand drags behind the arm


def _foot(steps: tuple[_Step, ...], heel: dict[float, float], frame: Array) -> Foot:
    first = steps[0]
    place = np.tile([first.x, 0.0, first.z], (FRAMES, 1))
    yaw = np.full(FRAMES, first.yaw)
    for step in steps[1:]:
        share = np.clip((frame - step.start) / (step.end - step.start), 0.0, 1.0)
        ease = smoothstep(share)
        place[:, 0] += ease * (step.x - place[:, 0])
        place[:, 2] += ease * (step.z - place[:, 2])
        place[:, 1] += step.height_m * np.sin(np.pi * share) ** 2
        yaw += ease * (step.yaw - yaw)
    return Foot(place, yaw, eased(dict(heel), FRAMES), np.full(FRAMES, 6.0))
