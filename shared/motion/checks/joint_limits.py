"""Joints that turn further than a body's do.

Knees and elbows bend one way: the turn about their axis counts. Other joints have one largest angle in any direction;
the numbers are about a fifth beyond what a gymnast reaches, so that only what looks broken counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...rotations import matrix_to_axis_angle
from ..skeleton import JOINT_INDEX
from .check import Array, Check, Seen


@dataclass(frozen=True, slots=True)
class Hinge:
    """A joint that bends about one axis of its rest pose."""

    axis: int  # 0 x, 1 y
    sign: float  # of the turn that bends it
    furthest_deg: float
    back_deg: float  # beyond straight


_KNEE: Final = Hinge(0, 1.0, 165.0, 20.0)
HINGES: Final[Mapping[str, Hinge]] = {
    "left_knee": _KNEE,
    "right_knee": _KNEE,
    "left_elbow": Hinge(1, -1.0, 165.0, 25.0),
    "right_elbow": Hinge(1, 1.0, 165.0, 25.0),
}
LARGEST_DEG: Final[Mapping[str, float]] = {
    "left_hip": 155.0, "right_hip": 155.0, "spine1": 75.0, "spine2": 60.0, "spine3": 60.0,
    "left_ankle": 85.0, "right_ankle": 85.0, "left_foot": 75.0, "right_foot": 75.0, "neck": 80.0, "head": 80.0,
    "left_collar": 60.0, "right_collar": 60.0, "left_wrist": 110.0, "right_wrist": 110.0,
}  # fmt: skip


def beyond_deg(seen: Seen) -> Array:
    """By how many degrees (frames,) the worst joint is beyond its limit."""
    worst = np.zeros(len(seen.rotations))
    for name, largest in LARGEST_DEG.items():
        turned = np.degrees(np.linalg.norm(matrix_to_axis_angle(seen.rotations[:, JOINT_INDEX[name]]), axis=-1))
        worst = np.maximum(worst, turned - largest)
    for name, hinge in HINGES.items():
        bend = hinge.sign * _about(seen.rotations[:, JOINT_INDEX[name]], hinge.axis)
        worst = np.maximum(worst, np.maximum(bend - hinge.furthest_deg, -bend - hinge.back_deg))
    return worst


def _about(rotations: Array, axis: int) -> Array:
    """Degrees (frames,) by which rotations turn about one of the axes: 0 x, 1 y."""
    second, third = (axis + 1) % 3, (axis + 2) % 3
    sine = rotations[:, third, second] - rotations[:, second, third]
    cosine = rotations[:, second, second] + rotations[:, third, third]
    return np.asarray(np.degrees(np.arctan2(sine, cosine)))


JOINT_LIMITS: Final = Check(
    name="joint_limits",
    label="Joint limits",
    unit="°",
    threshold=5.0,
    sentence="A joint turns {value:.0f}° further than a body's does",
    repair="",
    measure=beyond_deg,
    else_helps="Edit Layer",
)
