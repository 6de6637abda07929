"""The menu of the formats in which a character's motion is exported."""

from __future__ import annotations

from typing import Any

import bpy

from ..ops.motion.exports import EXPORTS
from ..typed_bpy import registration_of


class LATENTMAN_MT_export_motion(bpy.types.Menu):
    """Export the motion of the active character"""

    bl_idname = "LATENTMAN_MT_export_motion"
    bl_label = "Export Motion"

    def draw(self, context: Any) -> None:
        """An entry a format, which asks for the file."""
        layout: Any = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        for export in EXPORTS:
            layout.operator("latentman.export_motion", text=f"{export.label} ({export.suffix})").form = export.name


def draw_export(layout: Any) -> None:
    """Draw the menu's button."""
    layout.menu(LATENTMAN_MT_export_motion.bl_idname, icon="EXPORT")


register, unregister = registration_of(LATENTMAN_MT_export_motion)
