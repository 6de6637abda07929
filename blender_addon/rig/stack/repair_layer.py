"""A repair as a layer: its result, a key a frame, on a track of its own that can be taken off.

It replaces what is below it in the channels that it changes. (A difference would do, but Blender combines rotations by
an arc cosine in single precision, which makes small ones tremble by half a thousandth of a radian.) Where a repair
changes nothing, its keys have the very numbers of what is below.

The repair is made of what is seen, an edit layer above it included. With b the rotation of a bone below the edit layer,
e that of the edit layer and c the repair's change of what is seen, the layer is b e c e^-1: with the edit over it, what
is seen is what the repair wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ... import compat
from ...shared.motion import SMPLMotion
from ...shared.rotations import axis_angle_to_matrix, matrix_to_quaternion, quaternion_to_matrix
from ..joints import joint_bones
from ..keyframes import settled, write_keys
from .layers import (
    REPAIR,
    clip_range,
    has_other_strips,
    motion_strip,
    new_strip,
    push_down,
    remove_unused,
    repair_tracks,
    take_up,
)

_UNTURNED = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Level:
    """The channels of the joints at some height of the stack, as Blender has them."""

    quaternions: NDArray[np.float32]  # (frames, 24, 4)
    places: NDArray[np.float32]  # (frames, 3) metres, of the pelvis


@dataclass(frozen=True, slots=True)
class RepairLayer:
    """A repair's channels, and those of them that it changes in some frame."""

    name: str
    label: str
    level: Level
    turned: NDArray[np.bool_]  # (24,)
    moved: bool


def why_no_repair(armature: Any) -> str:
    """Why a character's motion cannot be repaired; empty if it can."""
    name, animation = armature.name, armature.animation_data
    if armature.library is not None:
        return f"{name!r} is linked from another file"
    if animation is None or clip_range(armature) is None:
        return f"{name!r} has no keys"
    if animation.use_tweak_mode:
        return "Leave the NLA editor's Tweak Mode first"
    if has_other_strips(armature):
        return f"{name!r} has strips in the NLA editor: bake its action first"
    for bone in (armature.pose.bones[joint] for joint in joint_bones(armature)):
        if bone.rotation_mode != "QUATERNION":
            return f"{bone.name!r} does not rotate by quaternions: change its rotation mode"
        if any(not one.mute for one in bone.constraints):
            return f"{bone.name!r} has a constraint: bake its action first"
    return ""


def why_no_repair_removed(armature: Any, name: str) -> str:
    """Why a repair cannot be removed; empty if it can."""
    if armature.library is not None:
        return f"{armature.name!r} is linked from another file"
    if name not in repair_tracks(armature):
        return f"{armature.name!r} has no such repair"
    return "Leave the NLA editor's Tweak Mode first" if armature.animation_data.use_tweak_mode else ""


def level_below(armature: Any, frames: range, repairs: Sequence[str]) -> Level:
    """What the motion with these of its repairs gives in the frames, without the edit layer."""
    strip, tracks = motion_strip(armature), repair_tracks(armature)
    players = [armature.animation_data if strip is None else strip, *(tracks[name].strips[0] for name in repairs)]
    curves = {
        (one.data_path, one.array_index): one
        for player in players
        for one in compat.fcurves_played_by(player)
        if not one.mute
    }
    bones = joint_bones(armature)
    quaternions = np.stack([_values(armature, curves, bone, "rotation_quaternion", frames) for bone in bones], axis=1)
    return Level(quaternions, _values(armature, curves, bones[0], "location", frames))


