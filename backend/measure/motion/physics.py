"""Figures of a motion's joints: sliding feet, jitter, the floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.motion.humanml.layout import HUMANML_FPS
from shared.motion.skeleton import JOINT_INDEX

Array = NDArray[np.float64]

_FEET: Final = (JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"])
_CONTACT_M: Final = 0.03


@dataclass(frozen=True, slots=True)
class Physics:
    """As `shared.motion.quality` measures them, at 20 frames a second."""

    slide_cm_per_s: float  # mean horizontal speed of a foot's ball while it is at most 3 cm above the floor
    jitter_m_per_s3: float  # mean jerk of the joints
    floor_cm: float  # deepest that a ball goes below the floor


def physics_of(joints: Array) -> Physics:  # (frames, 22, 3) metres, the floor at y = 0
    """The figures of one motion."""
    feet = joints[:, _FEET]
    speed = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=0), axis=-1) * HUMANML_FPS
    contact = np.maximum(feet[1:, :, 1], feet[:-1, :, 1]) <= _CONTACT_M
    slide = float(100.0 * speed[contact].mean()) if contact.any() else 0.0
    jerk = np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1) * HUMANML_FPS**3
    return Physics(slide, float(jerk.mean()), float(100.0 * max(0.0, -feet[..., 1].min())))


def mean_of(figures: list[Physics]) -> Physics:
    """The mean of some motions' figures."""
    rows = np.array([(one.slide_cm_per_s, one.jitter_m_per_s3, one.floor_cm) for one in figures])
    slide, jitter, floor = rows.mean(axis=0)
    return Physics(float(slide), float(jitter), float(floor))
