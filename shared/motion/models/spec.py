"""What a family of motion models declares: its names, the files by which it is known, and what a user must have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class MotionFamily:
    """A family. `is_mine` looks at names of files and at small JSON files alone, and never raises."""

    name: str
    label: str
    accepted: str  # what of it can be opened, for the manual and error messages
    is_mine: Callable[[Path], bool]
