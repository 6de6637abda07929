"""The depth in the viewport, as it will be sent."""

from __future__ import annotations

from typing import Any

import bpy

from ..look.depth_preview import depth_is_shown, hide_depth, show_depth
from ..scene.scene_job import scene_frames
from ..shot.generation import why_no_shot
from ..typed_bpy import Outcome, registration_of
from .reporting import allow, reported


class LATENTMAN_OT_preview_depth(bpy.types.Operator):
    """Show the bodies' depth as it will be sent, near is white; press again for what was shown before"""

    bl_idname = "latentman.preview_depth"
    bl_label = "Show Depth"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where there is a character and a camera, or a depth to be taken away."""
        if depth_is_shown(context.scene):
            return True
        return allow(cls, why_no_shot(context))

    @reported
    def execute(self, context: Any) -> Outcome:
        """Show it, or what was there before."""
        scene, viewport = context.scene, _viewport(context)
        if depth_is_shown(scene):
            hide_depth(scene, viewport)
            return {"FINISHED"}
        show_depth(scene, scene_frames(scene), viewport)
        return {"FINISHED"}


def _viewport(context: Any) -> Any:
    """The 3D view that the button is in, or beside: the first one of the window; None where there is none."""
    areas = () if context.screen is None else context.screen.areas
    spaces = [context.space_data, *(area.spaces.active for area in areas)]
    return next((space for space in spaces if space is not None and space.type == "VIEW_3D"), None)


register, unregister = registration_of(LATENTMAN_OT_preview_depth)
