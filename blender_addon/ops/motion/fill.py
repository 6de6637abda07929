"""New frames of a character's motion, or a new upper body, by the motion model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ...client.motion_order import ChangedMotion, next_motion_file
from ...rig.character import characters, chosen_character, why_grey
from ...rig.motion_files import open_motion
from ...rig.read_motion import reading_steps, rest_joints
from ...rig.stack.fill_layer import edit_keys, fill_steps
from ...rig.stack.layers import motion_span
from ...rig.stack.repair_layer import why_no_repair
from ...scene.motion_text import motion_text_of
from ...scene.scene_job import keep_output, output_base
from ...scene_time import Steps, at_once
from ...shared.errors import InputError
from ...shared.motion import Ask, SMPLMotion, resample
from ...shared.motion.filling import Gap
from ...shared.motion.humanml.layout import HUMANML_FPS
from ...shared.motion.writers.amass import AMASS
from ...shared.motion.writers.table import write_motion
from ...shared.protocol.command_lines import Written
from ...shot.generation import chosen_backend
from ...shot.running import generation, push_undo
from ...typed_bpy import Outcome, registration_of
from ..base.frame_by_frame import FrameByFrame
from ..base.reporting import allow
from .motion_text import text_motion

_NO_KEYS = (
    "Key two poses in the edit layer and go to a frame between them, or set First and Last in Settings > Motion from "
    "Text."
)


class LATENTMAN_OT_fill_motion(FrameByFrame, bpy.types.Operator):
    """Make new frames between two keys of the edit layer, as a layer; the motion text says what happens there"""

    bl_idname = "latentman.fill_motion"
    bl_label = "Fill Between Keys"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if the chosen character's keys alone say how it moves, and there is something to fill."""
        if generation().making.running:
            return allow(cls, generation().making.why_busy)
        return allow(cls, why_grey(context) or _why_not(context.scene, chosen_character(context).armature))

    def steps(self, context: Any) -> Steps[Outcome]:
        """Read the motion that is seen, and begin; scripts in the background come back when the layer is there."""
        scene, armature = context.scene, chosen_character(context).armature
        frames = motion_span(scene, armature)
        gap = _gap(scene, armature)
        base = output_base(context, scene)
        keep_output(scene, base)
        seen = yield from reading_steps(scene, armature, tuple(frames))
        source = resample(seen, HUMANML_FPS)
        kept = "" if gap is None else gap.kept_spans(seen.fps, HUMANML_FPS, source.frame_count)
        target = next_motion_file(base, f"{armature.name} filled")
        made = replace(text_motion(scene), seconds=0.0)
        making = generation().making
        order = ChangedMotion(_written(target, source, armature), made, kept)
        receive = _Receive(scene.name, armature.name, frames, gap)
        making.start(chosen_backend(context), order.words(), target, made.text or "Fill", receive)
        if bpy.app.background:
            making.finish()
        return {"FINISHED"}


class _Receive:
    """Puts the frames on when they are there. Blender's data is named, never kept."""

    def __init__(self, scene: str, armature: str, frames: range, gap: Gap | None) -> None:
        self._scene, self._armature, self._frames, self._gap = scene, armature, frames, gap

    def __call__(self, made: Written) -> None:
        """Raises InputError where the character is gone, or has another length by now."""
        scene = bpy.data.scenes.get(self._scene)
        found: list[Any] = [] if scene is None else [one.armature for one in characters(scene)]
        armature = next((one for one in found if one.name == self._armature), None)
        if armature is None or motion_span(scene, armature) != self._frames:
            what = "is gone" if armature is None else "has another length now"
            raise InputError(
                "motion.not_filled",
                f"{self._armature!r} {what}, so the new frames do not fit.",
                "Press Fill Between Keys again.",
            )
        (motion,) = open_motion(Path(made.written)).people(Ask(), rest_joints(armature))
        at_once(fill_steps(scene, armature, motion, self._gap))
        push_undo("Fill Between Keys")


def _why_not(scene: Any, armature: Any) -> str:
    reason = why_no_repair(armature)
    if reason:
        return reason
    try:
        _gap(scene, armature)
    except InputError as error:
        return str(error).removesuffix(".")
    return ""


def _gap(scene: Any, armature: Any) -> Gap | None:
    """What is to be filled; None for the upper body. Raises InputError."""
    made, frames = motion_text_of(scene), motion_span(scene, armature)
    if made.part == "upper_body":
        return None
    if made.own_frames:
        return Gap(made.first - frames[0], made.last - frames[0], len(frames))
    keys = [key for key in edit_keys(armature) if key in frames]
    before = max((key for key in keys if key <= scene.frame_current), default=None)
    after = min((key for key in keys if key > scene.frame_current), default=None)
    if before is None and after is None:
        raise InputError("motion.no_keys", "There are no keys to fill between.", _NO_KEYS)
    first, last = (None if key is None else key - frames[0] for key in (before, after))
    return Gap(first, last, len(frames))


def _written(target: Path, source: SMPLMotion, armature: Any) -> Path:
    """The motion as it is seen, in a file beside the one that is made. Raises LatentManError `storage.*`."""
    path = target.with_suffix(AMASS.suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_motion(path, source, AMASS, rest_joints=rest_joints(armature))
    return path


register, unregister = registration_of(LATENTMAN_OT_fill_motion)
