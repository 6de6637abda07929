"""AMASS's file for SMPL+H, which most programs read: Z up, radians and metres, in double precision.

Mahmood et al., "AMASS: Archive of Motion Capture as Surface Shapes", 2019.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ...rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ..hands import fingers_of
from ..skeleton import BODY_JOINT_COUNT
from ..up_axis import turn_to_y
from .writer import Writer, Written, as_npz

_BETAS: Final = 16
_DMPLS: Final = 8


def encode_amass(written: Written) -> bytes:
    """The file's bytes. The turn of the hands goes to the fingers' first joints."""
    motion, frames = written.motion, written.motion.frame_count
    turn = turn_to_y("z").T
    poses = np.concatenate([motion.poses[:, :BODY_JOINT_COUNT], fingers_of(motion.poses[:, BODY_JOINT_COUNT:])], axis=1)
    poses[:, 0] = matrix_to_axis_angle(turn @ axis_angle_to_matrix(motion.poses[:, 0]))
    pelvis = (motion.root + written.rest[0]) @ turn.T
    betas = np.zeros(_BETAS)
    betas[: len(motion.betas)] = motion.betas
    return as_npz(
        {
            "trans": pelvis - written.smpl_pelvis,
            "gender": np.array("neutral"),
            "mocap_framerate": np.array(motion.fps),
            "betas": betas,
            "dmpls": np.zeros((frames, _DMPLS)),
            "poses": poses.reshape(frames, -1),
        }
    )


AMASS: Final = Writer(
    "amass",
    "AMASS",
    ".npz",
    "SMPL+H's rotations, read by most programs for SMPL",
    encode_amass,
)
