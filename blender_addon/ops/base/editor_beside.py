"""An editor beside the 3D view, for what is looked at or written while the character is in sight."""

from __future__ import annotations

from typing import Any

import bpy

_SHARE = 0.45  # of the 3D view's width


def has_view(context: Any) -> bool:
    """Whether the window has a 3D view whose place can be shared."""
    return context.screen is not None and any(one.type == "VIEW_3D" for one in context.screen.areas)


def text_editor(context: Any) -> Any:
    """A text editor of this window; None if there is none."""
    areas = () if context.screen is None else context.screen.areas
    return next((one for one in areas if one.type == "TEXT_EDITOR"), None)


def open_beside(context: Any, kind: str) -> Any:
    """Split the largest 3D view and return the new area, an editor of this kind; `has_view` must be true."""
    screen = context.screen
    before = set(screen.areas)
    view = max((one for one in before if one.type == "VIEW_3D"), key=lambda one: one.width * one.height)
    with context.temp_override(area=view, region=view.regions[0]):
        bpy.ops.screen.area_split(direction="VERTICAL", factor=_SHARE)
    (new,) = set(screen.areas) - before
    new.type = kind
    return new
