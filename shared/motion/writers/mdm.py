"""MDM's two files: joint positions (`results.npy`), and rotations with the pelvis' place (`smpl_params.npy`).

Tevet et al., "Human Motion Diffusion Model", 2022. Y up, 20 frames a second, which no file says.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ...rotations import axis_angle_to_matrix, matrix_to_rot6d_rows
from ..quality import motion_joints
from ..skeleton import BODY_JOINT_COUNT
from .writer import Writer, Written, as_npy

_FPS: Final = 20.0


def encode_results(written: Written) -> bytes:
    """One clip of 22 joints."""
    motion = written.motion
    joints = motion_joints(motion, written.rest)[:, :BODY_JOINT_COUNT]
    return as_npy(
        {
            "motion": np.moveaxis(joints, 0, -1)[None].astype(np.float32),
            "text": [motion.text],
            "lengths": np.array([motion.frame_count]),
            "num_samples": 1,
            "num_repetitions": 1,
        }
    )


def encode_smpl_params(written: Written) -> bytes:
    """Rotations in rows, and the place of the pelvis. The shape is an entry that MDM's own programs do not look at."""
    motion = written.motion
    thetas = np.moveaxis(matrix_to_rot6d_rows(axis_angle_to_matrix(motion.poses)), 0, -1)
    pelvis = (motion.root + written.rest[0]).T
    root = np.zeros((1, 6, motion.frame_count))
    root[0, :3] = pelvis
    return as_npy(
        {
            "motion": np.concatenate([thetas, root]),
            "thetas": thetas,
            "root_translation": pelvis,
            "betas": np.array(motion.betas),
            "text": motion.text,
            "length": motion.frame_count,
        }
    )


MDM_RESULTS: Final = Writer(
    "mdm_results",
    "MDM Positions",
    "_results.npy",
    "Joint positions at 20 fps; bones lose their twist",
    encode_results,
    _FPS,
)
MDM_SMPL_PARAMS: Final = Writer(
    "mdm_smpl_params",
    "MDM Rotations",
    "_smpl_params.npy",
    "Joint rotations at 20 fps",
    encode_smpl_params,
    _FPS,
)
