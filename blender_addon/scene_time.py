"""A scene's frames and frame rate, as all of the add-on reads them."""

from __future__ import annotations

from typing import Any


def scene_range(scene: Any) -> range:
    """The frames that Blender would render: from start to end by the scene's step."""
    return range(scene.frame_start, scene.frame_end + 1, scene.frame_step)


def scene_fps(scene: Any) -> float:
    """The scene's frames a second; its divisor, stored in single precision, as it was typed."""
    return float(scene.render.fps / rounded(scene.render.fps_base))


def rounded(value: float) -> float:
    """A number that Blender stored in single precision, as its user typed it: 7.1, not 7.0999999."""
    return float(f"{value:.6g}")
