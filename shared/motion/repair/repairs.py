"""What a repair is, and what it must know of the place where the motion stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..model import SMPLMotion

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where feet stand."""

    floor_m: float = 0.0  # height of the floor
    sole_m: float = 0.0  # height of the ball's joint above the floor when the foot stands flat


@dataclass(frozen=True, slots=True)
class Repair:
    """One row of the table."""

    name: str
    label: str
    description: str  # a sentence without its full stop
    strength: float  # where none is given, 0 to 1
    make: Callable[[SMPLMotion, Array, float, Ground], SMPLMotion]  # motion, rest joints (24, 3), strength

    def apply(
        self,
        motion: SMPLMotion,
        rest_joints: npt.ArrayLike,  # (24, 3) metres
        *,
        strength: float | None = None,
        ground: Ground | None = None,
    ) -> SMPLMotion:
        """The repaired motion; with strength 0 the motion itself. Raises MotionError for unusable rest joints."""
        amount = self.strength if strength is None else float(np.clip(strength, 0.0, 1.0))
        if amount == 0.0:
            return motion
        return self.make(motion, np.asarray(rest_joints, np.float64), amount, ground or Ground())
