"""Draws the backend's part of the preferences and prints it: `python -m tests.blender.draw_preferences SCENE WHEEL`.

As `draw_panels`. BLENDER_USER_RESOURCES must name a folder of the test's own: the backend is installed below it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import bpy

import blender_addon
from blender_addon.client.backend_command import program_in
from blender_addon.client.own_environment import own_environment
from blender_addon.ops.install_backend import install_order
from blender_addon.scene.preferences import addon_preferences
from blender_addon.shot.generation import BackendChoice, backend_command, environments_folder
from blender_addon.shot.running import generation
from blender_addon.ui.backend import draw_backend
from blender_addon.ui.install import draw_place
from tests.blender.scenes import context, operators


def missing(preferences: Any, wheel: str) -> None:
    """A folder without a backend is named."""
    preferences.backend = os.path.dirname(wheel)


def begun(preferences: Any, wheel: str) -> None:
    """The installation is under way."""
    preferences.package = wheel
    generation().install.start(install_order(context))


def failed(preferences: Any, wheel: str) -> None:
    """What is to be installed is not there."""
    preferences.package = f"{wheel}.gone"
    with contextlib.suppress(RuntimeError):  # an operator's error is an exception for a script
        operators.latentman.install_backend()


def installed(preferences: Any, wheel: str) -> None:
    """All of it, and the version asked for."""
    assert operators.latentman.install_backend(filepath=wheel) == {"FINISHED"}
    assert preferences.package == wheel
    environment = own_environment(environments_folder())
    assert environment is not None, generation().install.error
    preferences.backend = str(environment)
    command = backend_command(BackendChoice(preferences.backend))
    assert command.words[0] == str(program_in(environment))
    generation().version.ask(command)
    while generation().version.running:
        generation().tick()


def removed(preferences: Any, wheel: str) -> None:
    """Installed, and removed again."""
    installed(preferences, wheel)
    preferences.backend = ""
    assert operators.latentman.remove_backend() == {"FINISHED"}
    assert own_environment(environments_folder()) is None


def draw(scenario: Callable[[Any, str], None], wheel: str) -> None:
    """Draw a scenario, print, end."""
    bpy.ops.wm.read_factory_settings()
    blender_addon.register()
    addon = context.preferences.addons.new()
    addon.module = "blender_addon"
    preferences = addon_preferences(bpy.context)
    scenario(preferences, wheel)

    def draw_menu(menu: Any, context: Any) -> None:
        whole = False
        try:
            draw_place(menu.layout.column(), preferences)
            menu.layout.label(text="PANEL")
            draw_backend(menu.layout.column(), context)
            print("DRAWN", json.dumps(menu.layout.introspect()), flush=True)
            whole = True
        finally:
            if not whole:
                traceback.print_exc()
            generation().close()
            os._exit(0 if whole else 1)

    with bpy.context.temp_override(window=context.window_manager.windows[0]):
        context.window_manager.popup_menu(draw_menu)


if __name__ == "__main__":
    scenarios = {one.__name__: one for one in (missing, begun, failed, installed, removed)}
    draw(scenarios[sys.argv[1]], sys.argv[2])
