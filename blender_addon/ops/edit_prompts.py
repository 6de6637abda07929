"""Where keyed prompts are written: a text editor beside the 3D view."""

from __future__ import annotations

from typing import Any

import bpy

from ..scene.prompt_text import new_prompts
from ..typed_bpy import Outcome, registration_of
from .base.editor_beside import has_view, open_beside, text_editor
from .base.reporting import allow


class LATENTMAN_OT_edit_prompts(bpy.types.Operator):
    """Write prompts that change along the shot, in a text editor beside the 3D view"""

    bl_idname = "latentman.edit_prompts"
    bl_label = "Edit Keyed Prompts"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is an editor, or a view to share with one."""
        there = text_editor(context) is not None or has_view(context)
        return allow(cls, "" if there else "There is no 3D view in this window")

    def execute(self, context: Any) -> Outcome:
        """Show the scene's text; one that begins with the prompt is made if there is none."""
        scene = context.scene
        if scene.latentman.prompts is None:
            scene.latentman.prompts = new_prompts(scene)
        area = text_editor(context) or open_beside(context, "TEXT_EDITOR")
        area.spaces[0].text = scene.latentman.prompts
        return {"FINISHED"}


register, unregister = registration_of(LATENTMAN_OT_edit_prompts)
