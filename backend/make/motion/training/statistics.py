"""Mean and spread of the features, as HumanML3D has them: one spread for each kind of feature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.motion.humanml.layout import CONTACTS, FEATURE_COUNT, HEIGHT, PLACES, SPEEDS, STEP, TURN, TURNS

Array = NDArray[np.float32]

KINDS = (slice(TURN, TURN + 1), STEP, slice(HEIGHT, HEIGHT + 1), PLACES, TURNS, SPEEDS, CONTACTS)


def statistics_of(clips: Sequence[Array]) -> tuple[Array, Array]:  # (frames, 263) each
    """Mean and spread, (263,) float32 each; every feature of a kind has the kind's mean spread."""
    total, squares, frames = np.zeros(FEATURE_COUNT), np.zeros(FEATURE_COUNT), 0
    for clip in clips:
        total += clip.sum(axis=0, dtype=np.float64)
        squares += np.square(clip, dtype=np.float64).sum(axis=0)
        frames += len(clip)
    mean = total / frames
    spread = np.sqrt(np.maximum(squares / frames - mean**2, 0.0))
    for kind in KINDS:
        spread[kind] = max(float(spread[kind].mean()), 1e-4)
    return mean.astype(np.float32), spread.astype(np.float32)
