"""A short weighted mean over time against the tremor that sampling leaves."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.motion.humanml.layout import CONTACTS

Array = NDArray[np.float64]

_BESIDE: Final = 0.15  # weight of the frame before and of the one after


def steadied(features: Array, given: NDArray[np.bool_]) -> Array:  # (frames, 263) not normalised, (frames,)
    """The features with each frame a little like its neighbours; contacts and `given` frames stay as they are."""
    before, after = features[:-2], features[2:]
    steady = features.copy()
    steady[1:-1] = _BESIDE * (before + after) + (1.0 - 2.0 * _BESIDE) * features[1:-1]
    steady[:, CONTACTS] = features[:, CONTACTS]
    steady[given] = features[given]
    return steady
