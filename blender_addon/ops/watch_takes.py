"""A place in the window where the takes are seen: a sequencer beside the 3D view."""

from __future__ import annotations

from typing import Any

import bpy

from ..timeline.take import takes
from .reporting import allow

_SHARE = 0.45  # of the 3D view's width
_WITH_PICTURE = ("PREVIEW", "SEQUENCER_PREVIEW")


class LATENTMAN_OT_watch_takes(bpy.types.Operator):
    """Open a sequencer beside the 3D view, with the picture of the take that is shown"""

    bl_idname = "latentman.watch_takes"
    bl_label = "Watch Takes"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where there is a take, a view to share, and no picture of the sequencer yet."""
        if not takes(context.scene):
            return allow(cls, "There is no take yet: press Generate")
        areas = [] if context.screen is None else list(context.screen.areas)
        shown = any(one.type == "SEQUENCE_EDITOR" and one.spaces[0].view_type in _WITH_PICTURE for one in areas)
        if shown:
            return allow(cls, "A sequencer of this window shows the picture already")
        return allow(cls, "" if any(one.type == "VIEW_3D" for one in areas) else "There is no 3D view in this window")

    def execute(self, context: Any) -> set[str]:
        """Split the largest 3D view."""
        screen = context.screen
        before = set(screen.areas)
        view = max((one for one in before if one.type == "VIEW_3D"), key=lambda one: one.width * one.height)
        with context.temp_override(area=view, region=view.regions[0]):
            bpy.ops.screen.area_split(direction="VERTICAL", factor=_SHARE)
        (new,) = set(screen.areas) - before
        new.type = "SEQUENCE_EDITOR"
        new.spaces[0].view_type = "SEQUENCER_PREVIEW"
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((LATENTMAN_OT_watch_takes,))
