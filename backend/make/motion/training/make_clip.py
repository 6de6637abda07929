"""One clip of a plan: the joints of HumanML3D over time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.clip import performed_controls, posed
from backend.make.motion.library.sequence import in_sequence
from backend.make.motion.library.table import BY_ACTION
from backend.make.motion.training.plans import ClipPlan, spare_seconds
from shared.motion.humanml.layout import HUMANML_FPS

Array = NDArray[np.float64]

_LEAD_FRAMES = (8, 24)  # of what was done before
_EARLIER_S = 2.5  # of an action that fills its time


def made_clip(plan: ClipPlan, random: Generator) -> Array:
    """The clip's joints (frames, 22, 3) metres at 20 frames a second."""
    action = BY_ACTION[plan.action]
    variation = _waiting(action, plan.variation, spare_seconds(random))
    if not plan.before:
        return posed(performed_controls(action, variation), "").joints
    earlier = BY_ACTION[plan.before]
    lead, seed = int(random.integers(*_LEAD_FRAMES)), int(random.integers(2**31))
    style = plan.variation.style if random.random() < 0.5 and plan.variation.style in earlier.styles else "neutral"
    before = Variation(style=style, seed=seed, seconds=_EARLIER_S if earlier.loops else None)
    sequence = in_sequence([(earlier, before), (action, variation)])
    return sequence.clip.joints[max(sequence.parts[-1].start - lead, 0) :]


def _waiting(action: Action, variation: Variation, spare_s: float) -> Variation:
    """The variation of somebody who has done it and waits a while."""
    if action.loops or spare_s == 0.0:
        return variation
    own_s = len(performed_controls(action, variation).pelvis) / HUMANML_FPS
    return replace(variation, seconds=own_s + spare_s)
