"""Preset, frames, what a take costs, Generate; how far it is."""

from __future__ import annotations

from typing import Any

from ..client.progress import GenerateState
from ..ops.generate import why_not
from ..rig.character import characters
from ..scene.presets import preset_named
from ..scene.scene_job import hidden_settings, output_base, preset_changes, scene_frames
from ..scene_time import scene_range
from ..shared.errors import InputError, LatentManError
from ..shared.jobs.frame_range import MAX_FRAMES, format_frames
from ..shot.cost import first_look
from ..shot.running import generation
from .text import draw_error, draw_text

_PREVIEW_SCALE = 7.0  # heights of a button
_BUTTON_SCALE = 1.4


def draw_run(layout: Any, context: Any) -> None:
    """Draw what is asked for and what it costs, the buttons, and how far it is."""
    current = generation()
    if not current.running:
        _draw_preset(layout, context)
        _draw_frames(layout, context)
        _draw_begin(layout, context, why_not(context))
    else:
        layout.operator("latentman.cancel", icon="CANCEL")
    if current.progress is not None:
        column = layout.column(align=True)
        column.progress(factor=current.progress.fraction, text=f"{current.progress.fraction:.0%}")
        draw_text(column, current.progress.text)
        if current.progress.state is GenerateState.DONE:
            layout.operator("latentman.watch_takes", icon="SEQUENCE")
        if current.running:
            draw_text(column, current.progress.kept)
        if current.progress.warning:
            draw_text(layout, current.progress.warning, "ERROR")
    if current.preview.icon_id:
        layout.template_icon(current.preview.icon_id, scale=_PREVIEW_SCALE)
        draw_text(layout, f"Frame {current.preview.frame}, still being denoised")


def draw_output(layout: Any, context: Any) -> None:
    """Draw where passes and takes go."""
    layout.prop(context.scene.latentman, "output")
    base = _output(context)
    if base:
        draw_text(layout, base, "FILE_FOLDER")


def draw_job_file(layout: Any, context: Any) -> None:
    """Draw the buttons of the job file."""
    row = layout.row(align=True)
    row.operator("latentman.save_job", icon="FILE_TICK")
    row.operator("latentman.load_job", icon="FILE_FOLDER")


def _draw_preset(layout: Any, context: Any) -> None:
    """The preset, and whether the settings have been changed since it was chosen."""
    settings = context.scene.latentman
    method, preset = preset_named(settings.preset)
    column = layout.column(align=True)
    column.operator_menu_enum("latentman.apply_preset", "preset", text=f"{method.label}: {preset.label}", icon="PRESET")
    draw_text(column, preset.description)
    try:
        changed, hidden = preset_changes(context.scene), hidden_settings(context.scene)
    except InputError:  # Generate says why
        return
    if changed:
        column = layout.column(align=True)
        for change in changed:
            draw_text(column, f"{change.label}: {change.before} (preset: {change.after})", "DOT")
        column.operator("latentman.apply_preset", text="Back to the Preset", icon="LOOP_BACK")
    if hidden:
        draw_text(layout, f"Also set, and not shown in the panel: {', '.join(hidden)}", "INFO")
        layout.operator("latentman.reset_hidden", icon="LOOP_BACK")


def _draw_frames(layout: Any, context: Any) -> None:
    """The frames, what they cost, and a shorter first look."""
    scene, settings = context.scene, context.scene.latentman
    whole = scene_range(scene)
    fits = 0 < len(whole) <= MAX_FRAMES  # a range of a million frames would take a tenth of a second at each drawing
    layout.prop(settings, "frames", placeholder=format_frames(tuple(whole)) if fits else "")
    try:
        frames, estimate = scene_frames(scene), generation().cost.estimate(context)
    except InputError:  # Generate says why
        return
    if not characters(scene):
        return
    draw_text(layout, estimate.text, "TIME")
    row = layout.row(align=True)
    first = first_look(frames, estimate)
    if first:
        button = row.operator("latentman.set_frames", text=f"Only the First {len(first)}", icon="PREVIEW_RANGE")
        button.frames = format_frames(first)
    if settings.frames:
        row.operator("latentman.set_frames", text="All Frames", icon="LOOP_BACK").frames = ""


def _draw_begin(layout: Any, context: Any, reason: LatentManError | None) -> None:
    """The buttons that begin, where the take goes, and why they are grey."""
    row = layout.row()
    row.scale_y = _BUTTON_SCALE
    row.operator("latentman.generate", icon="RENDER_ANIMATION")
    if reason is not None:
        draw_error(layout, reason, icon="INFO")
        return
    base = _output(context)
    if base and not context.blend_data.filepath:
        draw_text(layout, f"The file is not saved: its takes go to {base}", "INFO")


def _output(context: Any) -> str:
    try:
        return str(output_base(context, context.scene))
    except InputError:  # Generate says why
        return ""
