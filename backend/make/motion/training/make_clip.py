"""One clip of a plan: the joints of HumanML3D over time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from backend.make.motion.library.clip import performed_controls, posed
from backend.make.motion.library.table import BY_ACTION
from backend.make.motion.training.plans import ClipPlan, spare_seconds
from shared.motion.humanml.layout import HUMANML_FPS

Array = NDArray[np.float64]


def made_clip(plan: ClipPlan, random: Generator) -> Array:
    """The clip's joints (frames, 22, 3) metres at 20 frames a second."""
    action, variation = BY_ACTION[plan.action], plan.variation
    if not action.loops:  # somebody who has done it waits a while
        own = len(performed_controls(action, variation).pelvis) / HUMANML_FPS
        variation = replace(variation, seconds=max(0.5, own + spare_seconds(random)))
    return posed(performed_controls(action, variation), "").joints
