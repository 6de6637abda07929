"""The takes on the timeline."""

from __future__ import annotations

from typing import Any

from ..rig.body_texture import has_texture
from ..rig.character import bodies
from ..shot.running import generation
from ..timeline.compare import BACKGROUND, shown_take
from ..timeline.take import DONE, FRAMES, NOTES, PROMPT, SEED, STEPS, first_picture, takes
from .text import draw_text
from .unfinished import draw_unfinished

_BUTTONS = (
    ("latentman.redo_take", "LOOP_BACK"),
    ("latentman.take_background", "IMAGE_BACKGROUND"),
    ("latentman.save_video", "FILE_MOVIE"),
)
_PICTURE_SCALE = 2.4  # heights of a button


def draw_takes(layout: Any, context: Any) -> None:
    """Draw what can be resumed, then each take with its buttons, newest first."""
    scene = context.scene
    draw_unfinished(layout, context)
    shown = shown_take(scene)
    for strip in reversed(takes(scene)):
        _draw_take(layout.box(), strip, strip == shown)
    _draw_video(layout)
    layout.operator("latentman.watch_takes", icon="SEQUENCE")
    row = layout.row(align=True)
    row.operator("latentman.compare_takes", icon="ARROW_LEFTRIGHT")
    row.operator("latentman.find_takes", icon="VIEWZOOM")
    row = layout.row(align=True)
    row.operator("latentman.put_texture_on_body", icon="TEXTURE")
    row.operator("latentman.put_texture_file", text="", icon="FILE_FOLDER")
    if any(has_texture(body) for body in bodies(scene)):
        row.operator("latentman.remove_texture", text="", icon="X")
    if _has_background(scene):
        layout.operator("latentman.clear_background", icon="X")


def _draw_take(box: Any, strip: Any, shown: bool) -> None:
    top = box.row()
    picture = generation().takes.icons.icon_id(first_picture(strip))
    if picture:
        side = top.row()
        side.alignment = "LEFT"
        side.template_icon(picture, scale=_PICTURE_SCALE)
    beside = top.column(align=True)
    show = beside.operator(  # a row of its own: beside the buttons its name would be cut off
        "latentman.show_take",
        text=strip.name,
        icon="HIDE_OFF" if shown else "HIDE_ON",
        depress=shown,
    )
    show.take = strip.name
    row = beside.row(align=True)
    for operator, icon in _BUTTONS:
        row.operator(operator, text="", icon=icon).take = strip.name
    column = box.column(align=True)
    draw_text(column, f"Seed {strip.get(SEED, '')}, {strip.get(STEPS, '?')} steps, channel {strip.channel}")
    draw_text(column, f'"{strip.get(PROMPT, "")}"')
    for note in str(strip.get(NOTES, "")).splitlines():
        draw_text(column, note, "INFO")
    if strip.get(DONE, 0) < strip.get(FRAMES, 0):
        draw_text(column, f"{strip[DONE]} of {strip[FRAMES]} frames", "SORTTIME")


def _draw_video(layout: Any) -> None:
    video = generation().takes.video
    if video.target is not None:
        draw_text(layout, f"Saving {video.target.name}", "SORTTIME")
    elif video.saved is not None:
        draw_text(layout, f"Saved {video.saved}", "CHECKMARK")


def _has_background(scene: Any) -> bool:
    camera = scene.camera
    if camera is None or camera.type != "CAMERA":
        return False
    return any(entry.image is not None and entry.image.get(BACKGROUND) for entry in camera.data.background_images)
