"""Going from one problem of the motion to the next, on the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from ...look.check_bar import bar_is_shown, hide_bar, redraw_timelines, show_bar
from ...rig.character import chosen_character, why_grey
from ...rig.stack.problem_frames import stored_problems
from ...typed_bpy import Outcome, registration_of
from ..base.reporting import allow


class LATENTMAN_OT_next_problem(bpy.types.Operator):
    """Go to the next frame in which a problem begins"""

    bl_idname = "latentman.next_problem"
    bl_label = "Next Problem"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if Check Motion has found one."""
        return allow(cls, _reason(context))

    def execute(self, context: Any) -> Outcome:
        """Go there; behind the last one begin again."""
        scene = context.scene
        starts = _starts(context)
        scene.frame_set(next((frame for frame in starts if frame > scene.frame_current), starts[0]))
        return {"FINISHED"}


class LATENTMAN_OT_previous_problem(bpy.types.Operator):
    """Go to the last frame before this one in which a problem begins"""

    bl_idname = "latentman.previous_problem"
    bl_label = "Previous Problem"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if Check Motion has found one."""
        return allow(cls, _reason(context))

    def execute(self, context: Any) -> Outcome:
        """Go there; before the first one begin at the last."""
        scene = context.scene
        starts = _starts(context)
        scene.frame_set(next((frame for frame in reversed(starts) if frame < scene.frame_current), starts[-1]))
        return {"FINISHED"}


class LATENTMAN_OT_show_problems(bpy.types.Operator):
    """Show or hide the problems on the timeline, in yellow and red below the frame numbers"""

    bl_idname = "latentman.show_problems"
    bl_label = "Show on Timeline"
    bl_options = {"REGISTER"}

    def execute(self, context: Any) -> Outcome:
        """Switch the bar on or off, for this run of Blender."""
        (hide_bar if bar_is_shown() else show_bar)()
        redraw_timelines()
        return {"FINISHED"}


def _reason(context: Any) -> str:
    """Why the buttons are grey; empty if there is a problem to go to."""
    reason = why_grey(context)
    if reason:
        return reason
    if stored_problems(chosen_character(context).armature) is None:
        return "Press Check Motion first"
    return "" if _starts(context) else "Check Motion has found no problem"


def _starts(context: Any) -> Sequence[int]:
    problems = stored_problems(chosen_character(context).armature)
    return [] if problems is None else problems.starts()


register, unregister = registration_of(
    LATENTMAN_OT_next_problem, LATENTMAN_OT_previous_problem, LATENTMAN_OT_show_problems
)
