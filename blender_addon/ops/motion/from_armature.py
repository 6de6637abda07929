"""Take the motion of any armature of the scene."""

from __future__ import annotations

import json
from typing import Any

import bpy
from bpy.props import StringProperty

from ...rig.character import NOTES, WARNINGS
from ...rig.import_character import scene_betas, scene_body
from ...rig.source.as_character import SourceOptions, character_steps
from ...rig.source.chosen import chosen_source, source_named, why_no_source
from ...rig.stack.layers import clip_range
from ...scene.bone_table import table_of
from ...scene_time import Steps
from ...typed_bpy import Outcome, registration_of
from ..base.frame_by_frame import FrameByFrame
from ..base.reporting import allow
from .file_import import show_imported


class LATENTMAN_OT_motion_from_armature(FrameByFrame, bpy.types.Operator):
    """Make a character that moves like the selected armature (Mixamo, Rigify, motion capture), which is not changed"""

    bl_idname = "latentman.motion_from_armature"
    bl_label = "From Armature"
    bl_options = {"REGISTER", "UNDO"}

    armature: StringProperty(
        name="Armature",
        description="The armature to use. Empty: the one in the panel, else the selected one",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is an armature whose bones move."""
        return allow(cls, "Switch to Object Mode first" if context.mode != "OBJECT" else why_no_source(context))

    def steps(self, context: Any) -> Steps[Outcome]:
        """Read it frame by frame, and make the character."""
        scene = context.scene
        named = self.armature
        source = source_named(scene, context.view_layer, named) if named else chosen_source(context)
        options = SourceOptions(table_of(source), scene_betas(scene))
        made = yield from character_steps(scene, source, _frames(scene, source), scene_body(scene), options)
        warnings = json.loads(made[WARNINGS])
        for note in json.loads(made[NOTES]):
            self.report({"WARNING" if note in warnings else "INFO"}, note)
        show_imported(self, context, [made])
        return {"FINISHED"}


def _frames(scene: Any, armature: Any) -> range:
    """The scene's frames, or with *All Keys* those from the armature's first key to its last."""
    keys = clip_range(armature) if scene.latentman.source_keys else None
    return range(scene.frame_start, scene.frame_end + 1) if keys is None else range(keys[0], keys[1] + 1)


register, unregister = registration_of(LATENTMAN_OT_motion_from_armature)
