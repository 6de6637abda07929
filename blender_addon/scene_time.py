"""A scene's frames and frame rate, as all of the add-on reads them, and work that goes through them frame by frame."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from typing import Any, TypeVar

_MOST_PARTS = 1001
_SINGLE_PRECISION = 1e-7  # relative

T = TypeVar("T")

# Work that pauses after each frame, so that Blender can draw in between; it returns its result, and puts the scene's
# current frame back however it ends.
Steps = Generator[None, None, T]


def at_once(steps: Steps[T]) -> T:
    """Do all the work without a pause. Raises what it raises."""
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            result: T = ended.value
            return result


def scene_range(scene: Any) -> range:
    """The frames that Blender would render: from start to end by the scene's step."""
    return range(scene.frame_start, scene.frame_end + 1, scene.frame_step)


def scene_fps(scene: Any) -> float:
    """The scene's frames a second, its divisor as it was meant: Blender keeps that in single precision."""
    return float(scene.render.fps / _divisor(scene.render.fps_base))


def _divisor(stored: float) -> float:
    """The simple fraction that single precision does not tell from it (1.001, 48/47 for 23.5), else as it was typed."""
    simple = Fraction(stored).limit_denominator(_MOST_PARTS)
    return float(simple) if abs(stored - simple) <= _SINGLE_PRECISION * stored else rounded(stored)


def rounded(value: float) -> float:
    """A number that Blender stored in single precision, as its user typed it: 7.1, not 7.0999999."""
    return float(f"{value:.6g}")
