"""Another frame rate for a motion, at the same duration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import MotionError
from ..rotations import axis_angle_to_quaternion, quaternion_to_axis_angle, slerp
from .model import MAX_FPS, SMPLMotion


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
    count = max(1, round(motion.frame_count * fps / motion.fps))
    position = np.minimum(np.arange(count) * (motion.fps / fps), motion.frame_count - 1)
    whole = np.rint(position)
    position = np.where(np.abs(position - whole) < 1e-9, whole, position)  # else 1.9999999 would miss an exact frame
    before = np.floor(position).astype(np.intp)
    after = np.minimum(before + 1, motion.frame_count - 1)
    amount = position - before
    quaternions = axis_angle_to_quaternion(motion.poses)
    turned = slerp(quaternions[before], quaternions[after], np.broadcast_to(amount[:, None], (count, 24)))
    poses = quaternion_to_axis_angle(turned)
    exact = amount == 0.0
    poses[exact] = motion.poses[before[exact]]
    root = motion.root[before] + amount[:, None] * (motion.root[after] - motion.root[before])
    enters = round(motion.first_frame * fps / motion.fps)
    return replace(motion, poses=poses, root=root, fps=float(fps), first_frame=enters)
