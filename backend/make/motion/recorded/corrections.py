"""What another body's motion needs on ours: knees to the front, feet clear of the floor, arms beside the trunk."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from backend.make.motion.curves import smoothstep
from backend.make.motion.library.capsules import arm_pairs, depth_m
from backend.make.motion.library.clip import rest_joints
from shared.motion.contacts import BALLS
from shared.motion.leg_reach import LEGS, reach
from shared.motion.model import SMPLMotion
from shared.motion.quality import motion_joints
from shared.motion.repair.feet import with_feet_moved
from shared.motion.skeleton import JOINT_INDEX, bone_offsets, global_rotations, joint_positions, local_rotations
from shared.rotations import axis_angle_to_matrix, matrix_to_axis_angle, normalised

Array = npt.NDArray[np.float64]

_FRONT: Final = np.array([0.0, 0.0, 1.0])
_TO_FRONT_M: Final = (
    0.15  # added to the knee's way off the line from hip to ankle: decides only for legs nearly straight
)
_CLEAR_M: Final = 0.042  # a ball that swings is this high; recorded toes pass the floor at a centimetre
_SWINGS_M_PER_S: Final = (0.1, 0.35)  # from where on a ball swings, and from where on it is wholly clear
_ANKLE_M: Final = 0.035  # least height of an ankle, whose heel is below it
_DEEP_M: Final = 0.02  # an arm may be in the body so far
_MOST_DEGREES: Final = 18
_STEP_DEGREES: Final = 3


def knees_forward(motion: SMPLMotion) -> SMPLMotion:
    """The motion whose nearly straight legs bend to the thigh's front; recorded ones bend a little to the side."""
    offsets = bone_offsets(rest_joints())
    world = global_rotations(axis_angle_to_matrix(motion.poses))
    joints = joint_positions(world, offsets, motion.root + offsets[0])
    targets = joints.copy()
    for leg in LEGS:
        line = normalised(joints[:, leg.ankle] - joints[:, leg.hip])
        front = world[:, leg.hip] @ _FRONT
        front = normalised(front - np.sum(front * line, axis=-1, keepdims=True) * line)
        targets[:, leg.knee] += _TO_FRONT_M * front
        reach(world, offsets, joints[:, leg.hip], targets, leg)
    return replace(motion, poses=matrix_to_axis_angle(local_rotations(world)))


def swinging_feet_lifted(motion: SMPLMotion) -> SMPLMotion:
    """The motion at 20 frames a second whose feet clear the floor where they move over it, with heels above it."""
    joints = motion_joints(motion, rest_joints())
    balls, ankles = joints[:, BALLS], joints[:, [leg.ankle for leg in LEGS]]
    speeds = np.linalg.norm(np.diff(balls[..., [0, 2]], axis=0), axis=-1) * motion.fps
    # A frame swings as much as the slower of its two neighbouring ways, so that a foot which stands is not lifted.
    slower = np.minimum(np.concatenate([speeds[:1], speeds]), np.concatenate([speeds, speeds[-1:]]))
    slow, fast = _SWINGS_M_PER_S
    clear = _CLEAR_M * smoothstep((slower - slow) / (fast - slow))
    moves = np.zeros_like(balls)
    moves[..., 1] = np.maximum(np.maximum(clear - balls[..., 1], _ANKLE_M - ankles[..., 1]), 0.0)
    return with_feet_moved(motion, rest_joints(), moves)


def arms_beside(motion: SMPLMotion) -> SMPLMotion:
    """The motion with each arm turned outwards, by one angle for the whole clip, until it is out of the body."""
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for degrees in range(0, _MOST_DEGREES + 1, _STEP_DEGREES):
            tried = _turned_out(motion, JOINT_INDEX[f"{side}_shoulder"], sign * np.radians(degrees))
            if depth_m(motion_joints(tried, rest_joints()), arm_pairs(side)).max() < _DEEP_M:
                break
        motion = tried
    return motion


def _turned_out(motion: SMPLMotion, shoulder: int, angle: float) -> SMPLMotion:
    """The arm turned in the chest's plane from left to right, upwards."""
    if angle == 0.0:
        return motion
    own = axis_angle_to_matrix(motion.poses)
    world = global_rotations(own)
    collar = world[:, JOINT_INDEX["left_collar" if angle > 0.0 else "right_collar"]]
    axis = np.einsum("fji,fj->fi", collar, world[:, JOINT_INDEX["spine3"]] @ _FRONT)
    poses = motion.poses.copy()
    poses[:, shoulder] = matrix_to_axis_angle(axis_angle_to_matrix(angle * axis) @ own[:, shoulder])
    return replace(motion, poses=poses)
