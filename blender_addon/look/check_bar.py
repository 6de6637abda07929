"""A bar a frame on the timeline, where the check has found something: yellow above the threshold, red above twice it.

It is drawn into the dope sheet and the timeline, for the active character, below the numbers of the frames. Nothing of
it is kept in a file: it is switched for the running Blender, and what it shows is kept on the armature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import bpy
import gpu
import numpy as np

from ..rig.character import chosen_character
from ..rig.stack.problem_frames import Problems, stored_problems
from ..shared.errors import InputError

Colour = tuple[float, float, float, float]

_ABOVE: Final[Colour] = (0.95, 0.75, 0.2, 0.9)
_FAR_ABOVE: Final[Colour] = (0.9, 0.25, 0.2, 0.9)
_FAR: Final = 2.0  # times the threshold
_HEIGHT: Final = 6  # pixels at the interface's scale 1
_BELOW_TOP: Final = 23  # where the frame numbers end: the lowest timeline shows 3 pixels more
_NARROWEST: Final = 1.5  # pixels of a bar, where a frame is less


@dataclass(frozen=True, slots=True)
class Bar:
    """Frames of one colour that follow each other, both ends included."""

    first: int
    last: int
    colour: Colour


class _Shown:
    """What is registered while the bar is on, because Blender has no list of draw handlers."""

    handler: Any = None


def bars_of(problems: Problems) -> Iterator[Bar]:
    """The bars, from left to right: a frame has the colour of its worst problem."""
    worst = np.zeros(max((len(one.values) for one in problems.found), default=0), np.int8)
    for one in problems.found:
        level = (one.values > one.check.threshold).astype(np.int8)
        far = one.check.threshold > 0
        level += (one.values > _FAR * one.check.threshold) & far
        worst[: len(level)] = np.maximum(worst[: len(level)], level)
    edges = np.flatnonzero(np.diff(worst, prepend=-1, append=-1))
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if worst[start]:
            colour = _FAR_ABOVE if worst[start] > 1 else _ABOVE
            yield Bar(problems.first + start, problems.first + end - 1, colour)


def corners_of(bar: Bar, pixel_of: Callable[[float], float], top: float, height: float) -> list[tuple[float, float]]:
    """The corners of a bar's two triangles in the region's pixels; `pixel_of` gives a frame's place across."""
    left, right = pixel_of(bar.first - 0.5), pixel_of(bar.last + 0.5)
    right = max(right, left + _NARROWEST)
    bottom = top - height
    return [(left, bottom), (right, bottom), (right, top), (left, bottom), (right, top), (left, top)]


def bar_is_shown() -> bool:
    """Whether the bar is switched on."""
    return _Shown.handler is not None


def show_bar() -> None:
    """Switch it on. Harmless where it is on."""
    if _Shown.handler is None:
        space: Any = bpy.types.SpaceDopeSheetEditor
        _Shown.handler = space.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")


def hide_bar() -> None:
    """Switch it off. Harmless where it is off."""
    if _Shown.handler is not None:
        space: Any = bpy.types.SpaceDopeSheetEditor
        space.draw_handler_remove(_Shown.handler, "WINDOW")
        _Shown.handler = None


def _draw() -> None:
    """Blender calls it for each region of a dope sheet that it draws."""
    context: Any = bpy.context
    try:
        problems = stored_problems(chosen_character(context).armature)
    except InputError:
        return
    if problems is not None and problems.worrying:
        _draw_bars(context.region, list(bars_of(problems)), context.preferences.system.ui_scale or 1.0)


def _draw_bars(region: Any, bars: list[Bar], scale: float) -> None:
    def pixel_of(frame: float) -> float:
        return float(region.view2d.view_to_region(frame, 0.0, clip=False)[0])

    shader: Any = gpu.shader.from_builtin("UNIFORM_COLOR")
    kinds: Any = gpu.types  # the stubs know no arguments
    places = kinds.GPUVertFormat()
    places.attr_add(id="pos", comp_type="F32", len=2, fetch_mode="FLOAT")
    top = region.height - _BELOW_TOP * scale
    gpu.state.blend_set("ALPHA")
    shader.bind()
    for colour in (_ABOVE, _FAR_ABOVE):
        corners = [
            place for bar in bars if bar.colour == colour for place in corners_of(bar, pixel_of, top, _HEIGHT * scale)
        ]
        if corners:
            shader.uniform_float("color", colour)
            buffer = kinds.GPUVertBuf(places, len(corners))
            buffer.attr_fill("pos", corners)
            kinds.GPUBatch(type="TRIS", buf=buffer).draw(shader)
    gpu.state.blend_set("NONE")


def redraw_timelines() -> None:
    """Have the timelines draw themselves; in the background there are none."""
    manager: Any = bpy.context.window_manager
    for window in () if manager is None else manager.windows:
        for area in window.screen.areas:
            if area.type == "DOPESHEET_EDITOR":
                area.tag_redraw()


def register() -> None:
    """The bar is on at first; in the background nothing is drawn."""
    if not bpy.app.background:
        show_bar()


def unregister() -> None:
    """Take it away."""
    hide_bar()
