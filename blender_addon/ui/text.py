"""Sentences and errors in a panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import blf
import bpy

from ..help.fixes import fixes_for
from ..shared.errors import LatentManError
from ..shot.running import generation
from ..typed_bpy import preferences
from .wrapping import wrapped

_DEFAULT_WIDTH = 300
_FEWEST_PIXELS = 60
# What is no text in a panel's width, in pixels at the scale 1: the tabs of a sidebar, the edges of panel and box, an
# icon. A panel cannot ask for the width of what it draws.
_TABS, _EDGES, _ICON = 26, 48, 22
_FONT = 0  # the interface's


def draw_text(layout: Any, text: str, icon: str = "NONE") -> None:
    """A sentence over as many lines as the panel's width needs; the icon stands at the first."""
    scale = preferences().system.ui_scale or 1.0  # 0 before the first window is drawn
    region = bpy.context.region
    width = _DEFAULT_WIDTH * scale if region is None else region.width
    sidebar = region is not None and region.type == "UI"
    edges = _EDGES + (_TABS if sidebar else 0) + (0 if icon == "NONE" else _ICON)
    column = layout.column(align=True)
    for index, line in enumerate(wrapped(text, max(width / scale - edges, _FEWEST_PIXELS) * scale, _measure(scale))):
        column.label(text=line, icon=icon if index == 0 else ("NONE" if icon == "NONE" else "BLANK1"))


def draw_problem(layout: Any, place: str) -> None:
    """The message of a panel, with a button that takes it away; nothing if there is none."""
    error = generation().problems.at(place)
    if error is not None:
        column = draw_error(layout, error)
        column.operator("latentman.clear_error", icon="X").place = place


def draw_error(layout: Any, error: LatentManError, *, icon: str = "ERROR") -> Any:
    """What is wrong, what to do, and the buttons that do it; returns the column that they are in."""
    column = layout.box().column(align=True)
    draw_text(column, error.message, icon)
    if error.hint:
        draw_text(column, error.hint, "BLANK1")
    column.separator()
    for fix in fixes_for(error.code):
        button = column.operator(fix.operator, text=fix.label)
        for name, value in fix.properties:
            setattr(button, name, value)
    return column


def _measure(scale: float) -> Callable[[str], float]:
    """How wide a text is drawn, in pixels."""
    blf.size(_FONT, preferences().ui_styles[0].widget.points * scale)
    return lambda text: float(blf.dimensions(_FONT, text)[0])
