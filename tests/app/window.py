"""A real Blender in a real window: a display of its own, Python in the running Blender, mouse, keyboard, pictures.

    with open_window(blender) as window:
        window.python("bpy.context.scene.frame_end = 4")
        window.press("latentman.generate", "generation().running")
        window.picture().save("panel.png")

Needs nothing but the Blender's own root folder (tests.app.provision), which holds the X server and xdotool.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .real_blender import PROJECT, RealBlender

SIZE = (1280, 900)
_START_LIMIT_S = 120.0
_ANSWER_LIMIT_S = 120.0
_ROW = 14  # pixels; a button is 20 high
_COLUMNS = (1 / 3, 4 / 5, 3 / 5)  # of the sidebar's width: where a row has one button, two or three
_HOVER_S = (0.05, 0.2, 0.5)  # what Blender gets to know what is under the mouse, at the first look and at later ones
_SETTLE_S = 0.15  # what the window needs to take an event and to draw
_NEXT_HEADER = 32  # pixels from the middle of a panel's last button to that of the next header
_SUB_HEADER = 26  # pixels from a header to that of a sub-panel below it, and from there to the next
_ALL_THE_WAY = 60  # clicks of the wheel that reach the other end of the sidebar
_PANEL_S = 0.5  # a panel opens and closes as a small film
_PRESS_S = 30.0  # how long it may take until something comes of a press
_XWD_HEADER = 25  # numbers of four bytes, the first the length of the header with the window's name
_XWD_COLOUR_BYTES = 12

# The backend lives outside of the Blender's root folder, with its own Python; keys and port go through the same pipes.
_BACKEND = """#!/bin/sh
exec /usr/sbin/chroot /tmp/host /usr/bin/env "PATH=$PATH" HOME={home} PYTHONPATH={project} OMP_NUM_THREADS=1 \\
    {python} -m backend "$@"
"""


class InsideError(Exception):
    """Python that was run in the window's Blender has failed; the message is its traceback."""


