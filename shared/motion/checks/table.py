"""The table of checks. A new one is a file beside this and a row here."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..model import SMPLMotion
from .check import Check, Found, see
from .floor import BELOW_FLOOR, FLOATING
from .foot_slide import FOOT_SLIDE
from .jitter import JITTER
from .joint_limits import JOINT_LIMITS

OUT_OF_PICTURE: Final = Check(
    name="out_of_picture",
    label="Outside the picture",
    unit="joints",
    threshold=0.0,
    sentence="Up to {value:.0f} joints are outside the picture",
    repair="",
    measure=None,
    else_helps="Frame Shot",
)
CHECKS: Final = (FOOT_SLIDE, JITTER, BELOW_FLOOR, FLOATING, JOINT_LIMITS, OUT_OF_PICTURE)


def check_named(name: str) -> Check | None:
    """The check of that name; None if there is none, as in files of later versions."""
    return next((check for check in CHECKS if check.name == name), None)


def run_checks(
    motion: SMPLMotion, rest_joints: npt.ArrayLike, *, floor_m: float = 0.0, sole_m: float = 0.0
) -> tuple[Found, ...]:  # rest_joints (24, 3) metres
    """What all checks find that need no camera, in the table's order. Raises MotionError for unusable rest joints."""
    seen = see(motion, rest_joints, floor_m=floor_m, sole_m=sole_m)
    return tuple(
        Found(check, np.asarray(check.measure(seen), np.float64)) for check in CHECKS if check.measure is not None
    )
