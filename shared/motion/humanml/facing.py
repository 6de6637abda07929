"""Where a body faces, as a turn about Y."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..skeleton import JOINT_INDEX

Array = npt.NDArray[np.float64]

_L_HIP, _R_HIP = JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]
_L_SHOULDER, _R_SHOULDER = JOINT_INDEX["left_shoulder"], JOINT_INDEX["right_shoulder"]
_SMOOTHING_FRAMES: Final = 20.0  # standard deviation
_REACH: Final = 80  # frames, four deviations


def turn_about_y(angle: npt.ArrayLike, vectors: Array) -> Array:  # angle (...) radians, vectors (..., 3)
    """The vectors turned about Y, from +Z towards +X."""
    cosine, sine = np.cos(angle), np.sin(angle)
    x, z = vectors[..., 0], vectors[..., 2]
    return np.stack([x * cosine + z * sine, vectors[..., 1], z * cosine - x * sine], axis=-1)


def y_rotation(angle: Array) -> Array:  # (...) radians
    """The same turn as matrices (..., 3, 3)."""
    return np.swapaxes(turn_about_y(angle[..., None], np.broadcast_to(np.eye(3), (*angle.shape, 3, 3))), -1, -2)


def first_facing(positions: Array) -> float:  # (22, 3)
    """The turn that makes one pose face +Z, radians: hips and shoulders together."""
    across = positions[_L_HIP] - positions[_R_HIP] + positions[_L_SHOULDER] - positions[_R_SHOULDER]
    return float(_turn_to_front(_forward(across)))


def smooth_facing(positions: Array) -> Array:  # (frames, 22, 3)
    """The turn of each frame that makes the body face +Z, (frames,) radians, smoothed over about two seconds.

    As the data set has it: the hips count against the shoulders, and frame 0 is not turned at all.
    """
    across = positions[:, _R_HIP] - positions[:, _L_HIP] + positions[:, _L_SHOULDER] - positions[:, _R_SHOULDER]
    across = across / np.linalg.norm(across, axis=-1, keepdims=True)
    turns = _turn_to_front(_smoothed(_forward(across)))
    turns[0] = 0.0
    return turns


def _forward(across: Array) -> Array:  # (..., 3), from right to left
    return np.stack([-across[..., 2], np.zeros_like(across[..., 0]), across[..., 0]], axis=-1)


def _turn_to_front(forward: Array) -> Array:
    return np.arctan2(-forward[..., 0], forward[..., 2])


def _smoothed(values: Array) -> Array:  # (frames, 3)
    """A Gaussian over time; the first and last values go on beyond the ends."""
    weights = np.exp(-0.5 * (np.arange(-_REACH, _REACH + 1) / _SMOOTHING_FRAMES) ** 2)
    weights /= weights.sum()
    padded = np.concatenate([np.repeat(values[:1], _REACH, 0), values, np.repeat(values[-1:], _REACH, 0)])
    return np.stack([np.convolve(column, weights, mode="valid") for column in padded.T], axis=-1)
