"""The standing base: where the feet stand at home, weight shift, and the small movements of someone alive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.hands import HANG, held
from backend.make.motion.puppet import Controls, Foot, Hand

Array = npt.NDArray[np.float64]

HOME_X_M: Final = 0.115  # every action that starts or ends in a stand has its feet there
HOME_YAW: Final = 9.0
STAND_DROP_M: Final = -0.012  # knees are never locked


def home_foot(side: float, frames: int) -> Foot:
    """A foot that stays at home; side 1 left, -1 right."""
    zero = np.zeros(frames)
    return Foot(np.tile([side * HOME_X_M, 0.0, 0.0], (frames, 1)), zero + side * HOME_YAW, zero, zero)


def standing(frames: int, shift_m: npt.ArrayLike = 0.0, drop_m: npt.ArrayLike = 0.0) -> Controls:
    """Standing at home. `shift_m` (frames,) takes the weight to the left (above 0) or the right leg, at most 0.08;
    hips and spine follow it. `drop_m` (frames,) above 0 bends the knees."""
    zero = np.zeros(frames)
    shift, drop = (zero + np.asarray(value, dtype=np.float64) for value in (shift_m, drop_m))
    return Controls(
        pelvis=np.stack([shift, STAND_DROP_M - 1.2 * shift**2 - drop, zero], axis=1),
        pelvis_turn=np.stack([-30.0 * shift, zero + 1.0, 45.0 * shift], axis=1),
        chest_turn=np.stack([25.0 * shift, zero + 1.5, -60.0 * shift], axis=1),
        head_turn=np.stack([zero, zero - 1.0, 10.0 * shift], axis=1),
        left_foot=home_foot(1.0, frames),
        right_foot=home_foot(-1.0, frames),
        left_hand=held(HANG, frames),
        right_hand=held(HANG, frames),
    )


def smooth_noise(frames: int, random: np.random.Generator, slowest_s: float = 6.0, quickest_s: float = 1.6) -> Array:
    """A slow, aimless curve of about -1..1, (frames,): five sines of random length and phase."""
    time = np.arange(frames) / 20.0
    periods = np.exp(random.uniform(np.log(quickest_s), np.log(slowest_s), 5))
    phases = random.uniform(0.0, 2.0 * np.pi, 5)
    waves = np.sin(2.0 * np.pi * time[:, None] / periods + phases) * periods
    return np.asarray(waves.sum(axis=1) / np.sqrt((periods**2).sum()), dtype=np.float64)


def alive(controls: Controls, random: np.random.Generator, amount: float = 1.0, *, free_arms: bool = True) -> Controls:
    """The same with breath, sway, a wandering head and one's own posture; `free_arms` may hang a little otherwise."""
    frames = len(controls.pelvis)

    def noise(scale: float) -> Array:
        return amount * scale * (smooth_noise(frames, random) + random.normal(0.0, 0.5))

    breath_s = random.uniform(3.0, 4.6)
    breath = amount * np.sin(2.0 * np.pi * np.arange(frames) / (20.0 * breath_s) + random.uniform(0.0, 6.28))
    still = np.zeros(frames)
    sway = np.stack([noise(0.004), still, noise(0.004)], axis=1)
    pelvis_turn = np.stack([noise(0.8), noise(0.5), noise(0.5)], axis=1)
    chest_turn = np.stack([noise(1.2), noise(1.5) - 0.6 * breath, noise(0.8)], axis=1)
    head_turn = np.stack([noise(3.0), noise(2.0) + 0.4 * breath, noise(1.2)], axis=1)
    hands = [_alive_hand(hand, noise, free_arms) for hand in (controls.left_hand, controls.right_hand)]
    return replace(
        controls,
        pelvis=controls.pelvis + sway,
        pelvis_turn=controls.pelvis_turn + pelvis_turn,
        chest_turn=controls.chest_turn + chest_turn,
        head_turn=controls.head_turn + head_turn,
        left_hand=hands[0],
        right_hand=hands[1],
    )


def _alive_hand(hand: Hand, noise: Callable[[float], Array], free: bool) -> Hand:
    scale = 1.0 if free else 0.3
    offset = scale * np.stack([np.abs(noise(0.012)), np.abs(noise(0.006)), noise(0.02)], axis=1)
    return replace(hand, reach=hand.reach + offset, flex=hand.flex + scale * noise(4.0))
