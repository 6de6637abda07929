"""Objects selected for a moment, for Blender's operators that work on the selection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from ...shared.errors import InputError


@contextmanager
def only_selected(context: Any, objects: list[Any]) -> Iterator[None]:
    """Object Mode with these objects selected and the first active; mode, selection and active object are put back.

    Raises InputError `export.hidden` where one cannot be selected.
    """
    layer = context.view_layer
    active = layer.objects.active
    selected = [item.name for item in layer.objects if item.select_get(view_layer=layer)]
    mode: Any = "OBJECT" if active is None else active.mode
    name = "" if active is None else active.name
    try:
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for item in layer.objects:
            item.select_set(item in objects, view_layer=layer)
        layer.objects.active = objects[0]
        _require_selected(layer, objects)
        yield
    finally:
        for item in layer.objects:
            item.select_set(item.name in selected, view_layer=layer)
        layer.objects.active = layer.objects.get(name)
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)


def _require_selected(layer: Any, objects: list[Any]) -> None:
    for item in objects:
        if not item.select_get(view_layer=layer):
            raise InputError("export.hidden", f"{item.name!r} is hidden, so it cannot be exported.", "Show it first.")
