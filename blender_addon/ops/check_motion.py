"""Look at the characters' motion as it is now, edits included."""

from __future__ import annotations

from typing import Any

import bpy

from ..look.motion_check import check_steps, warnings
from ..rig.character import characters, why_grey
from ..rig.motion_figures import store_check
from ..rig.stack.problem_frames import store_problems
from ..scene.scene_job import scene_frames
from ..scene_time import Steps
from ..typed_bpy import Outcome, registration_of
from .base.frame_by_frame import FrameByFrame
from .base.reporting import allow


class LATENTMAN_OT_check_motion(FrameByFrame, bpy.types.Operator):
    """Look for sliding feet, jitter, feet off the floor, joints that turn too far or are outside the picture"""

    bl_idname = "latentman.check_motion"
    bl_label = "Check Motion"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a character."""
        return allow(cls, why_grey(context))

    def steps(self, context: Any) -> Steps[Outcome]:
        """Look at all of them, and keep what was found."""
        scene = context.scene
        settings = scene.latentman
        found = 0
        frames = scene_frames(scene)
        for character in characters(scene, context.view_layer):
            check, problems = yield from check_steps(scene, character, frames, settings.width, settings.height)
            store_check(character.armature, check)
            store_problems(character.armature, problems)
            found += len(warnings(character.armature))
        self.report({"INFO"}, f"{found} things to look at" if found else "Nothing to look at")
        return {"FINISHED"}


register, unregister = registration_of(LATENTMAN_OT_check_motion)
