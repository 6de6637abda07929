"""Runs in the Blender of a `Window`: Python from outside, executed in the main thread by a timer.

    blender --python inside_window.py

`/scratch/window.sock` takes one source text a connection and answers with one line of JSON: `value` is what the text
left in `result`, `error` the traceback where it failed.
"""

from __future__ import annotations

import contextlib
import json
import socket
import traceback
from pathlib import Path
from typing import Any

import bpy

ADDRESS = Path("/scratch/window.sock")
_PERIOD_S = 0.01
_AROUND = range(-28, 29, 4)  # pixels: the highest button


def view() -> Any:
    """The context of the first 3D view, in which operators find what they find when a user presses their button."""
    return _region("WINDOW")


def sidebar() -> Any:
    """The context of the first 3D view's sidebar."""
    return _region("UI")


def _region(kind: str) -> Any:
    manager: Any = bpy.context.window_manager
    window = manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == kind)
    return bpy.context.temp_override(window=window, area=area, region=region)


def choose_tab(name: str) -> bool:
    """Choose a tab of the 3D view's sidebar; False while the sidebar has not been drawn and has none yet."""
    with sidebar():
        region: Any = bpy.context.region
        try:
            region.active_panel_category = name
        except AttributeError:
            return False
        return bool(region.active_panel_category == name)


def look_for(what: str, places: list[tuple[int, int]], hover_s: float) -> None:
    """Move the mouse over these pixels (the origin is the lower left corner) until what it points at begins with
    `what`, then up and down there; `found` then is the middle of it, or "nothing"."""
    ahead = iter(places)
    tried: list[tuple[int, int]] = []
    hits: list[tuple[int, int]] = []
    _NAMES["found"] = None

    def look() -> float | None:
        nonlocal ahead
        if tried and under_the_mouse().startswith(what):
            if not hits:
                x, y = tried[-1]
                ahead = iter([(x, y + step) for step in _AROUND])
            hits.append(tried[-1])
        place = next(ahead, None)
        if place is None:
            _NAMES["found"] = sorted(set(hits))[len(set(hits)) // 2] if hits else "nothing"
            return None
        tried.append(place)
        manager: Any = bpy.context.window_manager
        manager.windows[0].cursor_warp(*place)
        return hover_s

    bpy.app.timers.register(look)


def under_the_mouse() -> str:
    """The operator or the property that the mouse points at in the sidebar, as Blender would copy it; else nothing."""
    manager: Any = bpy.context.window_manager
    buttons: Any = bpy.ops.ui
    manager.clipboard = ""
    with sidebar():
        if buttons.copy_python_command_button.poll():
            buttons.copy_python_command_button()
        elif buttons.copy_data_path_button.poll():
            buttons.copy_data_path_button()
    return str(manager.clipboard)


_NAMES: dict[str, Any] = {one.__name__: one for one in (bpy, view, sidebar, choose_tab, look_for, under_the_mouse)}
_listener = socket.socket(socket.AF_UNIX)


def _answer(connection: socket.socket) -> None:
    source = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    answer: dict[str, Any] = {}
    _NAMES["result"] = None
    try:
        exec(compile(source, "<window>", "exec"), _NAMES)
        answer["value"] = _NAMES["result"]
    except Exception:  # noqa: BLE001 - whatever it is, it is told to the one who asked
        answer["error"] = traceback.format_exc()
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(answer, default=str).encode())


def _serve() -> float:
    with contextlib.suppress(BlockingIOError):
        connection, _ = _listener.accept()
        with connection:
            connection.setblocking(True)
            _answer(connection)
    return _PERIOD_S


ADDRESS.unlink(missing_ok=True)
_listener.bind(str(ADDRESS))
_listener.listen()
_listener.setblocking(False)
bpy.app.timers.register(_serve, persistent=True)
