"""Figures of a motion's joints: sliding feet, jitter, the floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.motion.humanml.layout import HUMANML_FPS
from shared.motion.quality import quality_of

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Physics:
    """As `shared.motion.quality` measures them, at 20 frames a second."""

    slide_cm_per_s: float  # mean horizontal speed of a foot's ball while it is at most 3 cm above the floor
    jitter_m_per_s3: float  # mean jerk of the joints
    floor_cm: float  # deepest that a ball goes below the floor


def physics_of(joints: Array) -> Physics:  # (frames, 22, 3) metres, the floor at y = 0
    """The figures of one motion."""
    found = quality_of(joints, HUMANML_FPS)
    return Physics(found.foot_slide_cm_per_s, found.jitter_m_per_s3, found.floor_penetration_cm)


def mean_of(figures: list[Physics]) -> Physics:
    """The mean of some motions' figures."""
    rows = np.array([(one.slide_cm_per_s, one.jitter_m_per_s3, one.floor_cm) for one in figures])
    slide, jitter, floor = rows.mean(axis=0)
    return Physics(float(slide), float(jitter), float(floor))
