"""What a motion file holds, for a choice: takes, people, and what its format says where the file does not."""

from __future__ import annotations

from dataclasses import dataclass

from ..up_axis import Up
from .clip import Reader, Take
from .fields import Fields
from .rates import rate_key


@dataclass(frozen=True, slots=True)
class Contents:
    """A file's takes and its format's assumptions."""

    format: str
    takes: tuple[Take, ...]
    asks_fps: bool  # whether neither the file nor its format says the rate
    likely_fps: float
    up: Up  # the format's
    two_views: bool  # whether the motion is there in the world and as the camera sees it
    unit_m: float | None  # metres in one unit of places; None: any unit, the clip is scaled to the body


def contents(fields: Fields, reader: Reader) -> Contents:
    """The contents of a file that `reader` reads. Raises MotionError where its takes cannot be told."""
    return Contents(
        format=reader.name,
        takes=reader.takes(fields),
        asks_fps=reader.fps is None and rate_key(fields, reader) is None,
        likely_fps=reader.fps or reader.likely_fps,
        up=reader.up,
        two_views=reader.two_views,
        unit_m=reader.unit_m,
    )
