"""Aim a camera at the character's whole motion."""

from __future__ import annotations

from typing import Any

import bpy

from ..look.camera import framing_steps
from ..rig.character import chosen_character, why_grey
from ..scene.scene_job import scene_frames
from ..scene_time import Steps
from ..typed_bpy import Outcome, registration_of
from .base.frame_by_frame import FrameByFrame
from .base.reporting import allow


class LATENTMAN_OT_frame_shot(FrameByFrame, bpy.types.Operator):
    """Make the scene's camera one that sees the character in all frames of the shot"""

    bl_idname = "latentman.frame_shot"
    bl_label = "Frame Shot"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a character."""
        return allow(cls, why_grey(context))

    def steps(self, context: Any) -> Steps[Outcome]:
        """Frame the active character, or the first."""
        scene = context.scene
        settings = scene.latentman
        yield from framing_steps(
            scene,
            chosen_character(context).armature,
            scene_frames(scene),
            size=(settings.width, settings.height),
            follow=settings.follow_camera,
            replace=True,
        )
        return {"FINISHED"}


register, unregister = registration_of(LATENTMAN_OT_frame_shot)
