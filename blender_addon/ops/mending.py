"""What the buttons beside errors do, where no other operator does it already."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ..shared.methods.setting import declared
from ..shared.methods.table import settings_groups
from ..typed_bpy import Outcome, registration_of
from .base.reporting import allow

# What a declaration says fixes an error: `METHOD.SETTING`, `finish.SETTING`.
_DECLARED = (
    f"{owner.name}.{name}"
    for owner in settings_groups().values()
    for name, one in declared(owner.settings).items()
    if one.mends is not None
)
# Settings of the scene whose default always works, or asks for another choice.
RESETTABLE = ("body_path", "frames", "model", "motion_path", "output", *_DECLARED)


class LATENTMAN_OT_reset_setting(bpy.types.Operator):
    """Set this setting to its default"""

    bl_idname = "latentman.reset_setting"
    bl_label = "Reset Setting"
    bl_options = {"REGISTER", "UNDO"}

    setting: StringProperty(name="Setting", description="Which setting", options={"SKIP_SAVE"})

    def execute(self, context: Any) -> Outcome:
        """Reset it."""
        if self.setting not in RESETTABLE:
            self.report({"ERROR"}, f"{self.setting!r} is none of {', '.join(RESETTABLE)}.")
            return {"CANCELLED"}
        *groups, name = self.setting.split(".")
        owner = context.scene.latentman
        for group in groups:
            owner = getattr(owner, group)
        owner.property_unset(name)
        return {"FINISHED"}


class LATENTMAN_OT_choose_output(bpy.types.Operator):
    """Choose the folder for passes and takes"""

    bl_idname = "latentman.choose_output"
    bl_label = "Choose Folder"
    bl_options = {"REGISTER", "UNDO"}

    directory: StringProperty(name="Folder", subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask for it."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> Outcome:
        """Take it."""
        context.scene.latentman.output = self.directory
        return {"FINISHED"}


class LATENTMAN_OT_shorten_segments(bpy.types.Operator):
    """Denoise half as many frames together, which needs less memory; the frames stay the same up to rounding"""

    bl_idname = "latentman.shorten_segments"
    bl_label = "Shorten Segments"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only while there is something to halve."""
        shortest = context.scene.latentman.segment_frames <= 1
        return allow(cls, "A segment is one frame already: use a smaller picture" if shortest else "")

    def execute(self, context: Any) -> Outcome:
        """Halve it."""
        context.scene.latentman.segment_frames //= 2
        return {"FINISHED"}


_CLASSES = (
    LATENTMAN_OT_reset_setting,
    LATENTMAN_OT_choose_output,
    LATENTMAN_OT_shorten_segments,
)

register, unregister = registration_of(*_CLASSES)
