"""Another frame rate for a motion, at the same duration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..errors import MotionError
from ..rotations import (
    axis_angle_to_quaternion,
    matrix_to_quaternion,
    quaternion_to_axis_angle,
    quaternion_to_matrix,
    slerp,
)
from .camera import CameraTrack
from .model import MAX_FPS, SMPLMotion

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def resample(motion: SMPLMotion, fps: float) -> SMPLMotion:
    """The motion at `fps` frames a second: rotations by slerp, positions linearly.

    Frame t lies at t / fps seconds and lasts 1 / fps, so T frames last T / fps: 120 frames at 20 fps are 6.0 s and
    become 144 at 24 fps. The last source pose is held where a new frame lies after it (less than one source frame).
    Times that coincide with a source frame give that frame. Raises MotionError for an unusable rate.
    """
    if not 0.0 < fps <= MAX_FPS:
        raise MotionError(
            "motion.fps", f"A motion cannot be resampled to {fps} frames a second.", "Use a rate above 0."
        )
    if fps == motion.fps:
        return motion
    before, after, amount = _between(motion.frame_count, motion.fps, fps)
    quaternions = axis_angle_to_quaternion(motion.poses)
    turned = slerp(quaternions[before], quaternions[after], np.broadcast_to(amount[:, None], (len(amount), 24)))
    poses = quaternion_to_axis_angle(turned)
    exact = amount == 0.0
    poses[exact] = motion.poses[before[exact]]
    root = _linear(motion.root, before, after, amount)
    camera = None if motion.camera is None else _camera_at(motion.camera, motion.fps, fps)
    enters = round(motion.first_frame * fps / motion.fps)
    return replace(motion, poses=poses, root=root, fps=float(fps), first_frame=enters, camera=camera)


def _between(frames: int, source_fps: float, fps: float) -> tuple[Indices, Indices, Array]:
    """The source frames before and after each new one, and how far it is from the first to the second, 0..1."""
    count = max(1, round(frames * fps / source_fps))
    position = np.minimum(np.arange(count) * (source_fps / fps), frames - 1)
    whole = np.rint(position)
    position = np.where(np.abs(position - whole) < 1e-9, whole, position)  # else 1.9999999 would miss an exact frame
    before = np.floor(position).astype(np.intp)
    return before, np.minimum(before + 1, frames - 1), position - before


def _linear(values: Array, before: Indices, after: Indices, amount: Array) -> Array:
    amounts = amount.reshape(-1, *(1,) * (values.ndim - 1))
    return np.asarray(values[before] + amounts * (values[after] - values[before]))


def _camera_at(camera: CameraTrack, source_fps: float, fps: float) -> CameraTrack:
    """The camera at another rate: turned by slerp, moved and zoomed linearly."""
    before, after, amount = _between(camera.frame_count, source_fps, fps)
    quaternions = matrix_to_quaternion(camera.rotation)
    rotation = quaternion_to_matrix(slerp(quaternions[before], quaternions[after], amount))
    positions = _linear(camera.positions, before, after, amount)
    return replace(
        camera,
        intrinsics=_linear(camera.intrinsics, before, after, amount),
        rotation=rotation,
        translation=-np.einsum("fij,fj->fi", rotation, positions),
    )
