"""Whether the open file's Python code may run: in the child exactly as here.

Blender does not tell. It does tell that code was blocked; that none was says nothing where none has been tried. So
the permission is taken from the user's settings, or from code of the file that has run and could not have run blocked.
"""

from __future__ import annotations

import ast
import sys
from typing import Any

import bpy

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
    return ALLOWED if _has_run(context.view_layer) else UNKNOWN


def _has_run(view_layer: Any) -> bool:
    """Whether a driver of an object on show has run that needs the permission. Blocked, it would have been told."""
    depsgraph = view_layer.depsgraph
    shown = () if depsgraph is None else [item.original for item in depsgraph.objects]
    return any(_needs_trust(curve) for owner in shown for curve in _drivers(owner))


def _drivers(item: Any) -> list[Any]:
    owners = [item, item.data]
    found = [owner.animation_data for owner in owners if owner is not None]
    return [curve for animation in found if animation is not None for curve in animation.drivers]


def _needs_trust(curve: Any) -> bool:
    driver = curve.driver
    if curve.mute or driver.type != "SCRIPTED" or not driver.is_valid or driver.is_simple_expression:
        return False
    try:
        tree = ast.parse(driver.expression.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return False
    return any(isinstance(node, _NEEDS_TRUST) for node in ast.walk(tree))
