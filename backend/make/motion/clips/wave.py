"""A hello: the weight goes to one leg, the right arm comes up and waves, the head tilts, the arm comes down."""

from __future__ import annotations

import numpy as np

from backend.make.motion.curves import eased, flowing, late, smoothstep
from backend.make.motion.puppet import Controls, Foot, Hand

FRAMES = 84
_WAVE_FRAMES = 9.0  # one swing to and fro: 0.45 s


def wave() -> Controls:
    """The clip's controls."""
    frame = np.arange(FRAMES, dtype=np.float64)
    raised = eased({0: 0, 3: -0.06, 17: 1.0, 64: 1.0, 79: 0.0, 83: 0.0}, FRAMES)
    swing = (
        np.sin(2.0 * np.pi * (frame - 17.0) / _WAVE_FRAMES)
        * smoothstep((frame - 15) / 5)
        * smoothstep((66 - frame) / 6)
    )
    shift = flowing({0: 0.0, 14: 0.055, 40: 0.062, 62: 0.05, 83: 0.005}, FRAMES)  # onto the left leg
    bounce = 0.5 - 0.5 * np.cos(4.0 * np.pi * (frame - 17.0) / _WAVE_FRAMES)
    zero = np.zeros(FRAMES)
    lifted = np.clip(raised, 0.0, 1.0)
    tilt = late(lifted, 2.0)
    reach = np.stack(
        [
            0.20 + 0.34 * lifted - 0.15 * swing,
            -0.92 + 1.52 * smoothstep(raised) - 0.03 * np.abs(swing) + 0.15 * np.minimum(raised, 0.0),
            0.10 + 0.55 * np.sin(np.pi * lifted) * (1.0 - 0.5 * lifted) + 0.16 * lifted,
        ],
        axis=1,
    )
    elbow = np.stack([0.6 + 0.6 * lifted, -1.0 * lifted, -1.0 + 0.75 * lifted], axis=1)
    return Controls(
        pelvis=np.stack([shift, -0.022 - 0.1 * shift - 0.006 * bounce * lifted, -0.01 + 0.0 * shift], axis=1),
        pelvis_turn=np.stack([-60.0 * shift, zero + 1.0, -85.0 * shift], axis=1),
        chest_turn=np.stack(
            [40 * shift - 3.0 * tilt, 1.0 - 2.0 * tilt, 110.0 * shift - 4.0 * tilt - 1.6 * swing], axis=1
        ),
        head_turn=np.stack([2.0 * tilt, 2.0 - 3.0 * tilt, 9.0 * tilt + 1.5 * late(swing, 1)], axis=1),
        left_foot=Foot(np.tile([0.10, 0.0, 0.0], (FRAMES, 1)), zero + 9.0, zero, zero),
        right_foot=Foot(np.tile([-0.13, 0.0, 0.05], (FRAMES, 1)), zero - 16.0, zero, zero),
        left_hand=_left_hand(),
        right_hand=Hand(reach, elbow, 5.0 * (1 - lifted) - 26.0 * late(swing, 1.2)),
    )


def _left_hand() -> Hand:
    """Hangs at first, then goes onto the hip."""
    reach = flowing({0: (0.16, -0.93, 0.08), 16: (0.30, -0.76, 0.08), 26: (0.12, -0.71, 0.12), 60: (0.12, -0.71, 0.12),
                     70: (0.26, -0.82, 0.12), 83: (0.16, -0.93, 0.09)}, FRAMES)  # fmt: skip
    elbow = eased({0: (0.6, 0.0, -1.0), 22: (1.0, 0.1, -0.45), 62: (1.0, 0.1, -0.45), 83: (0.6, 0.0, -1.0)}, FRAMES)
    return Hand(reach, elbow, eased({0: 5, 26: 22, 60: 22, 83: 5}, FRAMES))
