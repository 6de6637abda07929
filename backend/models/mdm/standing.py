"""A standing person as features: what DiP, which goes on from frames before, begins with."""

from __future__ import annotations

import numpy as np

from backend.contract.motion_model import Features
from shared.body import free_body
from shared.motion import read_motion, sample_path
from shared.motion.humanml.encode import encode
from shared.motion.humanml.statistics import Statistics
from shared.motion.quality import motion_joints

_CLIP = "squat"  # a sample motion that begins standing


def standing(frames: int, statistics: Statistics) -> Features:
    """So many frames of a person who stands still with hanging arms, (frames, 263) normalised."""
    motion = read_motion(sample_path(_CLIP))
    joints = motion_joints(motion, free_body().joints(np.zeros(10)))
    return statistics.normalised(encode(np.repeat(joints[:1], frames + 1, axis=0)).features)
