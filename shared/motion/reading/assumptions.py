"""What a file does not say, how it was read all the same, and who said so: each of it can be wrong, and changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..up_axis import Up

# Whose word it is: the user's, the file's own, what the body in it shows, the format's convention, the scene's rate.
Source = Literal["user", "file", "content", "format", "scene"]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """How a clip was read."""

    format: str
    fps: float
    fps_from: Source
    up: Up  # never "auto"
    up_from: Source
    unit_m: float | None  # metres in one unit of places; None: any unit, the clip was scaled to the body
    unit_from: Source
    said: tuple[str, ...] = ()  # the same in sentences, which are among the motion's notes