def layer_over(
    below: Level, edit: NDArray[np.float64], name: str, label: str, seen: SMPLMotion, wanted: SMPLMotion
) -> RepairLayer:  # edit (frames, 24, 4) from `edit_rotations`
    """The layer that turns what is seen, with the edit layer over `below`, into what is wanted."""
    before, after, over = (
        axis_angle_to_matrix(seen.poses),
        axis_angle_to_matrix(wanted.poses),
        quaternion_to_matrix(edit),
    )
    change = over @ np.swapaxes(before, -1, -2) @ after @ np.swapaxes(over, -1, -2)
    turned = matrix_to_quaternion(quaternion_to_matrix(below.quaternions) @ change)
    turned *= np.where((turned * below.quaternions).sum(axis=-1, keepdims=True) < 0.0, -1.0, 1.0)
    same = (seen.poses == wanted.poses).all(axis=-1)[..., None]
    moves = wanted.root - seen.root
    places = np.where(moves == 0.0, below.places, below.places + moves).astype(np.float32)
    level = Level(np.where(same, below.quaternions, settled(turned)), places)
    return RepairLayer(name, label, level, (level.quaternions != below.quaternions).any(axis=(0, 2)), bool(moves.any()))


def edit_rotations(armature: Any, frames: range) -> NDArray[np.float64]:
    """The rotations (frames, 24, 4) of the joints by the edit layer; none where it has no keys."""
    turned = np.tile(np.array(_UNTURNED), (len(frames), 24, 1))
    if motion_strip(armature) is None:
        return turned
    curves = {(one.data_path, one.array_index): one for one in compat.fcurves_played_by(armature.animation_data)}
    for joint, bone in enumerate(joint_bones(armature)):
        for axis in range(4):
            curve = curves.get((_path(bone, "rotation_quaternion"), axis))
            if curve is not None and not curve.mute:
                turned[:, joint, axis] = [curve.evaluate(frame) for frame in frames]
    return turned


def put_on(
    scene: Any, armature: Any, first: int, layers: Sequence[RepairLayer], *, instead_of: Sequence[str] = ()
) -> None:
    """Put repairs over the motion and the repairs that are there, in this order, below the edit layer."""
    for name in instead_of:
        _remove_track(armature, name)
    if motion_strip(armature) is None:
        push_down(scene, armature)
    for layer in layers:
        frames = np.arange(first, first + len(layer.level.places), dtype=np.float32)
        action, slot = _new_action(armature, frames, layer)
        new_strip(armature, f"{REPAIR}{layer.name}", action, slot, (first, int(frames[-1])))


def take_tracks_off(armature: Any, names: Sequence[str]) -> None:
    """Take repairs off. Without layers left the motion is the active action again, as it was before."""
    for name in names:
        _remove_track(armature, name)
    if motion_strip(armature) and not repair_tracks(armature) and armature.animation_data.action is None:
        take_up(armature)


def _remove_track(armature: Any, name: str) -> None:
    track = repair_tracks(armature)[name]
    action = track.strips[0].action
    armature.animation_data.nla_tracks.remove(track)
    remove_unused([action])


def _new_action(armature: Any, frames: NDArray[np.float32], layer: RepairLayer) -> tuple[Any, Any]:
    """An action with the layer's keys, and its slot. The one that is played stays."""
    animation = armature.animation_data
    played = animation.action, compat.slot_played_by(animation)
    curves = compat.new_fcurves(armature, f"{armature.name} {layer.label}")
    bones = joint_bones(armature)
    for joint in np.flatnonzero(layer.turned):
        for axis in range(4):
            curve = compat.new_fcurve(curves, _path(bones[joint], "rotation_quaternion"), axis, bones[joint])
            write_keys(curve, frames, layer.level.quaternions[:, joint, axis])
    for axis in range(3) if layer.moved else ():
        curve = compat.new_fcurve(curves, _path(bones[0], "location"), axis, bones[0])
        write_keys(curve, frames, layer.level.places[:, axis])
    made = animation.action, compat.slot_played_by(animation)
    compat.play(animation, *played)
    return made


def _values(
    armature: Any, curves: dict[tuple[str, int], Any], bone: str, channel: str, frames: range
) -> NDArray[np.float32]:
    """The values (frames, numbers) of a channel; those without keys are as they stand."""
    standing = getattr(armature.pose.bones[bone], channel)
    columns = []
    for axis, value in enumerate(standing):
        curve = curves.get((_path(bone, channel), axis))
        columns.append([value] * len(frames) if curve is None else [curve.evaluate(frame) for frame in frames])
    return np.array(columns, np.float32).T


def _path(bone: str, channel: str) -> str:
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"].{channel}'
