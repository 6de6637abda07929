"""Motions from a text: the text, its button, and how far one is that is being made."""

from __future__ import annotations

from typing import Any

from ..scene.motion_text import motion_text_of
from ..shot.motion_making import MotionMaking
from ..shot.running import generation


def draw_motion_text(layout: Any, context: Any) -> None:
    """Draw the field and the button, or progress with Cancel."""
    making = generation().making
    if making.running:
        _draw_progress(layout, making)
        return
    column = layout.column(align=True)
    column.use_property_split = False
    column.prop(motion_text_of(context.scene), "text", text="", icon="TEXT", placeholder="a person waves, then jumps")
    column.operator("latentman.motion_from_text", icon="POSE_HLT")


def draw_improving(layout: Any) -> None:
    """Draw what the backend's program can do for a character's motion."""
    row = layout.row(align=True)
    row.operator("latentman.fill_motion")
    row.operator("latentman.refine_fit")


def draw_motion_text_settings(layout: Any, context: Any) -> None:
    """Draw what is seldom changed."""
    made = motion_text_of(context.scene)
    for name in ("seconds", "seed", "guidance_scale", "model", "part"):
        layout.prop(made, name)
    if made.part == "frames":
        column = layout.column(heading="Own Frames")
        column.prop(made, "own_frames", text="")
        if made.own_frames:
            column.prop(made, "first")
            column.prop(made, "last")


def _draw_progress(layout: Any, making: MotionMaking) -> None:
    step = making.progress
    share = 0.0 if step is None or not step.steps else step.step / step.steps
    stage = "starting" if step is None else step.stage
    row = layout.row(align=True)
    row.progress(factor=share, text=f"{making.label}: {stage}")
    row.operator("latentman.cancel_motion", text="", icon="X")
