"""Two deep squats: the hips go back and down, the chest leans, the arms come up in front for balance."""

from __future__ import annotations

import numpy as np

from backend.make.motion.curves import eased, flowing, late
from backend.make.motion.puppet import Controls, Foot, Hand

FRAMES = 90


def squat() -> Controls:
    """The clip's controls."""
    # 0 standing, 1 at the bottom; a small rise first, and a held breath at the bottom of the second one
    depth = eased(
        {0: 0.0, 5: -0.03, 20: 1.0, 24: 1.0, 37: 0.02, 43: -0.02, 58: 1.06, 64: 1.04, 79: 0.0, 89: 0.0}, FRAMES
    )
    zero = np.zeros(FRAMES)
    sway = flowing({0: 0.012, 22: 0.0, 40: -0.012, 60: 0.0, 89: 0.014}, FRAMES)
    drop = -0.025 - 0.40 * depth
    back = -0.02 - 0.155 * np.sin(0.5 * np.pi * np.clip(depth, -0.1, 1.1))
    lean = 2.0 + 34.0 * np.clip(depth, -0.1, 1.1)
    arms = late(depth, 1.5)
    reach = np.stack([0.17 - 0.09 * arms, -0.90 + 0.98 * arms, 0.10 + 0.84 * np.sin(0.5 * np.pi * arms)], axis=1)
    elbow = np.stack([0.6 + 0.1 * arms, -0.9 * arms, -1.0 + 0.8 * arms], axis=1)
    hand = Hand(reach, elbow, 5.0 + 8.0 * late(depth, 3.0))
    return Controls(
        pelvis=np.stack([sway, drop, back], axis=1),
        pelvis_turn=np.stack([zero, 0.55 * lean, 60.0 * sway], axis=1),
        chest_turn=np.stack([zero, 0.45 * lean, -70.0 * sway], axis=1),
        head_turn=np.stack([zero + 120.0 * late(sway, 2), -0.72 * lean, zero], axis=1),
        left_foot=Foot(np.tile([0.17, 0.0, 0.0], (FRAMES, 1)), zero + 18.0, zero, zero + 8.0),
        right_foot=Foot(np.tile([-0.17, 0.0, 0.0], (FRAMES, 1)), zero - 18.0, zero, zero + 8.0),
        left_hand=hand,
        right_hand=Hand(late(reach, 0.5), elbow, hand.flex),
    )
