"""A walk of 1.3 m/s that starts in mid-stride; each foot stays where it was put until it leaves the floor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backend.make.motion.curves import late, smoothstep
from backend.make.motion.puppet import Controls, Foot, Hand

Array = npt.NDArray[np.float64]

FRAMES = 88
_STRIDE_FRAMES = 22.0
_STRIDE_M = 1.43  # 1.3 m/s at 20 frames a second
_STANCE = 0.62  # share of the stride in which the foot is on the floor
_AHEAD_M = 0.30  # how far before the pelvis a foot is put down
_STANCE_PITCH = (np.array([0.0, 0.09, 0.34, 0.50, _STANCE]), np.array([-20.0, 0.0, 0.0, 22.0, 58.0]))
_SWING_PITCH = (np.array([0.0, 0.18, 0.45, 0.75, 1.0]), np.array([58.0, 62.0, 20.0, -14.0, -20.0]))


def walk() -> Controls:
    """The clip's controls."""
    stride = np.arange(FRAMES) / _STRIDE_FRAMES + 0.30  # strides done by the left foot; begins in mid-stance
    wave = 2.0 * np.pi * stride
    travel = (stride - stride[0]) * _STRIDE_M
    bob = -0.044 + 0.020 * np.cos(2.0 * (wave - 2.0 * np.pi * 0.28))
    sway = 0.022 * np.sin(wave - 0.15)  # over the standing foot
    zero = np.zeros(FRAMES)
    pelvis_yaw = -7.0 * np.cos(wave)  # the hip goes forward with its foot
    return Controls(
        pelvis=np.stack([sway, bob, travel], axis=1),
        pelvis_turn=np.stack([pelvis_yaw, zero + 2.0, 3.5 * np.sin(wave - 0.2)], axis=1),
        chest_turn=np.stack([-2.1 * pelvis_yaw, 3.0 + 1.5 * np.cos(2.0 * wave), -4.5 * np.sin(wave - 0.3)], axis=1),
        head_turn=late(np.stack([1.05 * pelvis_yaw, -3.0 - 1.5 * np.cos(2.0 * wave), 0.5 * np.sin(wave)], axis=1), 0.5),
        left_foot=_foot(stride, travel[0] - stride[0] * _STRIDE_M, 0.085, 5.0),
        right_foot=_foot(stride + 0.5, travel[0] - (stride[0] + 0.5) * _STRIDE_M, -0.085, -5.0),
        left_hand=_hand(late(-np.cos(wave), 1.0)),
        right_hand=_hand(late(np.cos(wave), 1.0)),
    )


def _foot(stride: Array, origin_m: float, x: float, yaw: float) -> Foot:
    number, phase = np.floor(stride), stride - np.floor(stride)
    swing = np.clip((phase - _STANCE) / (1.0 - _STANCE), 0.0, 1.0)
    ease = swing**3 * (10.0 - 15.0 * swing + 6.0 * swing**2)  # minimum jerk
    ahead = origin_m + (number + ease) * _STRIDE_M + _AHEAD_M
    lift = 0.055 * np.sin(np.pi * swing) ** 2 + 0.03 * np.sin(np.pi * np.minimum(1.6 * swing, 1.0))
    pitch = np.where(phase < _STANCE, _eased(phase, *_STANCE_PITCH), _eased(swing, *_SWING_PITCH))
    still = np.zeros(len(stride))
    return Foot(np.stack([still + x, lift, ahead], axis=1), still + yaw, pitch, still)


def _hand(swing: Array) -> Hand:
    """An arm that hangs and swings, -1 back to 1 forward; it bends more in front."""
    angle = np.radians(4.0 + 25.0 * swing)
    length = 0.955 - 0.045 * smoothstep(0.5 + 0.5 * swing)
    out = np.full(len(swing), 0.17) - 0.05 * smoothstep(swing)
    reach = np.stack([out, -length * np.cos(angle), length * np.sin(angle)], axis=1)
    elbow = np.tile([0.45, 0.0, -1.0], (len(swing), 1))
    return Hand(reach, elbow, 6.0 + 6.0 * late(swing, 1.5))


def _eased(at: Array, times: Array, values: Array) -> Array:
    index = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    share = (at - times[index]) / (times[index + 1] - times[index])
    return np.asarray(values[index] + smoothstep(share) * (values[index + 1] - values[index]), dtype=np.float64)
