"""The edit layer of the active character: add, bake, remove."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ..rig.character import chosen_character, why_grey
from ..rig.stack.edit_layer import add_layer, bake_layer, remove_layer, why_no_bake, why_no_layer, why_no_removal
from ..shot.running import wake
from ..typed_bpy import Outcome, registration_of
from .base.reporting import allow


class LATENTMAN_OT_add_edit_layer(bpy.types.Operator):
    """Add an empty layer over the motion, where a few keys bend it smoothly"""

    bl_idname = "latentman.add_edit_layer"
    bl_label = "Edit Layer"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only over keys, and once."""
        return allow(cls, _reason(context, why_no_layer))

    def execute(self, context: Any) -> Outcome:
        """Add it to the active character, or the first."""
        add_layer(context.scene, chosen_character(context).armature)
        wake()
        return {"FINISHED"}


class LATENTMAN_OT_merge_edit_layer(bpy.types.Operator):
    """Write the layers into the motion's keys, a key a frame, and remove the layers"""

    bl_idname = "latentman.merge_edit_layer"
    bl_label = "Bake Layer"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a layer."""
        return allow(cls, _reason(context, why_no_bake))

    def execute(self, context: Any) -> Outcome:
        """Bake that of the active character, or the first."""
        bake_layer(context.scene, chosen_character(context).armature)
        wake()
        return {"FINISHED"}


class LATENTMAN_OT_remove_edit_layer(bpy.types.Operator):
    """Remove the layer and its keys, and restore the original motion"""

    bl_idname = "latentman.remove_edit_layer"
    bl_label = "Remove Layer"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a layer."""
        return allow(cls, _reason(context, why_no_removal))

    def execute(self, context: Any) -> Outcome:
        """Remove that of the active character, or the first."""
        remove_layer(chosen_character(context).armature)
        wake()
        return {"FINISHED"}


def _reason(context: Any, why: Callable[[Any], str]) -> str:
    """Why a button is grey: without a character that, else what is said of the chosen one."""
    return why_grey(context) or why(chosen_character(context).armature)


register, unregister = registration_of(
    LATENTMAN_OT_add_edit_layer, LATENTMAN_OT_merge_edit_layer, LATENTMAN_OT_remove_edit_layer
)
