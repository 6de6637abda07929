"""Plain figures about a motion that tell an animator what to look at: sliding feet, jitter, feet below the floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..rotations import axis_angle_to_matrix
from .contacts import BALLS
from .model import SMPLMotion
from .skeleton import bone_offsets, global_rotations, joint_positions

Array = npt.NDArray[np.float64]

_CONTACT_HEIGHT_M: Final = 0.03


@dataclass(frozen=True, slots=True)
class MotionQuality:
    """The figures of one clip; all are 0 for a clip in which nothing is wrong."""

    foot_slide_cm_per_s: float  # mean horizontal speed of a foot's ball while it is at most 3 cm above the floor
    jitter_m_per_s3: float  # mean jerk (third derivative of position) of the joints
    floor_penetration_cm: float  # deepest that a foot's ball goes below the floor


def motion_joints(motion: SMPLMotion, rest_joints: npt.ArrayLike) -> Array:  # rest_joints (24, 3) metres
    """The joints' places in every frame, (frames, 24, 3) metres, Y up. Raises MotionError for unusable rest joints."""
    offsets = bone_offsets(rest_joints)
    world = global_rotations(axis_angle_to_matrix(motion.poses))
    return joint_positions(world, offsets, motion.root + offsets[0])


def measure_quality(motion: SMPLMotion, rest_joints: npt.ArrayLike, *, floor_m: float = 0.0) -> MotionQuality:
    # rest_joints (24, 3) metres
    """The clip's figures on a skeleton, with the floor at height `floor_m`.

    A clip too short for a derivative has 0 there. Raises MotionError for unusable rest joints.
    """
    return quality_of(motion_joints(motion, rest_joints), motion.fps, floor_m=floor_m)


def quality_of(joints: Array, fps: float, *, floor_m: float = 0.0) -> MotionQuality:
    # joints (frames, 22 or 24, 3) metres, Y up
    """The same figures of joints that are known already."""
    feet = joints[:, BALLS]
    height = feet[..., 1] - floor_m
    speed = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=0), axis=-1) * fps
    contact = np.maximum(height[1:], height[:-1]) <= _CONTACT_HEIGHT_M
    slide = float(100.0 * speed[contact].mean()) if contact.any() else 0.0
    jerk = np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1) * fps**3
    jitter = float(jerk.mean()) if len(jerk) else 0.0
    return MotionQuality(slide, jitter, float(100.0 * max(0.0, -height.min())))
