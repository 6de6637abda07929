"""The frame rate of a file: the user's, the file's in any spelling, or the format's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...errors import MotionError
from ..model import MAX_FPS
from .assumptions import Source
from .clip import Ask, Reader
from .fields import Fields, as_numbers

RATE_KEYS: Final = (
    "mocap_framerate", "mocap_frame_rate", "fps", "framerate", "frame_rate", "mocap_fps", "frameRate",
)  # fmt: skip
_NUMBER: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)(?:/([1-9][0-9]*))?\s*(?:fps|hz)?\s*", re.IGNORECASE)
_MIN_FPS: Final = 1.0  # less is the time between frames, and would make hours of a clip
_SAY_IT: Final = "Set Frame Rate in the import settings (--motion-fps)"


@dataclass(frozen=True, slots=True)
class Rate:
    """Frames a second, and a sentence if the file has no rate: a note, or a warning if the rate is the scene's."""

    fps: float
    source: Source
    note: str = ""
    warning: str = ""


def rate_key(fields: Fields, reader: Reader) -> str | None:
    """The entry that holds the file's rate."""
    return fields.first(*reader.rate_keys, *RATE_KEYS)


def frame_rate(fields: Fields, ask: Ask, reader: Reader) -> Rate:
    """The rate. Raises MotionError if the file's is not valid, and `motion.no_rate` if nobody and nothing says it."""
    key, given = rate_key(fields, reader), ask.fps
    if given is not None and not _MIN_FPS <= given <= MAX_FPS:
        what = f"{fields.name} cannot be read at {given:g} frames a second."
        raise MotionError("motion.fps", what, f"Set a rate from {_MIN_FPS:g} to {MAX_FPS:g}.")
    if given is not None:
        why = "; the file has none" if key is None else " instead of the file's"
        return Rate(given, "user", f"Frame rate: {given:g} fps, as set{why}.")
    if key is not None:
        return Rate(_number(fields, key), "file")
    none = "The file has no frame rate;"
    if reader.fps is not None:
        usual = f"{none} {reader.fps:g} fps is assumed, the rate of {reader.name}. {_SAY_IT} if it differs."
        return Rate(reader.fps, "format", note=usual)
    if ask.spare_fps is not None:
        spare = f"{none} it was read at the scene's {ask.spare_fps:g} fps. {_SAY_IT} if it plays too fast or too slow."
        return Rate(ask.spare_fps, "scene", warning=spare)
    what = f"{fields.name} does not say its frame rate, and {reader.name} files can have any rate."
    raise MotionError("motion.no_rate", what, f"{_SAY_IT}; {reader.likely_fps:g} is likely.")


def _number(fields: Fields, key: str) -> float:
    """A number, a text, or the same number for every frame. Raises MotionError."""
    text = _NUMBER.fullmatch(fields.label(key))
    if text is not None:
        rate = float(text[1]) / float(text[2] or 1)
    else:
        given = as_numbers(fields.entries[key])
        if given is None or given.size == 0 or np.ptp(given) != 0.0:
            raise fields.fault("motion.wrong_type", key, "is not a frame rate", f"{_SAY_IT}.")
        rate = float(given.flat[0])
    if not _MIN_FPS <= rate <= MAX_FPS:
        between = (
            f" to {1.0 / rate:g} if that number is the time between frames" if 1.0 / MAX_FPS <= rate < _MIN_FPS else ""
        )
        raise fields.fault("motion.fps", key, f"is {rate:g}, which is not a valid frame rate", f"{_SAY_IT}{between}.")
    return rate
