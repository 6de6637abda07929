"""Sentences and errors in a panel."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from ..fixes import fixes_for
from ..shared.errors import LatentManError

_PIXELS_A_LETTER = 7
_DEFAULT_WIDTH = 300
_FEWEST_LETTERS = 20


def draw_text(layout: Any, text: str, icon: str = "NONE") -> None:
    """A sentence over as many lines as the panel's width needs; the icon stands at the first."""
    region = bpy.context.region
    width = _DEFAULT_WIDTH if region is None else region.width
    scale = bpy.context.preferences.system.ui_scale or 1.0  # 0 before the first window is drawn
    letters = int(width / (_PIXELS_A_LETTER * scale))
    column = layout.column(align=True)
    for index, line in enumerate(textwrap.wrap(text, max(letters, _FEWEST_LETTERS))):
        column.label(text=line, icon=icon if index == 0 else ("NONE" if icon == "NONE" else "BLANK1"))


def draw_error(layout: Any, error: LatentManError, *, dismiss: bool = False) -> None:
    """What went wrong, what to do, and the buttons that do it; with `dismiss` one that takes the message away."""
    box = layout.box()
    draw_text(box, error.message, "ERROR")
    if error.hint:
        draw_text(box, error.hint, "BLANK1")
    row = box.row(align=True)
    for fix in fixes_for(error.code):
        button = row.operator(fix.operator, text=fix.label)
        for name, value in fix.properties:
            setattr(button, name, value)
    if dismiss:
        row.operator("latentman.clear_error", text="", icon="X")
