"""Give the scene the size of the pictures, so that view, camera background and sequencer show what is generated."""

from __future__ import annotations

from typing import Any

import bpy

from ..scene.properties import settings_of
from ..typed_bpy import Outcome, registration_of


class LATENTMAN_OT_use_picture_size(bpy.types.Operator):
    """Give the scene's render settings the size of the pictures, so that the camera's view shows what is generated"""

    bl_idname = "latentman.use_picture_size"
    bl_label = "Use Picture Size"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> Outcome:
        """Set the resolution."""
        render, settings = context.scene.render, settings_of(context.scene)
        render.resolution_x, render.resolution_y = settings.width, settings.height
        render.resolution_percentage = 100
        return {"FINISHED"}


register, unregister = registration_of(LATENTMAN_OT_use_picture_size)
