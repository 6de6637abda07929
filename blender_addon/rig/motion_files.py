"""Motion files as the add-on opens them: what must be unpickled is read by a process of its own, never in Blender."""

from __future__ import annotations

from pathlib import Path

from ..shared.motion import MotionFile, opening
from ..shared.motion import open_motion as _open_motion


def open_motion(path: Path) -> MotionFile:
    """The file, its entries told apart. Raises MotionError for what is no motion file."""
    return _open_motion(path, opening.read_in_child)
