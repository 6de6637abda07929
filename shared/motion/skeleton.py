"""SMPL's 24 joints: names, order, parents (Loper et al., "SMPL: A Skinned Multi-Person Linear Model", 2015)."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import MotionError

JOINT_NAMES: Final[tuple[str, ...]] = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hand", "right_hand",
)  # fmt: skip
PARENTS: Final[tuple[int, ...]] = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
JOINT_COUNT: Final = 24
BODY_JOINT_COUNT: Final = 22  # SMPL without the two hands: the joints of HumanML3D and of MDM's text-to-motion files
JOINT_INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(JOINT_NAMES)}

Array = npt.NDArray[np.float64]


def bone_offsets(rest_joints: npt.ArrayLike) -> Array:  # (24, 3) metres
    """Offset of every joint from its parent in the rest pose.

    Returns (24, 3) metres; the pelvis' offset is its own rest position.
    Raises MotionError if `rest_joints` is not (24, 3) or not finite.
    """
    joints = np.asarray(rest_joints, dtype=np.float64)
    if joints.shape != (JOINT_COUNT, 3) or not np.isfinite(joints).all():
        raise MotionError(
            "motion.rest_joints",
            f"The rest joints must be 24 finite points, but their shape is {joints.shape}.",
            "Pass the joints of a body, for example free_body().joints(betas).",
        )
    offsets = joints.copy()
    offsets[1:] -= joints[list(PARENTS[1:])]
    return offsets


def global_rotations(local: Array) -> Array:  # (..., 24, 3, 3)
    """Rotations of all joints in the world, from rotations relative to the parent; (..., 24, 3, 3)."""
    world = np.empty_like(local)
    for joint, parent in enumerate(PARENTS):
        turn = local[..., joint, :, :]
        world[..., joint, :, :] = turn if parent < 0 else world[..., parent, :, :] @ turn
    return world


def local_rotations(world: Array) -> Array:  # (..., 24, 3, 3)
    """Inverse of `global_rotations`: R_local = R_parent^T R_world; (..., 24, 3, 3)."""
    local = np.empty_like(world)
    for joint, parent in enumerate(PARENTS):
        turn = world[..., joint, :, :]
        local[..., joint, :, :] = turn if parent < 0 else np.swapaxes(world[..., parent, :, :], -1, -2) @ turn
    return local


def joint_positions(world: Array, offsets: Array, pelvis: Array) -> Array:
    # world (..., 24, 3, 3), offsets (24, 3) metres from `bone_offsets`, pelvis (..., 3) metres
    """Forward kinematics: joint = parent + R_parent offset; returns (..., 24, 3) metres."""
    positions = np.empty(world.shape[:-2] + (3,))
    positions[..., 0, :] = pelvis
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            positions[..., joint, :] = positions[..., parent, :] + world[..., parent, :, :] @ offsets[joint]
    return positions
