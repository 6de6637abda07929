"""What hides the characters, with the buttons that decide about it; what was left out, and what is kept."""

from __future__ import annotations

from typing import Any

from ..rig.character import characters
from ..rig.left_out import KEPT, LEFT_OUT, names_with
from ..shot.hider_watch import hiders_now
from .text import draw_text


def draw_hiders(layout: Any, context: Any) -> None:
    """Draw a warning for each object that hides a character, and a line for each that was decided about."""
    scene = context.scene
    alone = len(characters(scene, context.view_layer)) < 2
    for one in hiders_now(context):
        column = layout.column(align=True)
        draw_text(column, one.sentence_of("the character" if alone else one.character), "ERROR")
        row = column.row(align=True)
        row.operator("latentman.leave_out").name = one.name
        row.operator("latentman.keep_in_picture").name = one.name
    for flag, label in ((LEFT_OUT, "Left out"), (KEPT, "Kept")):
        for name in names_with(scene, flag):
            row = layout.row(align=True)
            row.label(text=f"{label}: {name}", icon="HIDE_ON" if flag == LEFT_OUT else "CHECKMARK")
            row.operator("latentman.take_back", text="", icon="X").name = name
