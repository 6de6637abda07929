"""The motion model that ships, and others that `latentman train-motion` made: how a folder of one is recognised."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ...models.places import json_values
from .spec import MotionFamily

CONFIG_FILE: Final = "config.json"
FORMAT_KEY: Final = "latentman_motion"


def _is_embedded(place: Path) -> bool:
    return place.is_dir() and FORMAT_KEY in json_values(place / CONFIG_FILE)


EMBEDDED_MOTION: Final = MotionFamily(
    name="embedded",
    label="embedded motion model",
    accepted="a folder that latentman train-motion made",
    is_mine=_is_embedded,
)
