"""Reads AMASS files (.npz): SMPL, SMPL+H and SMPL-X poses, Z up.

Mahmood et al., "AMASS: Archive of Motion Capture as Surface Shapes", 2019. SMPL turns the body about its pelvis joint:
v = R (v0 - J0) + J0 + t. With C the turn from Z up to Y up, C v = (C R)(v0 - J0) + J0 + t', so t' = C (J0 + t) - J0.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from .fields import Fields
from .model import SMPLMotion
from .rest import rest_joints_for
from .rotations import axis_angle_to_quaternion, quaternion_multiply, quaternion_to_axis_angle
from .skeleton import JOINT_COUNT

Array = npt.NDArray[np.float64]

AMASS_KEYS: Final = (
    "poses", "root_orient", "pose_body", "trans", "betas", "gender", "mocap_framerate", "mocap_frame_rate", "fps",
    "surface_model_type",
)  # fmt: skip
_RATE_KEYS: Final = ("mocap_framerate", "mocap_frame_rate", "fps")
_BODY_WIDTH: Final = 66  # 22 joints; what follows them differs between the models
_SMPL_WIDTH: Final = 72
_SMPLX_WIDTH: Final = 165
_POSE_WIDTHS: Final = (_BODY_WIDTH, _SMPL_WIDTH, 156, _SMPLX_WIDTH)
_Y_UP: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])  # -90 degrees about X
# SMPL-X's rest pelvis lies lower in its own coordinates than SMPL's (neutral models, metres).
_SMPLX_PELVIS_OFFSET: Final = np.array([0.005, -0.128, -0.016])


def read_amass(fields: Fields, *, fps: float | None, rest_joints: npt.ArrayLike | None) -> SMPLMotion:
    # rest_joints (24, 3) metres
    """The motion of an AMASS file, turned to Y up. Raises MotionError with the entry at fault."""
    body, is_smplx = _body_poses(fields)
    frames = len(body)
    trans = fields.numbers("trans", (frames, 3))
    betas, shape_note = _betas(fields, is_smplx)
    rate = fps if fps is not None else _frame_rate(fields)
    poses = np.zeros((frames, JOINT_COUNT, 3))
    poses[:, : body.shape[1] // 3] = body.reshape(frames, -1, 3)
    turn = axis_angle_to_quaternion(np.array([-0.5 * np.pi, 0.0, 0.0]))
    poses[:, 0] = quaternion_to_axis_angle(quaternion_multiply(turn, axis_angle_to_quaternion(poses[:, 0])))
    rest = rest_joints_for(rest_joints, betas)[0]
    source_rest = rest + _SMPLX_PELVIS_OFFSET if is_smplx else rest
    gender = fields.label("gender") if "gender" in fields else "not given"
    return SMPLMotion(
        poses=poses,
        root=(trans + source_rest) @ _Y_UP.T - rest,
        betas=betas,
        fps=rate,
        text="",
        source=fields.name,
        twist_known=True,
        notes=(
            "Z up, as AMASS has it, was turned to Y up.",
            shape_note,
            f"Gender: {gender}; the body is not gendered.",
        ),
    )


def _body_poses(fields: Fields) -> tuple[Array, bool]:
    if "poses" in fields:
        poses = fields.numbers("poses", (None, None))
        width = poses.shape[1]
        if width not in _POSE_WIDTHS:
            raise fields.fault(
                "motion.wrong_shape",
                "poses",
                f"has {width} numbers a frame, not 66, 72, 156 or 165",
                "Export it again.",
            )
        return poses[:, : _SMPL_WIDTH if width == _SMPL_WIDTH else _BODY_WIDTH], width == _SMPLX_WIDTH
    root = fields.numbers("root_orient", (None, 3))
    body = fields.numbers("pose_body", (len(root), _BODY_WIDTH - 3))
    is_smplx = "surface_model_type" in fields and "smplx" in fields.label("surface_model_type").lower()
    return np.concatenate([root, body], axis=1), is_smplx


def _frame_rate(fields: Fields) -> float:
    for key in _RATE_KEYS:
        if key in fields:
            return float(fields.numbers(key, ()))
    raise fields.fault("motion.missing_key", "mocap_framerate", "is missing", "Give the frame rate yourself.")


def _betas(fields: Fields, is_smplx: bool) -> tuple[Array, str]:
    betas = np.zeros(10)
    if "betas" not in fields:
        return betas, "No shape in the file: the mean shape is used."
    given = fields.numbers("betas", (None,))
    if is_smplx:
        return betas, "SMPL-X's shape numbers mean something else than SMPL's: the mean shape is used."
    used = given[:10]
    betas[: len(used)] = used
    return betas, f"The first {len(used)} of {len(given)} shape numbers are used."
