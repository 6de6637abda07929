"""What the renderer will see: the dependency graph of a render, read without rendering.

Only a render evaluates modifiers, levels, switches and visibility as the pictures will have them; the viewport's
evaluation may differ in all of these. A render engine is handed that dependency graph, so an engine of our own asks
for a render, reads, and draws nothing. Registered in the child alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import bpy

from ..shared.errors import RenderError

_ENGINE = "LATENTMAN_PROBE"
_T = TypeVar("_T")


class RenderProbe:
    """Reads the render's dependency graph of one scene and view layer, at the scene's present frame."""

    def __init__(self, scene: Any, view_layer: Any) -> None:
        self._scene = scene
        self._view_layer = view_layer
        self._read: Callable[[Any], Any] | None = None
        self._found: list[Any] = []
        self._error: Exception | None = None
        self._engine = _engine_class(self._take)
        bpy.utils.register_class(self._engine)

    def read(self, function: Callable[[Any], _T]) -> _T:
        """What `function` makes of the dependency graph, which ends with the call. Raises what `function` raises."""
        return self.read_of(self._scene, self._view_layer, function)

    def read_of(self, scene: Any, view_layer: Any, function: Callable[[Any], _T]) -> _T:
        """As `read`, of another scene."""
        self._read, self._error = function, None
        self._found.clear()
        scene.render.engine = _ENGINE
        bpy.ops.render.render(write_still=False, scene=scene.name, layer=view_layer.name)
        self._read = None
        if self._error is not None:
            raise self._error
        if not self._found:
            raise RenderError("render.no_picture", f"Blender rendered nothing for frame {scene.frame_current}.")
        found: _T = self._found[-1]
        return found

    def close(self) -> None:
        """Take the engine out of Blender: 4.2 crashes when it ends with one registered."""
        self._scene.render.engine = "CYCLES"
        bpy.utils.unregister_class(self._engine)

    def _take(self, depsgraph: Any) -> None:
        """Called by Blender, which would print an exception and go on."""
        if self._read is None:
            return
        try:
            self._found.append(self._read(depsgraph))
        except Exception as error:  # noqa: BLE001 - raised again by `read`
            self._error = error


def _engine_class(take: Callable[[Any], None]) -> type[Any]:
    class LatentManProbe(bpy.types.RenderEngine):
        """Draws nothing."""

        bl_idname = _ENGINE
        bl_label = "LatentMan probe"

        def update(self, data: Any = None, depsgraph: Any = None) -> None:
            """Hand the dependency graph on."""
            take(depsgraph)

        def render(self, depsgraph: Any) -> None:  # type: ignore[override]  # the stubs have a setting of this name too
            """Draw nothing."""

    return LatentManProbe
