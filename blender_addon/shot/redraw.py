"""Redrawing the panels of the add-on in every window."""

from __future__ import annotations

from ..typed_bpy import windows


def redraw_panels() -> None:
    """Redraw what shows the add-on. The 3D view itself is spared: a heavy scene takes long to draw."""
    for window in windows():
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
            elif area.type in ("SEQUENCE_EDITOR", "PROPERTIES", "PREFERENCES"):
                area.tag_redraw()