@dataclass(slots=True)
class Window:
    """A running Blender with its display; `open_window` makes it."""

    blender: RealBlender
    display: str
    process: subprocess.Popen[str]
    log: Path
    size: tuple[int, int]
    _screen: Path = field(repr=False)

    # ---- Python

    def python(self, source: str) -> Any:
        """Run statements in Blender's main thread and return what they leave in `result`, which must be JSON.

        The names `bpy`, `view()` and `sidebar()` (tests.app.inside_window) are there. Raises InsideError.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ANSWER_LIMIT_S)
            connection.connect(str(self.blender.scratch / "window.sock"))
            connection.sendall(source.encode())
            connection.shutdown(socket.SHUT_WR)
            said = b"".join(iter(lambda: connection.recv(65536), b""))
        if not said:
            raise InsideError(f"Blender ended while it ran:\n{source}\n{self.said()}")
        answer = json.loads(said)
        if "error" in answer:
            raise InsideError(f"{answer['error']}\n{self.said()}")
        return answer["value"]

    def value(self, expression: str) -> Any:
        """The value of an expression in Blender."""
        return self.python(f"result = {expression}")

    def wait(self, expression: str, limit_s: float = 600.0) -> Any:
        """Ask until an expression is true, and return its value."""
        limit = time.monotonic() + limit_s
        while not (value := self.value(expression)):
            assert time.monotonic() < limit, f"it did not come true in {limit_s:g} s: {expression}\n{self.said()}"
            time.sleep(0.05)
        return value

    def said(self) -> str:
        """What Blender has printed so far."""
        return self.log.read_text(errors="replace")

    # ---- Mouse and keyboard

    def xdotool(self, *words: str) -> None:
        """Send events by xdotool."""
        process = self.blender.start_program("xdotool", *words, display=self.display)
        done = self.blender.finish(process)
        assert done.returncode == 0, done.stderr

    def move(self, x: int, y: int) -> None:
        """Put the mouse at a pixel; the origin is the upper left corner, as in pictures.

        It comes from beside it: a mouse that is there already tells Blender nothing.
        """
        self.xdotool("mousemove", str(x - 2), str(y), "mousemove", str(x), str(y))
        time.sleep(_SETTLE_S)

    def click(self, x: int, y: int) -> None:
        """Press the left button there."""
        self.move(x, y)
        self.xdotool("click", "1")
        time.sleep(_SETTLE_S)

    def key(self, *names: str) -> None:
        """Press keys one after the other, named as X names them: `ctrl+z`."""
        self.xdotool("key", "--delay", "40", *names)
        time.sleep(_SETTLE_S)

    def type(self, text: str) -> None:
        """Type a text."""
        self.xdotool("type", "--delay", "30", text)
        time.sleep(_SETTLE_S)

    def open_sidebar(self) -> None:
        """Close the splash screen and show this add-on's tab of the 3D view's sidebar."""
        self.key("Escape")
        self.move(self.size[0] // 3, self.size[1] // 2)
        self.python(_SHOW_SIDEBAR)
        self.wait(_CHOOSE_TAB)
        self.python(_REDRAW)

    # ---- What is to be seen

    def picture(self) -> Image.Image:
        """The whole screen as it is now."""
        time.sleep(_SETTLE_S)
        data = self._screen.read_bytes()
        header = np.frombuffer(data, ">u4", _XWD_HEADER)
        width, height, stride, colours = (int(header[index]) for index in (4, 5, 12, 19))
        start = int(header[0]) + colours * _XWD_COLOUR_BYTES
        rows = np.frombuffer(data, np.uint8, stride * height, start).reshape(height, stride // 4, 4)
        return Image.fromarray(np.ascontiguousarray(rows[:, :width, 2::-1]))

    def box(self, area: str, region: str = "") -> tuple[int, int, int, int]:
        """Left, top, right and bottom in the picture's pixels of the first area of a type, or of one of its regions."""
        return tuple(self.python(_BOX.format(area=area, region=region)))

    def press(self, operator: str, expected: str, *, upwards: bool = False) -> None:
        """Click an operator's button once, and wait until an expression is true."""
        self.click(*self.find_button(operator, upwards=upwards))
        self.wait(expected, _PRESS_S)

    def find_button(self, operator: str, *, upwards: bool = False) -> tuple[int, int]:
        """Where the button of an operator is to be seen in the sidebar: `latentman.generate`, or with what it is called
        with, `latentman.resume(take="take-002")`."""
        return self._find(f"bpy.ops.{operator}" if "(" in operator else f"bpy.ops.{operator}(", upwards)

    def find_field(self, path: str, *, upwards: bool = False) -> tuple[int, int]:
        """Where the field of a scene's property, `latentman.prompt`, is to be seen in the sidebar."""
        return self._find(path, upwards)

    def _find(self, what: str, upwards: bool) -> tuple[int, int]:
        """Look by moving the mouse down (or up) the sidebar and asking Blender what is under it."""
        left, top, right, bottom = self.box("VIEW_3D", "UI")
        columns = tuple(left + int((right - left) * share) for share in _COLUMNS)
        rows = sorted(range(top + 10, bottom, _ROW), reverse=upwards)
        places = [(x, self._flipped(y)) for x in columns for y in rows]
        for hover_s in _HOVER_S:
            self.python(f"look_for({what!r}, {places}, {hover_s})")
            found = self.wait("found")
            if found == "nothing":
                continue
            x, y = found[0], self._flipped(found[1])
            self.move(x, y)
            # A slow Blender may have answered for the place before.
            if self.value("under_the_mouse()").startswith(what):
                return x, y
        raise AssertionError(f"there is no {what} to be seen")

    def _flipped(self, y: int) -> int:
        """A row of pixels counted from the other edge: Blender's first is the lowest, X's the highest."""
        return self.size[1] - 1 - y

    def toggle_panel_below(self, x: int, y: int) -> None:
        """Open or close the sub-panel whose header is the next thing below a panel's last button or field."""
        self.click(x, y + _NEXT_HEADER)
        time.sleep(_PANEL_S)

    @contextlib.contextmanager
    def open_setting(self, name: str) -> Iterator[None]:
        """Open a sub-panel of Settings, by its label, and scroll to its end; afterwards fold it and Settings again."""
        below = _SUB_HEADER * (1 + self.python(_SETTINGS_PANELS).index(name))
        self._click_settings(0)
        self._click_settings(below)
        self.scroll(_ALL_THE_WAY)
        yield
        self._click_settings(below)
        self._click_settings(0)

    def _click_settings(self, below: int) -> None:
        """Click the header of Settings, or what is so many pixels below it while all sub-panels above are folded."""
        self.scroll(_ALL_THE_WAY)
        x, y = self.find_button("latentman.put_texture_on_body")  # in the last row of Takes
        self.toggle_panel_below(x, y + below)

    def scroll(self, clicks: int) -> None:
        """Scroll the sidebar; up where the number is negative."""
        left, top, right, bottom = self.box("VIEW_3D", "UI")
        self.move((left + right) // 2, (top + bottom) // 2)
        self.xdotool("click", "--repeat", str(abs(clicks)), "--delay", "10", "5" if clicks > 0 else "4")
        time.sleep(_SETTLE_S)

    def quit(self) -> int:
        """Quit as the menu does, and return Blender's exit code."""
        with contextlib.suppress(InsideError, OSError):
            self.python("bpy.app.timers.register(lambda: bpy.ops.wm.quit_blender() and None, first_interval=0.05)")
        return self.process.wait(60)


_SHOW_SIDEBAR = """
area = next(one for one in bpy.context.window_manager.windows[0].screen.areas if one.type == "VIEW_3D")
area.spaces[0].show_region_ui = True
area.tag_redraw()
"""
# Panels are registered, and drawn, in the order in which their classes are made.
_SETTINGS_PANELS = """
result = [one.bl_label for one in bpy.types.Panel.__subclasses__()
          if getattr(one, "bl_parent_id", "") == "LATENTMAN_PT_settings"]
"""
_CHOOSE_TAB = "choose_tab('LatentMan')"
_REDRAW = "[one.tag_redraw() for one in bpy.context.window_manager.windows[0].screen.areas]"
_BOX = """
window = bpy.context.window_manager.windows[0]
found = next(one for one in window.screen.areas if one.type == {area!r})
if {region!r}:
    found = next(one for one in found.regions if one.type == {region!r})
result = [found.x, window.height - found.y - found.height, found.x + found.width, window.height - found.y]
"""


@contextlib.contextmanager
def open_window(blender: RealBlender, *arguments: str, size: tuple[int, int] = SIZE) -> Iterator[Window]:
    """Start Blender in a window of the screen's size, with these arguments, and end it with its display afterwards."""
    _install_backend(blender)
    log = blender.scratch / "window.log"
    log.write_text("")
    with _screen(blender, size) as (display, screen):
        script = f"/project/{Path(__file__).with_name('inside_window.py').relative_to(PROJECT)}"
        geometry = ("--window-geometry", "0", "0", *map(str, size))
        backend = ("--gpu-backend", "opengl") if blender.suite.series > "5" else ()
        words = ("blender", *backend, *geometry, *arguments, "--python", script)
        process = blender.start_program(*words, display=display, log=log)
        window = Window(blender, display, process, log, size, screen)
        try:
            _wait_until_it_listens(window)
            yield window
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _install_backend(blender: RealBlender) -> None:
    command = blender.scratch / "bin" / "latentman"
    command.parent.mkdir(exist_ok=True)
    command.write_text(_BACKEND.format(home=blender.scratch / "home", project=PROJECT, python=sys.executable))
    command.chmod(0o755)


def _wait_until_it_listens(window: Window) -> None:
    limit = time.monotonic() + _START_LIMIT_S
    while True:
        assert window.process.poll() is None, f"Blender ended with code {window.process.returncode}:\n{window.said()}"
        assert time.monotonic() < limit, f"Blender's window did not come:\n{window.said()}"
        with contextlib.suppress(OSError):
            if window.value("bool(bpy.context.window_manager.windows)"):
                return
        time.sleep(0.2)


@contextlib.contextmanager
def _screen(blender: RealBlender, pixels: tuple[int, int]) -> Iterator[tuple[str, Path]]:
    """A display on the first free number, and the file in which its pixels are."""
    (blender.scratch / "screen").mkdir(exist_ok=True)
    size = f"{pixels[0]}x{pixels[1]}x24"
    words = (
        "Xvfb",
        "-displayfd",
        "1",
        "-screen",
        "0",
        size,
        "-fbdir",
        "/scratch/screen",
        "-nolisten",
        "tcp",
        "-nocursor",
    )
    process = blender.start_program(*words, "+extension", "GLX")
    assert process.stdout is not None and process.stderr is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], _START_LIMIT_S)
        number = process.stdout.readline().strip() if ready else ""
        assert number.isdigit(), f"the X server did not start: {process.stderr.read()[-500:]}"
        yield f":{number}", blender.scratch / "screen" / "Xvfb_screen0"
    finally:
        process.terminate()
        process.communicate()
