"""A jump: sink and swing the arms back, push off over the toes, fly a parabola, land and catch the weight."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backend.make.motion.curves import eased, flowing, smoothstep
from backend.make.motion.puppet import Controls, Foot, Hand

Array = npt.NDArray[np.float64]

FRAMES = 76
FPS = 20.0
TAKE_OFF, LANDING = 27, 38  # 0.55 s in the air
_GRAVITY = 9.81  # m/s^2
_DISTANCE_M = 0.62
_TAKE_OFF_M, _LANDING_M = 0.075, 0.035  # pelvis above standing when the feet leave and touch the floor


def jump() -> Controls:
    """The clip's controls."""
    frame = np.arange(FRAMES, dtype=np.float64)
    air = np.clip((frame - TAKE_OFF) / (LANDING - TAKE_OFF), 0.0, 1.0)
    zero = np.zeros(FRAMES)
    lean = flowing({0: 2, 8: 3, 20: 38, 24: 30, 28: 4, 33: 8, 38: 16, 44: 34, 56: 8, 66: 1, 75: 2}, FRAMES)
    return Controls(
        pelvis=np.stack([zero, _height(frame), _travel(air, frame)], axis=1),
        pelvis_turn=np.stack([zero, 0.5 * lean, zero], axis=1),
        chest_turn=np.stack([zero, 0.5 * lean - 6.0 * np.sin(np.pi * air), zero], axis=1),
        head_turn=np.stack([zero, -0.65 * lean, zero], axis=1),
        left_foot=_foot(air, 0.105, 0.0),
        right_foot=_foot(air, -0.105, 0.02),
        left_hand=_hand(0.0),
        right_hand=_hand(0.6),
    )


def _height(frame: Array) -> Array:
    flight_s = (LANDING - TAKE_OFF) / FPS
    time_s = np.clip((frame - TAKE_OFF) / FPS, 0.0, flight_s)
    up_speed = 0.5 * _GRAVITY * flight_s + (_LANDING_M - _TAKE_OFF_M) / flight_s
    flight = _TAKE_OFF_M + up_speed * time_s - 0.5 * _GRAVITY * time_s**2
    ground = eased({0: -0.025, 4: -0.015, 19: -0.315, 21.5: -0.33, TAKE_OFF: _TAKE_OFF_M}, FRAMES)
    # The push must end with the speed of the flight: a parabola over its last frames.
    push = np.clip((frame - 21.5) / (TAKE_OFF - 21.5), 0.0, 1.0)
    ground = np.where(push > 0.0, -0.33 + (_TAKE_OFF_M + 0.33) * push**1.75, ground)
    land = eased({LANDING: _LANDING_M, 40: -0.15, 44.5: -0.30, 47: -0.29, 60: -0.01, 65: -0.02, 75: -0.025}, FRAMES)
    return np.where(frame < TAKE_OFF, ground, np.where(frame < LANDING, flight, land))


def _travel(air: Array, frame: Array) -> Array:
    """Leans back, then over the toes; steady in the air; comes to rest over the feet."""
    before = eased({0: -0.01, 19: -0.07, 22: -0.05, TAKE_OFF: 0.13}, FRAMES)
    after = eased({LANDING: 0.0, 43: 0.13, 58: 0.12, 75: 0.125}, FRAMES)
    flight = 0.13 + air * (_DISTANCE_M - 0.26)
    return np.where(frame < TAKE_OFF, before, np.where(frame < LANDING, flight, _DISTANCE_M - 0.13 + after))


def _foot(air: Array, x: float, tuck: float) -> Foot:
    zero = np.zeros(FRAMES)
    rise = np.sin(np.pi * air)
    ahead = smoothstep(0.05 + 0.95 * air) * (air > 0.0) * _DISTANCE_M
    lift = 0.42 * rise**1.2 + tuck * rise
    pitch = flowing({0: 0, 20: 0, 23: 6, TAKE_OFF: 58, 31: 46, 35: 4, LANDING: 12, 40: 0, 75: 0}, FRAMES)
    pitch = np.where((np.arange(FRAMES) < 20) | (np.arange(FRAMES) > 40), 0.0, np.maximum(pitch, 0.0))
    side = zero + x
    return Foot(np.stack([side, lift, ahead], axis=1), zero + np.sign(x) * 7.0, pitch, zero + 6.0)


def _hand(delay: float) -> Hand:
    """Arms swing back in the crouch, up past the head in the air, down and forward for balance, then hang."""
    reach = flowing(
        {
            0: (0.16, -0.93, 0.10),
            9: (0.17, -0.88, 0.28),
            19 + delay: (0.26, -0.72, -0.52),
            23.5 + delay: (0.24, -0.88, 0.05),
            28 + delay: (0.32, 0.30, 0.85),
            32 + delay: (0.34, 0.90, 0.12),
            38 + delay: (0.48, 0.30, 0.72),
            44 + delay: (0.34, -0.55, 0.62),
            52 + delay: (0.22, -0.92, -0.02),
            60 + delay: (0.18, -0.92, 0.17),
            75: (0.16, -0.93, 0.10),
        },
        FRAMES,
    )
    elbow = flowing(
        {0: (0.6, 0, -1), 19: (0.7, 0.3, -0.8), 28: (0.9, -0.6, -0.4), 38: (0.8, -0.8, -0.2), 52: (0.6, 0, -1)}, FRAMES
    )
    flex = eased({0: 6, 19: 0, 24: 25, 29: 20, 33: -12, 40: 10, 50: 15, 75: 6}, FRAMES)
    return Hand(reach, elbow, flex)
