"""One clip of a plan: the joints of HumanML3D over time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from backend.make.motion.library.action import Variation
from backend.make.motion.library.clip import performed_controls, posed
from backend.make.motion.library.table import BY_ACTION
from backend.make.motion.training.lead_in import led_in
from backend.make.motion.training.plans import ClipPlan, spare_seconds
from shared.motion.humanml.layout import HUMANML_FPS

Array = NDArray[np.float64]

_LEAD_FRAMES = (8, 24)  # of what was done before


def made_clip(plan: ClipPlan, random: Generator) -> Array:
    """The clip's joints (frames, 22, 3) metres at 20 frames a second."""
    spare_s, lead, seed = spare_seconds(random), int(random.integers(*_LEAD_FRAMES)), int(random.integers(2**31))
    clip = _joints(plan.action, plan.variation, spare_s)
    if not plan.before:
        return clip
    style = plan.variation.style if random.random() < 0.5 else "neutral"
    earlier = BY_ACTION[plan.before]
    variation = Variation(style=style if style in earlier.styles else "neutral", seed=seed)
    return led_in(_joints(plan.before, replace(variation, seconds=3.0 if earlier.loops else None), 0.0), clip, lead)


def _joints(name: str, variation: Variation, spare_s: float) -> Array:
    action = BY_ACTION[name]
    if not action.loops and spare_s > 0.0:  # somebody who has done it waits a while
        own_s = len(performed_controls(action, variation).pelvis) / HUMANML_FPS
        variation = replace(variation, seconds=own_s + spare_s)
    return posed(performed_controls(action, variation), "").joints
