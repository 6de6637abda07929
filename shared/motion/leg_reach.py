"""Legs that put the feet where they belong: thigh and shin in closed form, in the plane in which the knee bends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..rotations import normalised, rotation_between
from .skeleton import JOINT_INDEX

Array = npt.NDArray[np.float64]

_FRONT: Final = np.array([0.0, 0.0, 1.0])  # a knee of the rest pose points there
_STRAIGHT_M: Final = 0.005  # a knee that is less than this off the line from hip to ankle does not tell the plane


@dataclass(frozen=True, slots=True)
class Leg:
    """The joints of a leg."""

    hip: int
    knee: int
    ankle: int
    foot: int


LEGS: Final = tuple(
    Leg(*(JOINT_INDEX[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle", "foot"))) for side in ("left", "right")
)


def reach(world: Array, offsets: Array, hip: Array, targets: Array, leg: Leg) -> None:
    # world (frames, 24, 3, 3), offsets (24, 3) metres, hip (frames, 3) metres, targets (frames, joints, 3) metres
    """Turns thigh and shin in `world` so that the ball of the foot comes to its target, as far as the leg reaches.

    The foot's own rotation stays, and with it the ankle's distance from the ball. With thigh a, shin b and the distance
    d from hip to ankle, the knee is x = (a^2 - b^2 + d^2) / 2d along the line and sqrt(a^2 - x^2) off it, on the side
    of the target's knee; where that is on the line, on the side where the thigh's front is.
    """
    thigh, shin = offsets[leg.knee], offsets[leg.ankle]
    a, b = float(np.linalg.norm(thigh)), float(np.linalg.norm(shin))
    ankle = targets[:, leg.foot] - world[:, leg.ankle] @ offsets[leg.foot]
    line = normalised(ankle - hip)
    d = np.clip(np.linalg.norm(ankle - hip, axis=-1), abs(a - b) + 1e-6, a + b)
    along = (a * a - b * b + d * d) / (2.0 * d)
    off = np.sqrt(np.maximum(a * a - along * along, 0.0))
    knee = line * along[:, None] + _side(world, targets, leg, line) * off[:, None]
    world[:, leg.hip] = rotation_between(world[:, leg.hip] @ thigh, knee) @ world[:, leg.hip]
    world[:, leg.knee] = rotation_between(world[:, leg.knee] @ shin, line * d[:, None] - knee) @ world[:, leg.knee]


def _side(world: Array, targets: Array, leg: Leg, line: Array) -> Array:
    """Unit vectors (frames, 3), square to the line from hip to ankle, to the side where the knee is."""
    given = targets[:, leg.knee] - targets[:, leg.hip]
    given = given - np.sum(given * line, axis=-1, keepdims=True) * line
    front = world[:, leg.hip] @ _FRONT
    front = normalised(front - np.sum(front * line, axis=-1, keepdims=True) * line)
    doubt = np.clip(1.0 - np.linalg.norm(given, axis=-1, keepdims=True) / _STRAIGHT_M, 0.0, 1.0)
    return normalised(given + doubt * _STRAIGHT_M * front)
