"""The body's parts in the viewport, as the passes will label them."""

from __future__ import annotations

from typing import Any

import bpy

from ..look.depth_preview import hide_depth
from ..look.parts_preview import hide_parts, parts_are_shown, show_parts
from ..look.viewport import viewport_of
from ..rig.character import why_grey
from ..typed_bpy import Outcome, registration_of
from .reporting import allow


class LATENTMAN_OT_preview_parts(bpy.types.Operator):
    """Colour the bodies by their 24 parts in this viewport; press again for what was shown before"""

    bl_idname = "latentman.preview_parts"
    bl_label = "Show Parts"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where there is a character."""
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


register, unregister = registration_of(LATENTMAN_OT_preview_parts)
