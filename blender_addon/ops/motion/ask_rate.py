"""The question about the frame rate of a motion file that does not say it: the likely one is filled in, never taken."""

from __future__ import annotations

from typing import Any

import bpy

from ...rig.motion_files import open_motion
from ...shared.errors import LatentManError
from ...typed_bpy import Outcome, registration_of
from ..base.reporting import refuse
from .file_import import MotionFiles, chosen_paths, take_from_scene


class LATENTMAN_OT_ask_frame_rate(MotionFiles, bpy.types.Operator):
    """Set the frame rate of the motion file, and import it"""

    bl_idname = "latentman.ask_frame_rate"
    bl_label = "Set Frame Rate"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if objects can be made."""
        if context.mode != "OBJECT":
            cls.poll_message_set("Switch to Object Mode first")
            return False
        return True

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask, with the likely rate of the file's format filled in."""
        take_from_scene(self, context.scene)
        try:
            path = chosen_paths(self, context.scene)[0]
            self.fps = open_motion(path).contents().likely_fps
        except LatentManError as error:
            return refuse(self, error)
        manager: Any = context.window_manager
        return set(manager.invoke_props_dialog(self, width=360))

    def draw(self, context: Any) -> None:
        """The rate, and which file it is about."""
        layout: Any = self.layout
        names = [path.name for path in chosen_paths(self, context.scene)]
        said = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        layout.label(text=f"{said}: no frame rate in the file", icon="QUESTION")
        layout.prop(self, "fps")


register, unregister = registration_of(LATENTMAN_OT_ask_frame_rate)
