"""An edit layer: a few ordinary keys that bend a character's dense ones smoothly, by Blender's NLA.

A new, empty action is the active one and is combined with what is below it (`layers`). Blender keys a bone into the
active action as the difference from what is below, so that a key without a change is no change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import bpy
import numpy as np

from ... import compat
from ..keyframes import write_keys
from .layers import (
    has_edit,
    has_other_strips,
    motion_strip,
    players,
    push_down,
    remove_unused,
    repair_tracks,
    span,
    take_up,
)
from .repair_layer import take_tracks_off

_WHOLE = ("rotation_quaternion", "rotation_axis_angle")  # their numbers mean something together only


def why_no_layer(armature: Any) -> str:
    """Why a character cannot be given an edit layer; empty if it can."""
    name, animation = armature.name, armature.animation_data
    if armature.library is not None:
        return f"{name!r} is linked from another file"
    if has_edit(armature):
        return f"{name!r} has an edit layer: bake or remove it first"
    if not repair_tracks(armature):
        if animation is None or animation.action is None or not compat.fcurves_played_by(animation):
            return f"{name!r} has no keys"
    if animation.use_tweak_mode or has_other_strips(armature):
        return f"{name!r} has strips in the NLA editor: add a layer there"
    return ""


def why_no_removal(armature: Any) -> str:
    """Why a character's edit layer cannot be removed; empty if it can."""
    if armature.library is not None:
        return f"{armature.name!r} is linked from another file"
    if not has_edit(armature):
        return f"{armature.name!r} has no edit layer"
    return _why_tweaked(armature)


def why_no_bake(armature: Any) -> str:
    """Why a character's layers cannot be baked; empty if they can."""
    if armature.library is None and repair_tracks(armature):
        return _why_tweaked(armature)
    return why_no_removal(armature)


def add_layer(scene: Any, armature: Any) -> None:
    """Put an empty edit layer over the character's motion and its repairs; `why_no_layer` must be empty."""
    if motion_strip(armature) is None:
        push_down(scene, armature)
    compat.new_fcurves(armature, f"{armature.name} edit")


def remove_layer(armature: Any) -> None:
    """Take the edit layer away, with all that was put over it in the NLA; what is below it is what it was before."""
    repairs = repair_tracks(armature)
    if not repairs:
        take_up(armature)
        return
    animation, strip = armature.animation_data, motion_strip(armature)
    own = [strip, *(track.strips[0] for track in repairs.values())]
    edits = {one.action for one in players(armature) if one not in own and one.action is not None}
    for track in [one for one in animation.nla_tracks if one.strips and one.strips[0] not in own]:
        animation.nla_tracks.remove(track)
    animation.action = None
    remove_unused(edits - {one.action for one in own})


def replace_motion(armature: Any, write: Callable[[], None]) -> None:
    """Have `write` give the armature a new action for its motion; an edit layer stays over it.

    Repairs of the earlier motion are taken off. The earlier action goes where nothing else uses it.
    """
    take_tracks_off(armature, tuple(repair_tracks(armature)))
    animation, strip = armature.animation_data_create(), motion_strip(armature)
    player = animation if strip is None else strip
    earlier, edit, slot = player.action, animation.action, compat.slot_played_by(animation)
    animation.action = None
    write()
    if strip is not None:
        action, own = animation.action, compat.slot_played_by(animation)
        ends = np.array([curve.range() for curve in compat.fcurves_played_by(animation)])
        first, last = math.floor(ends.min()), math.ceil(ends.max())
        compat.play(strip, action, own)
        strip.action_frame_start, strip.action_frame_end = first, max(last, first + 1)
        strip.frame_start, strip.frame_end = first, max(last, first + 1)
        compat.play(animation, edit, slot)
    if earlier is not None and not earlier.users:
        bpy.data.actions.remove(earlier)


def bake_layer(scene: Any, armature: Any) -> None:
    """Write what motion, repairs and edit layer give into the motion's action, a key a frame, and remove the layers.

    Channels that no layer touches keep their keys. The scene is stepped through once; its current frame is put
    back.
    """
    strip = motion_strip(armature)
    below = compat.fcurves_played_by(strip)
    edits = [curve for one in players(armature) if one != strip for curve in compat.fcurves_played_by(one)]
    first, last = span(scene, below) if not edits else span(scene, (*below, *edits))
    frames = range(first, last + 1)
    values = _values(scene, armature, _channels(armature, edits), frames)
    take_up(armature)
    animation = armature.animation_data
    _make_own(animation)
    present = {(curve.data_path, curve.array_index): curve for curve in compat.fcurves_played_by(animation)}
    for (path, index), column in values.items():
        curve = present.get((path, index)) or compat.new_fcurve_played_by(animation, path, index, _group(path))
        for modifier in list(curve.modifiers):
            curve.modifiers.remove(modifier)
        curve.extrapolation = "CONSTANT"
        write_keys(curve, np.asarray(frames, np.float32), np.asarray(column))


def _why_tweaked(armature: Any) -> str:
    return "Leave the NLA editor's Tweak Mode first" if armature.animation_data.use_tweak_mode else ""


def _channels(armature: Any, curves: Iterable[Any]) -> dict[str, tuple[int, ...]]:
    """The numbers of each property that curves animate, -1 for one that is a single number."""
    found: dict[str, set[int]] = {}
    for curve in curves:
        try:
            value = armature.path_resolve(curve.data_path)
        except ValueError:  # of a bone that is not there any more: it moves nothing
            continue
        numbers = {-1} if not hasattr(value, "__len__") else {curve.array_index}
        whole = curve.data_path.endswith(_WHOLE)
        found.setdefault(curve.data_path, set()).update(range(4) if whole else numbers)
    return {path: tuple(sorted(numbers)) for path, numbers in found.items()}


def _values(
    scene: Any, armature: Any, channels: dict[str, tuple[int, ...]], frames: range
) -> dict[tuple[str, int], list[float]]:
    """The values that the character shows in the frames, by property and number."""
    shown: dict[tuple[str, int], list[float]] = {
        (path, max(index, 0)): [] for path, numbers in channels.items() for index in numbers
    }
    current = scene.frame_current
    try:
        for frame in frames:
            scene.frame_set(frame)
            evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
            for path, numbers in channels.items():
                value = evaluated.path_resolve(path)
                for index in numbers:
                    shown[path, max(index, 0)].append(float(value if index < 0 else value[index]))
    finally:
        scene.frame_set(current)
    return shown


def _make_own(animation: Any) -> None:
    """Give the character a copy of its action where others use it as well, or it comes from another file."""
    action, slot = animation.action, compat.slot_played_by(animation)
    if action.library is None and action.users - action.use_fake_user <= 1:
        return
    handle = None if slot is None else slot.handle
    copy = action.copy()
    compat.play(animation, copy, next((one for one in getattr(copy, "slots", ()) if one.handle == handle), None))


def _group(path: str) -> str:
    """The channel group of a property: its bone's name."""
    return path.split('"')[1] if path.startswith('pose.bones["') else path
