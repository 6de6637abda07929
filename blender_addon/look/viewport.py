"""The 3D view that a button belongs to, and what it shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy


def viewport_of(context: Any) -> Any:
    """The 3D view that the button is in, or beside: the first one of the window; None if there is none."""
    areas = () if context.screen is None else context.screen.areas
    spaces = [context.space_data, *(area.spaces.active for area in areas)]
    return next((space for space in spaces if space is not None and space.type == "VIEW_3D"), None)


def viewport_name(space: Any) -> str:
    """A name by which a 3D view is found again after undo and in a saved file; empty if no screen shows it."""
    for screen in bpy.data.screens:
        for index, area in enumerate(screen.areas):
            if area.spaces.active == space:
                return f"{screen.name} {index}"
    return ""


def shading_of(space: Any, names: Iterable[str]) -> dict[str, str]:
    """What a 3D view's shading is set to."""
    return {name: getattr(space.shading, name) for name in names}


def set_shading(space: Any, values: dict[str, str]) -> None:
    """Set a 3D view's shading, in the order of the values: what there is to choose depends on the type."""
    for name, value in values.items():
        setattr(space.shading, name, value)
