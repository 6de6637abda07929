"""Feet below the floor, and feet that stand in the air."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..contacts import BALLS, firmly
from .check import Array, Check, Seen


def below_cm(seen: Seen) -> Array:
    """How far (frames,) the ball of the lower foot is below the floor, cm."""
    return np.asarray(100.0 * np.maximum(seen.floor_m - seen.joints[:, BALLS, 1].min(axis=1), 0.0))


def above_cm(seen: Seen) -> Array:
    """How far (frames,) the lowest foot that stands is above the floor, cm; 0 where none stands."""
    height = seen.joints[:, BALLS, 1] - seen.floor_m - seen.sole_m
    lowest = np.where(firmly(seen.standing, seen.fps), height, np.inf).min(axis=1)
    return np.asarray(100.0 * np.where(np.isfinite(lowest), np.maximum(lowest, 0.0), 0.0))


BELOW_FLOOR: Final = Check(
    name="below_floor",
    label="Below the floor",
    unit="cm",
    threshold=3.0,
    sentence="Feet go up to {value:.0f} cm below the floor",
    repair="put_on_floor",
    measure=below_cm,
)
FLOATING: Final = Check(
    name="floating",
    label="Floating",
    unit="cm",
    threshold=3.0,
    sentence="Planted feet float up to {value:.0f} cm above the floor",
    repair="put_on_floor",
    measure=above_cm,
)
