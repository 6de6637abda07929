"""Frames of a character's motion that a model made, as a layer that can be taken off.

A later repair may go over such a layer. What is below it cannot be changed while it is there: it has the numbers of
that time in the frames that stay.
"""

from __future__ import annotations

from typing import Any

from ... import compat
from ...scene_time import Steps, scene_fps
from ...shared.motion import SMPLMotion, resample
from ...shared.motion.filling import Gap, filled, with_upper_body
from ..read_motion import reading_steps
from .layers import FILL, motion_span, motion_strip, repair_tracks
from .repair_layer import edit_rotations, layer_over, level_below, put_on

LABEL = "Filled"


def fills_of(armature: Any) -> list[str]:
    """The names of a character's fills, from below."""
    return [name for name in repair_tracks(armature) if name.startswith(FILL)]


def edit_keys(armature: Any) -> list[int]:
    """The frames at which the edit layer has keys, in their order."""
    if motion_strip(armature) is None:
        return []
    curves = compat.fcurves_played_by(armature.animation_data)
    return sorted({round(point.co.x) for curve in curves for point in curve.keyframe_points})


def fill_steps(scene: Any, armature: Any, made: SMPLMotion, gap: Gap | None) -> Steps[None]:
    """Put a motion's frames on as a layer: those of the gap, or the upper body where there is none.

    The scene is stepped through once; its current frame is put back.
    """
    frames = motion_span(scene, armature)
    seen = yield from reading_steps(scene, armature, tuple(frames))
    made = resample(made, scene_fps(scene))
    wanted = with_upper_body(seen, made) if gap is None else filled(seen, made, gap)
    below = level_below(armature, frames, list(repair_tracks(armature)))
    layer = layer_over(below, edit_rotations(armature, frames), _free_name(armature), LABEL, seen, wanted)
    put_on(scene, armature, frames[0], [layer])


def _free_name(armature: Any) -> str:
    taken = fills_of(armature)
    return next(name for number in range(1, len(taken) + 2) if (name := f"{FILL} {number}") not in taken)
