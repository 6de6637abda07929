"""Feet that stand and yet move along the floor."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..contacts import BALLS, firmly
from .check import Array, Check, Seen


def slide_cm_per_s(seen: Seen) -> Array:
    """Horizontal speed (frames,) of the faster ball among the feet that stand, cm/s.

    The first and the last moment of a contact do not count: there a foot rolls on or off the floor.
    """
    places = seen.joints[:, BALLS][..., [0, 2]]
    speed = np.linalg.norm(np.diff(places, axis=0, prepend=places[:1]), axis=-1)
    firm = firmly(seen.standing, seen.fps)
    return np.asarray(100.0 * seen.fps * np.where(firm, speed, 0.0).max(axis=1))


FOOT_SLIDE: Final = Check(
    name="foot_slide",
    label="Foot slide",
    unit="cm/s",
    threshold=15.0,
    sentence="Planted feet slide at up to {value:.0f} cm/s",
    repair="plant_feet",
    measure=slide_cm_per_s,
)
