"""The takes that were started and not finished, each with its Resume and a button that deletes it."""

from __future__ import annotations

from typing import Any

from ..shared.errors import InputError
from ..shot.running import generation
from .text import draw_text


def draw_unfinished(layout: Any, context: Any) -> None:
    """Draw them, newest first; nothing if the output folder has no definite place, which Generate says."""
    try:
        there = generation().unfinished(context)
    except InputError:
        return
    for take in there:
        box = layout.box()
        row = box.row(align=True)
        row.label(text=take.text, icon="SORTTIME")
        row.operator("latentman.resume", text="Resume", icon="PLAY").take = take.name
        row.operator("latentman.delete_take", text="", icon="TRASH").take = take.name
        draw_text(box, take.kept)
