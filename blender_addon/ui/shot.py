"""What is rendered: import, body, camera, passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ..look.depth_preview import depth_is_shown
from ..look.parts_preview import parts_are_shown
from ..look.tracked_camera import video_size
from ..look.viewport import viewport_of
from ..rig import character as rig
from ..shared.files.weight_header import some_names
from ..shared.jobs.frame_range import format_frames
from ..shot.hider_watch import hiders_now
from ..shot.running import generation
from .text import draw_text

_SAME_ASPECT = 0.01


def draw_import_options(layout: Any, context: Any) -> None:
    """Draw what the next motion file does not say itself."""
    settings = context.scene.latentman
    column = layout.column(align=True)
    column.prop(settings, "motion_fps")
    column.prop(settings, "motion_up")
    column.prop(settings, "motion_unit")
    column.prop(settings, "motion_view")
    row = layout.row(align=True, heading="Start Frame")
    row.prop(settings, "own_start", text="")
    field = row.row(align=True)
    field.active = settings.own_start
    field.prop(settings, "motion_start", text="")


def draw_body(layout: Any, context: Any) -> None:
    """Draw the body of the next import."""
    settings = context.scene.latentman
    layout.prop(settings, "body_path")
    layout.prop(settings, "own_betas")
    if settings.own_betas:
        column = layout.column(align=True)
        for index in range(len(settings.betas)):
            column.prop(settings, "betas", index=index, text=f"Beta {index + 1}")
    body = Path(bpy.path.abspath(settings.body_path)).name if settings.body_path else "The free body"
    draw_text(layout, f"{body}, for the next import; existing characters keep theirs", "INFO")


def draw_camera(layout: Any, context: Any) -> None:
    """Draw camera and framing."""
    scene = context.scene
    layout.prop(scene, "camera")
    row = layout.row(align=True)
    row.operator("latentman.frame_shot", icon="CAMERA_DATA")
    row.prop(scene.latentman, "follow_camera", toggle=True)
    settings, render = scene.latentman, scene.render
    if (render.resolution_x, render.resolution_y) != (settings.width, settings.height):
        shown = f"{render.resolution_x} x {render.resolution_y}"
        draw_text(layout, f"The view shows {shown}, the pictures are {settings.width} x {settings.height}", "INFO")
        layout.operator("latentman.use_picture_size", icon="FULLSCREEN_EXIT")
    video = video_size(scene)
    if video is not None and abs(video[0] * settings.height / (video[1] * settings.width) - 1.0) > _SAME_ASPECT:
        draw_text(layout, f"The video is {video[0]} x {video[1]}; the pictures have another aspect ratio", "INFO")
        layout.operator("latentman.use_video_size", icon="FULLSCREEN_EXIT")
    hiding = {one.name for one in hiders_now(context)}
    others = [name for name in rig.others_in_picture(scene, context.view_layer) if name not in hiding]
    if others:
        draw_text(layout, f"Also in the picture: {some_names(others)}", "INFO")


def draw_passes(layout: Any, context: Any) -> None:
    """Draw engine, size and frames, and how many would be rendered again."""
    settings = context.scene.latentman
    column = layout.column(align=True)
    column.prop(settings, "width")
    column.prop(settings, "height")
    layout.prop(settings, "engine")
    row = layout.row(align=True)
    parts = parts_are_shown(context.scene, viewport_of(context))
    row.operator("latentman.preview_parts", icon="COLOR", depress=parts)
    row.operator("latentman.preview_depth", icon="IMAGE_ZDEPTH", depress=depth_is_shown(context.scene))
    layout.operator("latentman.count_changes", icon="FILE_REFRESH")
    comparison = generation().comparison
    if comparison is None:
        return
    if comparison.running:
        draw_text(layout, "Comparing frames", "SORTTIME")
    elif comparison.result is not None:
        found = comparison.result
        frames = len(found.changed) + len(found.unchanged)
        draw_text(layout, f"Changed: {format_frames(found.changed)}" if found.changed else "No pose has changed")
        draw_text(layout, f"Passes to render: {len(found.changed)} of {frames}", "INFO")
        draw_text(layout, f"Frames to generate: {found.to_generate_text} of {frames}", "INFO")
