"""The frame rate of a file: the user's, the file's in any spelling, or the format's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ...errors import MotionError
from .clip import Reader
from .fields import Fields

RATE_KEYS: Final = (
    "mocap_framerate", "mocap_frame_rate", "fps", "framerate", "frame_rate", "mocap_fps", "frameRate",
)  # fmt: skip
_NUMBER: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:fps|hz)?\s*", re.IGNORECASE)
_SAY_IT: Final = "Set Frame Rate beside the import (--motion-fps)"


@dataclass(frozen=True, slots=True)
class Rate:
    """Frames a second, and a sentence where the file has none: a note, or a warning where they are a guess."""

    fps: float
    note: str = ""
    warning: str = ""


def frame_rate(fields: Fields, given: float | None, reader: Reader) -> Rate:
    """The rate. Raises MotionError `motion.wrong_type` where the file's is no number and none is given."""
    key = fields.first(*RATE_KEYS)
    if given is not None:
        why = "The file has no frame rate" if key is None else "The file's frame rate is not used"
        return Rate(given, f"{why}; {given:g} fps was given.")
    if key is not None:
        return Rate(_number(fields, key))
    none = f"The file has no frame rate; {reader.fps:g} fps"
    if reader.fps_certain:
        return Rate(reader.fps, note=f"{none}, {reader.name}'s rate, is assumed. {_SAY_IT} if it differs.")
    return Rate(reader.fps, warning=f"{none} is a guess. {_SAY_IT} if it plays too fast or too slowly.")


def _number(fields: Fields, key: str) -> float:
    text = _NUMBER.fullmatch(fields.label(key))
    if text is not None:
        return float(text[1])
    try:
        return float(fields.numbers(key, ()))
    except MotionError as error:
        raise fields.fault(error.code, key, "is no frame rate", f"{_SAY_IT}.") from error
