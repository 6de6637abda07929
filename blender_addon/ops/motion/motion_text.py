"""Make a motion from a text: the backend's program makes it while Blender stays free."""

from __future__ import annotations

from typing import Any

import bpy

from ...client.motion_order import TextMotion, next_motion_file
from ...scene.motion_text import motion_text_of
from ...scene.scene_job import keep_output, output_base
from ...shared.errors import MotionError
from ...shared.protocol.command_lines import Written
from ...shot.generation import chosen_backend
from ...shot.motion_making import in_window
from ...shot.running import generation
from ...typed_bpy import Outcome, registration_of
from ..base.reporting import allow, reported


class LATENTMAN_OT_motion_from_text(bpy.types.Operator):
    """Make a new character that does what the text says"""

    bl_idname = "latentman.motion_from_text"
    bl_label = "Motion from Text"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """With a text, one motion at a time."""
        return allow(cls, _why_not(context) or ("" if motion_text_of(context.scene).text.strip() else _NO_TEXT))

    @reported
    def execute(self, context: Any) -> Outcome:
        """Begin to make it; scripts in the background come back when it is in the scene."""
        order, base = text_motion(context.scene), output_base(context, context.scene)
        keep_output(context.scene, base)
        making = generation().making
        target = next_motion_file(base, order.text)
        making.start(chosen_backend(context), order.words(), target, order.text, _import)
        if bpy.app.background:
            making.finish()
        return {"FINISHED"}


class LATENTMAN_OT_cancel_motion(bpy.types.Operator):
    """Stop making this motion; nothing of it is kept"""

    bl_idname = "latentman.cancel_motion"
    bl_label = "Cancel Motion"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """While one is being made."""
        return allow(cls, "" if generation().making.running else "No motion is being made")

    @reported
    def execute(self, context: Any) -> Outcome:
        """Stop it."""
        generation().making.close()
        return {"FINISHED"}


def text_motion(scene: Any) -> TextMotion:
    """What the scene's settings say of a motion from a text."""
    made = motion_text_of(scene)
    model = bpy.path.abspath(made.model) if made.model else ""
    return TextMotion(made.text, made.seconds, made.seed, made.guidance_scale, model)


_NO_TEXT = "Write what the character does first"


def _why_not(context: Any) -> str:
    if context.mode != "OBJECT":
        return "Switch to Object Mode first"
    return generation().making.why_busy


def _import(made: Written) -> None:
    """The file as a new character, as the import button makes it."""
    ours: Any = bpy.ops  # the stubs know Blender's own
    with in_window():
        if not ours.latentman.import_motion.poll():
            hint = "Switch to Object Mode and import the file."
            raise MotionError("motion.not_imported", f"The motion is in {made.written}, but it was not imported.", hint)
        ours.latentman.import_motion(filepath=made.written)


register, unregister = registration_of(LATENTMAN_OT_motion_from_text, LATENTMAN_OT_cancel_motion)
