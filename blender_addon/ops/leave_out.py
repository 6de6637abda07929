"""Leave an object out of the passes, take it back, or let it hide the character without a warning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import StringProperty

from ..rig.left_out import keep, leave_out, take_back
from ..shared.errors import InputError
from ..shot.hider_watch import look_again, mark_stale
from ..typed_bpy import Outcome, registration_of
from .base.reporting import reported


class _Choice:
    """What the three have in common: an object's name, and a change of its flags."""

    name: StringProperty(name="Object", description="The object's name", options={"SKIP_SAVE"})

    def change(self) -> Callable[[Any, str], None]:
        """What is done with the scene and the name."""
        raise NotImplementedError

    def names(self, context: Any) -> list[str]:
        """The objects. Raises InputError if there are none."""
        if not self.name:
            raise InputError("objects.unknown", "No object was named.", "Name one.")
        return [self.name]

    @reported
    def execute(self, context: Any) -> Outcome:
        """Set the flags."""
        for name in self.names(context):
            self.change()(context.scene, name)
        mark_stale()
        return {"FINISHED"}


class LATENTMAN_OT_leave_out(_Choice, bpy.types.Operator):
    """Render the passes without this object; its own render settings stay as they are"""

    bl_idname = "latentman.leave_out"
    bl_label = "Leave Out"
    bl_options = {"REGISTER", "UNDO"}

    def change(self) -> Callable[[Any, str], None]:
        """Leave it out."""
        return leave_out

    def names(self, context: Any) -> list[str]:
        """The one that is named, else all that hide a character."""
        if self.name:
            return [self.name]
        found = [one.name for one in look_again(context)]
        if not found:
            raise InputError("objects.none_hides", "No object hides a character.", "Frame the shot.")
        return found


class LATENTMAN_OT_take_back(_Choice, bpy.types.Operator):
    """Undo Leave Out or Keep: render this object, and warn if it hides a character"""

    bl_idname = "latentman.take_back"
    bl_label = "Undo Choice"
    bl_options = {"REGISTER", "UNDO"}

    def change(self) -> Callable[[Any, str], None]:
        """Take it back."""
        return take_back


class LATENTMAN_OT_keep_in_picture(_Choice, bpy.types.Operator):
    """Keep this object in the passes, and do not warn that it hides a character"""

    bl_idname = "latentman.keep_in_picture"
    bl_label = "Keep"
    bl_options = {"REGISTER", "UNDO"}

    def change(self) -> Callable[[Any, str], None]:
        """Keep it."""
        return keep


_CLASSES = (LATENTMAN_OT_leave_out, LATENTMAN_OT_take_back, LATENTMAN_OT_keep_in_picture)

register, unregister = registration_of(*_CLASSES)
