"""From what a reader found to the one motion that the project knows: axes, rate, shape, fit, and what to say of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..rotations import axis_angle_to_matrix, matrix_to_axis_angle
from .fitting import fit_positions, scale_to
from .model import SMPLMotion
from .quality import motion_joints
from .reading.clip import Ask, Clip, Positions, Reader, Rotations
from .reading.fields import Fields
from .reading.rates import RATE_KEYS, frame_rate
from .reading.shape import SHAPE_KEYS, checked_shape
from .rest import SMPLX_PELVIS_OFFSET, RestJoints, pelvis_of_transl, rest_joints_of
from .skeleton import bone_offsets, global_rotations, joint_positions
from .up_axis import Upright, choose_up, height_warning, posture_warning, turn_to_y

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """The body that will show the clip, and how fast it plays."""

    betas: Array  # (10,)
    rest: Array  # (24, 3) metres, with that shape
    source_pelvis: Array  # (3,) metres, from which the file's `transl` is counted
    fps: float


def assemble(fields: Fields, reader: Reader, clip: Clip, ask: Ask, rest_joints: RestJoints | None) -> SMPLMotion:
    """The clip turned to Y up, with its rate, on the body with the shape that it is shown with. Raises MotionError."""
    betas = clip.betas if ask.betas is None else checked_shape(ask.betas)
    rate = frame_rate(fields, ask.fps, reader)
    rest, source_pelvis = rest_joints_of(rest_joints, betas), pelvis_of_transl(rest_joints, betas)
    shown = _Shown(betas, rest, source_pelvis, rate.fps)
    if isinstance(clip.body, Rotations):
        motion, upright = _turned(clip.body, shown, reader, ask, fields.name)
    else:
        motion, upright = _fitted(clip.body, shown, reader, ask, fields.name)
    notes = (rate.note, upright.said, *clip.notes, *motion.notes, _unread(fields, reader))
    motion = replace(motion, root=motion.root + [0.0, upright.lift_m, 0.0])
    joints = motion_joints(motion, rest)
    warnings = (rate.warning, posture_warning(joints), height_warning(joints), *clip.warnings)
    return replace(
        motion,
        text=clip.text,
        notes=tuple(filter(None, notes)),
        warnings=tuple(filter(None, warnings)),
    )


def _turned(body: Rotations, shown: _Shown, reader: Reader, ask: Ask, name: str) -> tuple[SMPLMotion, Upright]:
    """Rotations in the file's axes, turned to Y up.

    SMPL turns the body about its pelvis joint: v = R (v0 - J0) + J0 + t. With C the turn to Y up and p = J0 + t the
    pelvis, C v = (C R)(v0 - J0) + C p, so that the root, counted from the shown body's J0, is C p - J0.
    """
    pelvis = body.place
    if body.place_is == "transl":
        pelvis = pelvis + shown.source_pelvis + (SMPLX_PELVIS_OFFSET if body.model == "smplx" else 0.0)
    matrices = axis_angle_to_matrix(body.poses)
    joints = joint_positions(global_rotations(matrices), bone_offsets(shown.rest), pelvis)
    upright = choose_up(joints, ask.up, reader.up, reader.name)
    turn = turn_to_y(upright.axis)
    poses = body.poses.copy()
    if upright.axis != "y":
        poses[:, 0] = matrix_to_axis_angle(turn @ matrices[:, 0])
    root = pelvis @ turn.T - shown.rest[0]
    return SMPLMotion(poses, root, shown.betas, shown.fps, source=name, twist_known=True), upright


def _fitted(body: Positions, shown: _Shown, reader: Reader, ask: Ask, name: str) -> tuple[SMPLMotion, Upright]:
    """Positions in the file's axes, turned to Y up and fitted."""
    joints = body.joints
    upright = choose_up(joints * scale_to(shown.rest, joints, name), ask.up, reader.up, reader.name)
    fit = fit_positions(joints @ turn_to_y(upright.axis).T, shown.rest, name=name)
    said = (
        f"Fitted to joint positions scaled by {fit.scale:.3f}: mean joint distance {fit.residual_cm:.2f} cm, "
        f"feet {fit.feet_cm:.2f} cm; the twist of straight limbs, head and hands is a guess."
    )
    motion = SMPLMotion(
        fit.poses, fit.root, shown.betas, shown.fps, source=name, twist_known=False, notes=(said,),
        residual_cm=fit.residual_cm, feet_residual_cm=fit.feet_cm,
    )  # fmt: skip
    return motion, upright


def _unread(fields: Fields, reader: Reader) -> str:
    """One sentence about the entries that no reader uses; empty if there are none."""
    known = {*reader.entries, *reader.needless, *reader.rate_keys, *reader.marks, *RATE_KEYS, *SHAPE_KEYS}
    keys = [key for key in (*fields.entries, *fields.unopened) if key not in known]
    if not keys:
        return ""
    more = f" and {len(keys) - 6} more" if len(keys) > 6 else ""
    return f"Ignored entries: {', '.join(map(repr, keys[:6]))}{more}."
