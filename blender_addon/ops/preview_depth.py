"""The depth in the viewport, as it will be sent."""

from __future__ import annotations

from typing import Any

import bpy

from ..look.depth_preview import depth_is_shown, hide_depth, show_depth
from ..look.viewport import viewport_of
from ..scene.scene_job import scene_frames
from ..shared.errors import LatentManError
from ..shot.generation import why_no_shot
from ..typed_bpy import Outcome, registration_of
from .reporting import allow, refuse


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

    def execute(self, context: Any) -> Outcome:
        """Show it, or what was there before."""
        scene, viewport = context.scene, viewport_of(context)
        if depth_is_shown(scene):
            hide_depth(scene, viewport)
            return {"FINISHED"}
        try:
            show_depth(scene, scene_frames(scene), viewport)
        except LatentManError as error:
            return refuse(self, error)
        return {"FINISHED"}


register, unregister = registration_of(LATENTMAN_OT_preview_depth)
