"""The body's parts, or its depth, in the viewport as the passes will have them."""

from __future__ import annotations

from typing import Any

import bpy

from ..look.depth_preview import depth_is_shown, depth_steps, hide_depth
from ..look.parts_preview import hide_parts, parts_are_shown, show_parts
from ..look.viewport import viewport_of
from ..rig.character import why_grey
from ..scene.scene_job import scene_frames
from ..scene_time import Steps
from ..shot.generation import why_no_shot
from ..typed_bpy import Outcome, registration_of
from .base.frame_by_frame import FrameByFrame
from .base.reporting import allow


class LATENTMAN_OT_preview_parts(bpy.types.Operator):
    """Colour the bodies by their 24 parts in this viewport; press again to restore it"""

    bl_idname = "latentman.preview_parts"
    bl_label = "Show Parts"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a character."""
        return allow(cls, why_grey(context))

    def execute(self, context: Any) -> Outcome:
        """Show them, or what was there before."""
        scene, viewport = context.scene, viewport_of(context)
        if parts_are_shown(scene, viewport):
            hide_parts(scene, viewport)
            return {"FINISHED"}
        hide_depth(scene, viewport)
        show_parts(scene, viewport)
        return {"FINISHED"}


class LATENTMAN_OT_preview_depth(FrameByFrame, bpy.types.Operator):
    """Show the bodies' depth as it will be sent, near in white; press again to restore the viewport"""

    bl_idname = "latentman.preview_depth"
    bl_label = "Show Depth"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a character and a camera, or a depth to be taken away."""
        if depth_is_shown(context.scene):
            return True
        return allow(cls, why_no_shot(context))

    def steps(self, context: Any) -> Steps[Outcome]:
        """Show it, or what was there before."""
        scene, viewport = context.scene, viewport_of(context)
        if depth_is_shown(scene):
            hide_depth(scene, viewport)
            return {"FINISHED"}
        yield from depth_steps(scene, scene_frames(scene), viewport)
        return {"FINISHED"}


register, unregister = registration_of(LATENTMAN_OT_preview_parts, LATENTMAN_OT_preview_depth)
