"""The body's parts in the viewport, as the passes will label them."""

from __future__ import annotations

from typing import Any

import bpy

from ..look.depth_preview import hide_depth
from ..rig.body_mesh import PART_ATTRIBUTE
from ..rig.character import characters, why_grey
from ..rig.part_colours import colour_parts
from ..typed_bpy import Outcome, registration_of
from .reporting import allow


class LATENTMAN_OT_preview_parts(bpy.types.Operator):
    """Colour the bodies by their 24 parts in this viewport; press again for the colours before"""

    bl_idname = "latentman.preview_parts"
    bl_label = "Show Parts"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where there is a character."""
        return allow(cls, why_grey(context))

    def execute(self, context: Any) -> Outcome:
        """Colour them, and turn the viewport over."""
        space = context.space_data
        viewport = space if space is not None and space.type == "VIEW_3D" else None
        hide_depth(context.scene, viewport)
        for one in characters(context.scene):
            if PART_ATTRIBUTE in one.body.data.attributes:
                colour_parts(one.body)
        if viewport is not None:
            shown = viewport.shading.type == "SOLID" and viewport.shading.color_type == "VERTEX"
            viewport.shading.type, viewport.shading.color_type = "SOLID", "MATERIAL" if shown else "VERTEX"
        return {"FINISHED"}


register, unregister = registration_of(LATENTMAN_OT_preview_parts)
