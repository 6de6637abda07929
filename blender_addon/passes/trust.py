"""Whether the open file's Python code may run: in the child exactly as here.

Blender does not say. It does say that code was blocked, but where none was, perhaps none was tried. So the permission
is taken from the user's settings, or from code of the file that has run and could not have run blocked.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import bpy

from ..shared.errors import RenderError

ALLOWED, BLOCKED, UNKNOWN = "allowed", "blocked", "unknown"

# What Blender refuses in a driver's expression where Python code is not allowed; calls and names it may let pass.
_NEEDS_TRUST = (ast.Attribute, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SWITCHES = ("-y", "--enable-autoexec")


def scripts_of_open_file(context: Any) -> str:
    """ALLOWED, BLOCKED, or UNKNOWN where nothing of the file has been tried yet."""
    if bpy.app.autoexec_fail:
        return BLOCKED
    options = sys.argv[: sys.argv.index("--")] if "--" in sys.argv else sys.argv
    if context.preferences.filepaths.use_scripts_auto_execute or any(switch in options for switch in _SWITCHES):
        return ALLOWED
    # If these were blocked, Blender would have said so: of the first at loading, of the second when it was shown.
    registered = any(text.use_module for text in bpy.data.texts)
    ran = registered or any(_needs_trust(curve) for _, curve in _running(context.view_layer))
    return ALLOWED if ran else UNKNOWN


def running_drivers(context: Any) -> tuple[str, ...]:
    """The names of the drivers with an expression that run here."""
    return tuple(name for name, _ in _running(context.view_layer))


def require_drivers(items: Iterable[Any], scripts: str, running: tuple[str, ...]) -> None:
    """In the child: raise RenderError if a driver fails that runs for the user, or may run there.

    `items` are evaluated objects: a render leaves the original ones as they were.
    """
    for name, curve in _drivers(items):
        if curve.mute or curve.driver.is_valid:
            continue
        if name in running or (scripts == UNKNOWN and _needs_trust(curve)):
            raise RenderError(
                "render.scripts",
                f"The driver {curve.driver.expression!r} of {name} does not run in the child Blender.",
                "Allow Python: Preferences > Save & Load > Auto Run Python Scripts. Add-ons are not loaded there.",
            )


def _running(view_layer: Any) -> Iterator[tuple[str, Any]]:
    """Of the objects on show, which Blender evaluates."""
    depsgraph = view_layer.depsgraph
    shown = [] if depsgraph is None else [item.original for item in depsgraph.objects]
    return ((name, curve) for name, curve in _drivers(shown) if curve.driver.is_valid and not curve.mute)


def _drivers(items: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """The drivers with an expression of some objects, their data and shape keys, each with a name."""
    for item in items:
        for owner in (item, item.data, getattr(item.data, "shape_keys", None)):
            if owner is None or owner.animation_data is None:
                continue
            for curve in owner.animation_data.drivers:
                if curve.driver.type == "SCRIPTED":
                    yield f"{owner.name_full!r}.{curve.data_path}[{curve.array_index}]", curve


def _needs_trust(curve: Any) -> bool:
    if curve.driver.is_simple_expression:
        return False
    try:
        tree = ast.parse(curve.driver.expression.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return False
    return any(isinstance(node, _NEEDS_TRUST) for node in ast.walk(tree))
