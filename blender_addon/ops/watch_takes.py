"""A place in the window where the takes are seen: a sequencer beside the 3D view."""

from __future__ import annotations

from typing import Any

import bpy

from ..timeline.take import takes
from ..typed_bpy import Outcome, registration_of
from .base.editor_beside import has_view, open_beside
from .base.reporting import allow

_WITH_PICTURE = ("PREVIEW", "SEQUENCER_PREVIEW")


class LATENTMAN_OT_watch_takes(bpy.types.Operator):
    """Open a sequencer beside the 3D view, with the picture of the take that is shown"""

    bl_idname = "latentman.watch_takes"
    bl_label = "Watch Takes"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a take, a view to share, and no picture of the sequencer yet."""
        if not takes(context.scene):
            return allow(cls, "There is no take yet: press Generate")
        areas = [] if context.screen is None else list(context.screen.areas)
        shown = any(one.type == "SEQUENCE_EDITOR" and one.spaces[0].view_type in _WITH_PICTURE for one in areas)
        if shown:
            return allow(cls, "A sequencer in this window already shows the picture")
        return allow(cls, "" if has_view(context) else "There is no 3D view in this window")

    def execute(self, context: Any) -> Outcome:
        """Open it."""
        open_beside(context, "SEQUENCE_EDITOR").spaces[0].view_type = "SEQUENCER_PREVIEW"
        return {"FINISHED"}


register, unregister = registration_of(LATENTMAN_OT_watch_takes)
