"""Give the scene the size of the pictures, so that view, camera background and sequencer show what is generated."""

from __future__ import annotations

from typing import Any

import bpy

from ..scene.properties import settings_of
from ..timeline.take import refit_takes
from ..typed_bpy import Outcome, registration_of

_START_UP = (1920, 1080, 100)  # what Blender's new files render


def adopt(scene: Any) -> bool:
    """Give the scene the size of the pictures where it still has Blender's own; a size that the user set stays.
    Whether it was changed: the caller says so (`adopted`)."""
    render = scene.render
    if (render.resolution_x, render.resolution_y, render.resolution_percentage) != _START_UP:
        return False
    settings = settings_of(scene)
    if (settings.width, settings.height) == _START_UP[:2]:
        return False
    set_picture_size(scene)
    return True


def adopted(scene: Any) -> str:
    """What to tell the user after `adopt`."""
    render = scene.render
    return f"The render size is now {render.resolution_x} x {render.resolution_y}, the size of the pictures"


def set_picture_size(scene: Any) -> None:
    """Give the scene's render settings the size of the pictures, and fit the takes into it."""
    render, settings = scene.render, settings_of(scene)
    render.resolution_x, render.resolution_y = settings.width, settings.height
    render.resolution_percentage = 100
    refit_takes(scene)


class LATENTMAN_OT_use_picture_size(bpy.types.Operator):
    """Set the render size to that of the pictures, so that the camera's view shows what is generated"""

    bl_idname = "latentman.use_picture_size"
    bl_label = "Use Picture Size"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> Outcome:
        """Set the resolution."""
        set_picture_size(context.scene)
        return {"FINISHED"}


register, unregister = registration_of(LATENTMAN_OT_use_picture_size)
