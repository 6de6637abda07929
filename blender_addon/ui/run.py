"""Generate, cancel, resume, and how far it is."""

from __future__ import annotations

from typing import Any

from ..ops.generate import can_resume, why_not
from ..scene.scene_job import output_base
from ..shared.errors import InputError
from ..shot.running import generation
from .text import draw_error, draw_text

_PREVIEW_SCALE = 7.0  # heights of a button


def draw_run(layout: Any, context: Any) -> None:
    """Draw where the result goes, the buttons, the bar, and what went wrong."""
    current = generation()
    layout.prop(context.scene.latentman, "output")
    try:
        draw_text(layout, str(output_base(context, context.scene)), "FILE_FOLDER")
    except InputError as error:
        draw_error(layout, error)
    if current.running:
        layout.operator("latentman.cancel", icon="CANCEL")
    else:
        row = layout.row(align=True)
        row.scale_y = 1.4
        row.operator("latentman.generate", icon="RENDER_ANIMATION")
        if can_resume(context):
            row.operator("latentman.resume", icon="PLAY")
        reason = why_not(context)
        if reason:
            draw_text(layout, reason, "INFO")
    if current.progress is not None:
        column = layout.column(align=True)
        column.progress(factor=current.progress.fraction, text=f"{current.progress.fraction:.0%}")
        draw_text(column, current.progress.text)
        if current.running:
            draw_text(column, current.progress.kept)
        if current.progress.warning:
            draw_text(layout, current.progress.warning, "ERROR")
    if current.preview.icon_id:
        layout.template_icon(current.preview.icon_id, scale=_PREVIEW_SCALE)
        draw_text(layout, f"Frame {current.preview.frame} in the making")
    if current.error is not None:
        draw_error(layout, current.error, dismiss=True)
    row = layout.row(align=True)
    row.operator("latentman.save_job", icon="FILE_TICK")
    row.operator("latentman.load_job", icon="FILE_FOLDER")
