"""The layers of a character's motion in the NLA, from below: the motion, the repairs, the animator's edit layer.

The motion is a strip of the track TRACK, each repair a strip on a track of its own, the edit layer the active action.
A repair replaces the channels that it changes; the edit layer is combined with what is below it: locations add up,
rotations follow one another.
Without layers the motion is the active action, and there is no track.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import bpy

from ... import compat

TRACK = "LatentMan Motion"
REPAIR = "LatentMan Repair: "  # how the names of the repairs' tracks begin
FILL = "fill"  # how the names of filled frames begin, which lie among the repairs (`fill_layer`)


def motion_strip(armature: Any) -> Any:
    """The strip that plays the motion below the layers; None if there is no layer."""
    animation = armature.animation_data
    track = None if animation is None else animation.nla_tracks.get(TRACK)
    strips: Any = () if track is None else track.strips
    return strips[0] if len(strips) == 1 and strips[0].action is not None else None


def repair_tracks(armature: Any) -> dict[str, Any]:
    """The tracks of the repairs by their names, from below; each has one strip."""
    if motion_strip(armature) is None:
        return {}
    tracks = armature.animation_data.nla_tracks
    return {
        track.name.removeprefix(REPAIR): track
        for track in tracks
        if track.name.startswith(REPAIR) and len(track.strips) == 1 and track.strips[0].action is not None
    }


def has_edit(armature: Any) -> bool:
    """Whether there is a layer for the animator's own keys."""
    if motion_strip(armature) is None:
        return False
    return armature.animation_data.action is not None or not repair_tracks(armature)


def has_other_strips(armature: Any) -> bool:
    """Whether the NLA has strips that are no layers of ours."""
    own = [] if motion_strip(armature) is None else [TRACK, *(REPAIR + name for name in repair_tracks(armature))]
    return any(track.strips for track in armature.animation_data.nla_tracks if track.name not in own)


def clip_range(armature: Any) -> tuple[int, int] | None:
    """The first and the last frame of a character's own motion, layers left out; None if nothing is keyed."""
    animation, strip = armature.animation_data, motion_strip(armature)
    if animation is None:
        return None
    ends = [curve.range() for curve in compat.fcurves_played_by(animation if strip is None else strip)]
    if strip is None:
        ends += [(one.frame_start, one.frame_end) for track in animation.nla_tracks for one in track.strips]
    if not ends:
        return None
    return math.floor(min(first for first, _ in ends)), math.ceil(max(last for _, last in ends))


def keyed_layers(owner: Any) -> tuple[tuple[Any, ...], ...]:
    """The F-curves that say together how something moves: those of the motion, where repairs have replaced them theirs,
    then those of an edit layer.

    Empty if nothing is keyed, or where other strips in the NLA have a say.
    """
    animation = owner.animation_data
    if animation is None:
        return ()
    above = (compat.fcurves_played_by(animation),) if animation.action is not None else ()
    tracks = [track for track in animation.nla_tracks if not track.mute]
    if not tracks:
        return above
    repairs = repair_tracks(owner)
    own = motion_strip(owner) is not None and tracks[0].name == TRACK
    if not own or any(track.name.removeprefix(REPAIR) not in repairs for track in tracks[1:]):
        return ()
    shown = {}
    for track in tracks:
        shown.update({(one.data_path, one.array_index): one for one in compat.fcurves_played_by(track.strips[0])})
    return (tuple(shown.values()), *above)


def motion_span(scene: Any, armature: Any) -> range:
    """The frames outside of which the motion, layers left out, does not move; it must have keys."""
    strip = motion_strip(armature)
    first, last = span(scene, compat.fcurves_played_by(armature.animation_data if strip is None else strip))
    return range(first, last + 1)


def push_down(scene: Any, armature: Any) -> None:
    """Make the active action the motion below the layers. What is keyed from now on is combined with it."""
    animation = armature.animation_data
    action, slot = animation.action, compat.slot_played_by(animation)
    frames = span(scene, compat.fcurves_played_by(animation))
    animation.action = None
    new_strip(armature, TRACK, action, slot, frames)
    animation.action_blend_type, animation.action_extrapolation = "COMBINE", "HOLD"


def new_strip(armature: Any, name: str, action: Any, slot: Any, frames: tuple[int, int]) -> None:
    """A strip on a new track above the others. A frame of the scene is the same frame of the action in it."""
    first, last = frames
    track = armature.animation_data.nla_tracks.new()
    track.name = name
    strip = track.strips.new(action.name, first, action)
    compat.play(strip, action, slot)
    # Whatever other slots the action has.
    strip.action_frame_start, strip.action_frame_end = first, max(last, first + 1)
    strip.frame_start, strip.frame_end = first, max(last, first + 1)
    strip.extrapolation = "HOLD"


def take_up(armature: Any) -> None:
    """Take all layers away, with all that was put over them in the NLA: the motion is the active action again."""
    animation, strip = armature.animation_data, motion_strip(armature)
    action, slot = strip.action, compat.slot_played_by(strip)
    others = {one.action for one in players(armature) if one.action not in (None, action)}
    for track in list(animation.nla_tracks):
        animation.nla_tracks.remove(track)
    animation.action_blend_type = "REPLACE"
    compat.play(animation, action, slot)
    remove_unused(others)


def remove_unused(actions: Iterable[Any]) -> None:
    """Remove actions that nothing else plays."""
    for action in actions:
        if not action.users:
            bpy.data.actions.remove(action)


def players(armature: Any) -> list[Any]:
    """What plays an action: the animation data itself, and the strips of the NLA."""
    animation = armature.animation_data
    return [animation, *(strip for track in animation.nla_tracks for strip in track.strips)]


def span(scene: Any, curves: Iterable[Any]) -> tuple[int, int]:
    """The frames outside of which nothing moves; the scene's as well where a curve goes on beyond its keys."""
    curves = list(curves)
    ends = [curve.range() for curve in curves]
    first, last = math.floor(min(start for start, _ in ends)), math.ceil(max(end for _, end in ends))
    if any(curve.modifiers or curve.extrapolation != "CONSTANT" for curve in curves):
        return min(first, scene.frame_start), max(last, scene.frame_end)
    return first, last
