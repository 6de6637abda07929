"""Choose the frames of the next take by a button: the first few, or all."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import StringProperty

from ..scene.properties import settings_of
from ..typed_bpy import Outcome, registration_of


class LATENTMAN_OT_set_frames(bpy.types.Operator):
    """Make only these frames in the next take; the finished frames are kept for a longer one"""

    bl_idname = "latentman.set_frames"
    bl_label = "Set Frames"
    bl_options = {"REGISTER", "UNDO"}

    frames: StringProperty(
        name="Frames", description="Frames of the next take; the scene's range where empty", options={"SKIP_SAVE"}
    )

    def execute(self, context: Any) -> Outcome:
        """Set them."""
        settings_of(context.scene).frames = self.frames
        return {"FINISHED"}


register, unregister = registration_of(LATENTMAN_OT_set_frames)
