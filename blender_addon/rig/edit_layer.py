"""An edit layer: a few ordinary keys that bend a character's dense ones smoothly, by Blender's NLA.

The motion goes into a strip of the track TRACK. A new, empty action is the active one and is combined with what the
strip gives: locations add up, rotations follow one another. Blender keys a bone into the active action as the
difference from what is below, so that a key without a change is no change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import bpy
import numpy as np

from .. import compat
from .keyframes import write_keys

TRACK = "LatentMan Motion"

_WHOLE = ("rotation_quaternion", "rotation_axis_angle")  # their numbers mean something together only


def has_layer(armature: Any) -> bool:
    """Whether the character has an edit layer."""
    return _strip_below(armature) is not None


def clip_range(armature: Any) -> tuple[int, int] | None:
    """The first and the last frame of a character's own motion, edits left out; None if nothing is keyed."""
    animation, strip = armature.animation_data, _strip_below(armature)
    if animation is None:
        return None
    ends = [curve.range() for curve in compat.fcurves_played_by(animation if strip is None else strip)]
    if strip is None:
        ends += [(one.frame_start, one.frame_end) for track in animation.nla_tracks for one in track.strips]
    if not ends:
        return None
    return math.floor(min(first for first, _ in ends)), math.ceil(max(last for _, last in ends))


def keyed_layers(owner: Any) -> tuple[tuple[Any, ...], ...]:
    """The F-curves that say together how something moves, those of an edit layer behind those of the motion below it.

    Empty if nothing is keyed, or where other strips in the NLA have a say.
    """
    animation = owner.animation_data
    if animation is None or animation.action is None:
        return ()
    above = compat.fcurves_played_by(animation)
    tracks = [track for track in animation.nla_tracks if not track.mute]
    if not tracks:
        return (above,)
    strip = _strip_below(owner)
    alone = strip is not None and len(tracks) == 1 and tracks[0].name == TRACK
    return (compat.fcurves_played_by(strip), above) if alone else ()


def why_no_layer(armature: Any) -> str:
    """Why a character cannot be given an edit layer; empty if it can."""
    name, animation = armature.name, armature.animation_data
    if armature.library is not None:
        return f"{name!r} is linked from another file"
    if has_layer(armature):
        return f"{name!r} has an edit layer: bake or remove it first"
    if animation is None or animation.action is None or not compat.fcurves_played_by(animation):
        return f"{name!r} has no keys"
    if animation.use_tweak_mode or any(track.strips for track in animation.nla_tracks):
        return f"{name!r} has strips in the NLA editor: add a layer there"
    return ""


def why_no_bake(armature: Any) -> str:
    """Why a character's edit layer cannot be baked or removed; empty if it can."""
    if armature.library is not None:
        return f"{armature.name!r} is linked from another file"
    if not has_layer(armature):
        return f"{armature.name!r} has no edit layer"
    return "Leave the NLA editor's Tweak Mode first" if armature.animation_data.use_tweak_mode else ""


def add_layer(scene: Any, armature: Any) -> None:
    """Put an empty edit layer over the character's action; `why_no_layer` must be empty."""
    animation = armature.animation_data
    action, slot = animation.action, compat.slot_played_by(animation)
    first, last = _span(scene, compat.fcurves_played_by(animation))
    animation.action = None
    track = animation.nla_tracks.new()
    track.name = TRACK
    strip = track.strips.new(action.name, first, action)
    compat.play(strip, action, slot)
    # A frame of the scene is the same frame of the action, whatever other slots the action has.
    strip.action_frame_start, strip.action_frame_end = first, max(last, first + 1)
    strip.frame_start, strip.frame_end = first, max(last, first + 1)
    strip.extrapolation = "HOLD"
    compat.new_fcurves(armature, f"{armature.name} edit")
    animation.action_blend_type, animation.action_extrapolation = "COMBINE", "HOLD"


def remove_layer(armature: Any) -> None:
    """Take the edit layer away, with all that was put over it in the NLA; the motion is what it was before."""
    animation, strip = armature.animation_data, _strip_below(armature)
    action, slot = strip.action, compat.slot_played_by(strip)
    edits = {one.action for one in _players(armature) if one.action not in (None, action)}
    for track in list(animation.nla_tracks):
        animation.nla_tracks.remove(track)
    animation.action_blend_type = "REPLACE"
    compat.play(animation, action, slot)
    for edit in edits:
        if not edit.users:
            bpy.data.actions.remove(edit)


def replace_motion(armature: Any, write: Callable[[], None]) -> None:
    """Have `write` give the armature a new action for its motion; an edit layer stays over it.

    The earlier action goes where nothing else uses it.
    """
    animation, strip = armature.animation_data_create(), _strip_below(armature)
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
    """Write what the layer and the motion below give into the motion's action, a key a frame, and remove the layer.

    Channels that the layer does not touch keep their keys. The scene is stepped through once; its current frame is put
    back.
    """
    strip = _strip_below(armature)
    below = compat.fcurves_played_by(strip)
    edits = [curve for one in _players(armature) if one != strip for curve in compat.fcurves_played_by(one)]
    first, last = _span(scene, below) if not edits else _span(scene, (*below, *edits))
    frames = range(first, last + 1)
    values = _values(scene, armature, _channels(armature, edits), frames)
    remove_layer(armature)
    animation = armature.animation_data
    _make_own(animation)
    present = {(curve.data_path, curve.array_index): curve for curve in compat.fcurves_played_by(animation)}
    for (path, index), column in values.items():
        curve = present.get((path, index)) or compat.new_fcurve_played_by(animation, path, index, _group(path))
        for modifier in list(curve.modifiers):
            curve.modifiers.remove(modifier)
        curve.extrapolation = "CONSTANT"
        write_keys(curve, np.asarray(frames, np.float32), np.asarray(column))


def _strip_below(armature: Any) -> Any:
    """The strip that plays the motion below an edit layer; None if there is no layer."""
    animation = armature.animation_data
    track = None if animation is None else animation.nla_tracks.get(TRACK)
    strips: Any = () if track is None else track.strips
    return strips[0] if len(strips) == 1 and strips[0].action is not None else None


def _players(armature: Any) -> list[Any]:
    """What plays an action: the animation data itself, and the strips of the NLA."""
    animation = armature.animation_data
    return [animation, *(strip for track in animation.nla_tracks for strip in track.strips)]


def _span(scene: Any, curves: Iterable[Any]) -> tuple[int, int]:
    """The frames outside of which nothing moves; the scene's as well where a curve goes on beyond its keys."""
    curves = list(curves)
    ends = np.array([curve.range() for curve in curves])
    first, last = math.floor(ends.min()), math.ceil(ends.max())
    if any(curve.modifiers or curve.extrapolation != "CONSTANT" for curve in curves):
        return min(first, scene.frame_start), max(last, scene.frame_end)
    return first, last


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
