"""From what a reader found to the one motion that the project knows: axes, rate, shape, fit, and what to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ..rotations import axis_angle_to_matrix, matrix_to_axis_angle
from .bone_turns import pose_of_bones
from .filmed import camera_track
from .fitting import fit_positions, scale_to
from .model import SMPLMotion
from .quality import motion_joints
from .reading.assumptions import Assumptions, Source
from .reading.clip import Ask, Bones, Clip, Positions, Reader, Rotations, Skeletal
from .reading.fields import Fields
from .reading.rates import RATE_KEYS, Rate, frame_rate
from .reading.shape import SHAPE_KEYS, checked_shape
from .rest import SMPLX_PELVIS_OFFSET, RestJoints, pelvis_of_transl, rest_joints_of
from .retarget.solve import retarget
from .skeleton import BODY_JOINT_COUNT, bone_offsets, global_rotations, joint_positions
from .up_axis import Up, Upright, choose_up, height_warning, posture_warning, turn_to_y

Array = npt.NDArray[np.float64]

FITTED: Final = "Fitted to joint positions"  # how the note about a fit begins

_BALL_M = 0.02  # a foot's ball above the sole


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A clip, and the body that will show it."""

    clip: Clip
    betas: Array  # (10,)
    rest: Array  # (24, 3) metres, with that shape
    source_pelvis: Array  # (3,) metres, from which the file's `transl` is counted
    unit_m: float
    scale: float  # what positions are multiplied by, so that they have the body's size

    def pelvis(self, body: Rotations) -> Array:  # (frames, 3) metres, in the file's axes
        """The pelvis joint's places."""
        place = body.place * self.unit_m
        if body.place_is == "transl":
            place = place + self.source_pelvis + (SMPLX_PELVIS_OFFSET if body.model == "smplx" else 0.0)
        if body.carried is None:
            return np.asarray(place)
        turn, move = body.carried
        return np.asarray(np.einsum("fij,fj->fi", turn, place) + move * self.unit_m)

    def poses(self, body: Rotations) -> Array:  # (frames, 24, 3) axis-angle, in the clip's axes
        """The joints' rotations."""
        if body.carried is None:
            return body.poses
        poses = body.poses.copy()
        poses[:, 0] = matrix_to_axis_angle(body.carried[0] @ axis_angle_to_matrix(body.poses[:, 0]))
        return poses

    def joints(self) -> Array:  # (frames, 22 or 24, 3) metres, in the file's axes
        """The joints' places, from which it is told which way is up."""
        body = self.clip.body
        if not isinstance(body, Rotations):
            return np.asarray(body.joints * self.scale)
        world = global_rotations(axis_angle_to_matrix(self.poses(body)))
        return joint_positions(world, bone_offsets(self.rest), self.pelvis(body))


def assemble(
    fields: Fields, reader: Reader, clips: Sequence[Clip], ask: Ask, rest_joints: RestJoints | None
) -> tuple[SMPLMotion, ...]:
    """The people of one take, a clip each, turned to Y up, with their rate, each on the body that shows it.

    All are turned and lifted alike, so that they keep their places to each other. Raises MotionError.
    """
    rate = frame_rate(fields, ask, reader)
    shown = [_shown(clip, reader, ask, rest_joints, fields.name) for clip in clips]
    joints = np.concatenate([one.joints()[:, :BODY_JOINT_COUNT] for one in shown])
    usual = clips[0].up or reader.up
    upright = choose_up(joints, ask.up, usual, reader.name)
    if clips[0].on_floor:
        upright = _on_floor(upright, joints)
    apart = float(np.mean([one.scale for one in shown]))
    read_so = _assumptions(reader, ask, rate, upright, usual)
    unit = f"Unit: {ask.unit_m:g} m, as set." if read_so.unit_from == "user" else ""
    said = (rate.note, upright.said, unit)
    read_so = replace(read_so, said=tuple(filter(None, said)))
    return tuple(
        _told(
            replace(_motion(one, upright, rate.fps, apart, fields.name), assumptions=read_so),
            one,
            rate,
            (*said, _unread(fields, reader)),
        )
        for one in shown
    )


def _assumptions(reader: Reader, ask: Ask, rate: Rate, upright: Upright, usual: Up) -> Assumptions:
    up_from: Source = "user" if ask.up != "auto" else "format" if upright.axis == usual else "content"
    said = ask.unit_m is not None and reader.unit_m is not None
    unit_m = ask.unit_m if said else reader.unit_m
    return Assumptions(reader.name, rate.fps, rate.source, upright.axis, up_from, unit_m, "user" if said else "format")


def _on_floor(upright: Upright, joints: Array) -> Upright:  # (frames, joints, 3) metres, in the file's axes
    """The same, lifted so that the lowest joint of the clip is as high above the floor as a foot's ball."""
    lift = _BALL_M - float((joints @ turn_to_y(upright.axis)[1]).min())
    moved = f"moved by {lift:+.2f} m, so that the lowest foot stands on the floor"
    said = f"{upright.said} The file has no floor height: {moved}."
    return replace(upright, lift_m=lift, said=said)


def _shown(clip: Clip, reader: Reader, ask: Ask, rest_joints: RestJoints | None, name: str) -> _Shown:
    betas = clip.betas if ask.betas is None else checked_shape(ask.betas)
    rest = rest_joints_of(rest_joints, betas)
    scale = scale_to(rest, clip.body.joints, name) if not isinstance(clip.body, Rotations) else 1.0
    unit_m = 1.0 if reader.unit_m is None else reader.unit_m if ask.unit_m is None else ask.unit_m
    return _Shown(clip, betas, rest, pelvis_of_transl(rest_joints, betas), unit_m, scale)


