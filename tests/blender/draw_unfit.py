"""Registers the add-on where pyzmq cannot be imported, and prints what it draws."""

from __future__ import annotations

import json
import os
import sys
import traceback
from types import SimpleNamespace
from typing import Any

import bpy

sys.modules["zmq"] = None  # type: ignore[assignment]  # what makes an import fail

import blender_addon  # noqa: E402
from blender_addon import unfit  # noqa: E402


def draw_menu(menu: Any, context: Any) -> None:
    """Draw both, take all back, end."""
    whole = False
    try:
        drawn = SimpleNamespace(layout=menu.layout.column())
        unfit.LATENTMAN_PT_unfit.draw(drawn, context)  # type: ignore[arg-type]
        unfit.LatentManUnfitPreferences.draw(drawn, context)  # type: ignore[arg-type]
        print("DRAWN", json.dumps(menu.layout.introspect()), flush=True)
        blender_addon.unregister()
        assert not [name for name in dir(bpy.types) if "LATENTMAN" in name.upper()]
        whole = True
    finally:
        if not whole:
            traceback.print_exc()
        os._exit(0 if whole else 1)


if __name__ == "__main__":
    bpy.ops.wm.read_factory_settings()
    blender_addon.register()
    assert hasattr(bpy.types, "LATENTMAN_PT_unfit") and not hasattr(bpy.types.Scene, "latentman")
    manager: Any = bpy.context.window_manager
    with bpy.context.temp_override(window=manager.windows[0]):
        manager.popup_menu(draw_menu)