def _motion(shown: _Shown, upright: Upright, fps: float, apart: float, name: str) -> SMPLMotion:
    body = shown.clip.body
    if isinstance(body, Rotations):
        motion = _turned(body, shown, upright, fps, name)
    elif isinstance(body, Positions):
        motion = _fitted(body, shown, upright, fps, apart, name)
    elif isinstance(body, Bones):
        motion = _posed(body, shown, upright, fps, apart, name)
    else:
        motion = _retargeted(body, shown, upright, fps, apart)
    lift = np.array([0.0, upright.lift_m, 0.0])
    return replace(
        motion,
        root=motion.root + lift,
        fitted_to=None if motion.fitted_to is None else motion.fitted_to + lift,
        first_frame=shown.clip.first_frame,
        camera=camera_track(shown.clip, upright, shown.pelvis, shown.scale * shown.unit_m),
    )


def _told(motion: SMPLMotion, shown: _Shown, rate: Rate, said: tuple[str, ...]) -> SMPLMotion:
    """The motion with its text, what was assumed, and what a user must look at."""
    clip = shown.clip
    joints = motion_joints(motion, shown.rest)
    notes = (*said[:-1], *clip.notes, *motion.notes, said[-1])
    warnings = (rate.warning, posture_warning(joints), height_warning(joints), *clip.warnings, *motion.warnings)
    return replace(
        motion, text=clip.text, notes=tuple(filter(None, notes)), warnings=tuple(filter(None, warnings))
    )  # fmt: skip


def _turned(body: Rotations, shown: _Shown, upright: Upright, fps: float, name: str) -> SMPLMotion:
    """Rotations in the file's axes, turned to Y up.

    SMPL turns the body about its pelvis joint: v = R (v0 - J0) + J0 + t. With C the turn to Y up and p = J0 + t the
    pelvis, C v = (C R)(v0 - J0) + C p, so that the root, counted from the shown body's J0, is C p - J0.
    """
    turn = turn_to_y(upright.axis)
    poses = shown.poses(body).copy()
    if upright.axis != "y":
        poses[:, 0] = matrix_to_axis_angle(turn @ axis_angle_to_matrix(poses[:, 0]))
    root = shown.pelvis(body) @ turn.T - shown.rest[0]
    return SMPLMotion(poses, root, shown.betas, fps, source=name, twist_known=body.twist_known)


def _posed(body: Bones, shown: _Shown, upright: Upright, fps: float, apart: float, name: str) -> SMPLMotion:
    """Another skeleton's bones in the file's axes, turned to Y up and shown by the body's."""
    turn = turn_to_y(upright.axis)
    joints = body.joints @ turn.T
    pose = pose_of_bones(turn @ body.turns, joints, shown.rest, shown.scale, same_rest=body.same_rest)
    said = (
        f"Bone rotations were taken over with their twist; positions were scaled by {shown.scale:.3f} to the body's "
        f"legs, and its feet are {pose.feet_cm:.2f} cm from the file's."
    )
    root = pose.root + _aside(joints, shown, apart)
    return SMPLMotion(pose.poses, root, shown.betas, fps, source=name, twist_known=True, notes=(said,))


def _retargeted(body: Skeletal, shown: _Shown, upright: Upright, fps: float, apart: float) -> SMPLMotion:
    """Another skeleton in the file's axes, turned to Y up and shown by the body."""
    turn, source = turn_to_y(upright.axis), body.motion
    turned = replace(source, rotations=turn @ source.rotations, heads=source.heads @ turn.T, fps=fps)
    found = retarget(turned, body.bone_map, shown.rest, betas=shown.betas)
    return replace(found.motion, root=found.motion.root + _aside(body.joints @ turn.T, shown, apart))


def _fitted(body: Positions, shown: _Shown, upright: Upright, fps: float, apart: float, name: str) -> SMPLMotion:
    """Positions in the file's axes, turned to Y up and fitted."""
    turned = body.joints @ turn_to_y(upright.axis).T
    fit = fit_positions(turned, shown.rest, name=name)
    said = (
        f"{FITTED} scaled by {fit.scale:.3f}: mean joint distance {fit.residual_cm:.2f} cm, "
        f"feet {fit.feet_cm:.2f} cm; the twist of straight limbs, head and hands is a guess."
    )
    moved = _aside(turned, shown, apart)
    return SMPLMotion(
        fit.poses, fit.root + moved, shown.betas, fps, source=name, twist_known=False, notes=(said,),
        residual_cm=fit.residual_cm, feet_residual_cm=fit.feet_cm, fitted_to=turned * fit.scale + moved,
    )  # fmt: skip


def _aside(joints: Array, shown: _Shown, apart: float) -> Array:  # joints (frames, 22 or 24, 3), Y up
    """How far (3,) metres a person is moved so that people stay as far apart as their bodies are large.

    Each is scaled to its own body, so that feet stay planted; the middle of its path is scaled by `apart`, the mean
    over all people.
    """
    return np.asarray((apart - shown.scale) * joints[:, 0].mean(axis=0) * [1.0, 0.0, 1.0])


def _unread(fields: Fields, reader: Reader) -> str:
    """One sentence about the entries that no reader uses; empty if there are none."""
    known = {*reader.entries, *reader.needless, *reader.rate_keys, *reader.marks, *RATE_KEYS, *SHAPE_KEYS}
    keys = [key for key in (*fields.entries, *fields.unopened) if key not in known]
    if not keys or reader.keyed:
        return ""
    more = f" and {len(keys) - 6} more" if len(keys) > 6 else ""
    return f"Ignored entries: {', '.join(map(repr, keys[:6]))}{more}."
