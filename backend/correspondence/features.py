"""The feature vector of each pixel of a body part (LatentMan, equation 3), as the paper and as its code have it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.correspondence.types import IUV
from shared.errors import PassesError

Features = Literal["paper", "released"]
FEATURES: tuple[Features, ...] = ("paper", "released")

UV_RANGE = 255.0
# The published code scales the distance so that the farthest pixel of a part gets this value: half of 127.5.
RELEASED_DISTANCE_MAX = 63.75


def part_features(frame: IUV, pixels: NDArray[np.int64], features: Features) -> NDArray[np.float64]:
    """`[U, V, E]` of one part's pixels: (n, 3).

    `pixels` (n,) are the flat indices of ALL pixels of the part, at least one. U and V are in 0..255.

    - `paper`: E is the Euclidean distance in pixels to the centroid of the part (LatentMan, section 3.3).
    - `released`: U and V lose their mean over the part, and E is the L1 distance to the middle of the part's bounding
      box, scaled to at most 63.75 (the published code; the paper does not mention either).

    Raises PassesError for another name.
    """
    uv = frame.uv.reshape(-1, 2)[pixels].astype(np.float64) * UV_RANGE
    row, column = np.divmod(pixels, frame.part.shape[1])
    if features == "paper":
        distance = np.hypot(row - row.mean(), column - column.mean())
    elif features == "released":
        uv -= uv.mean(axis=0)
        distance = np.abs(_stretched(row)) + np.abs(_stretched(column))
        distance *= RELEASED_DISTANCE_MAX / distance.max()
    else:
        raise PassesError(
            "correspondence.features", f"There are no features named {features!r}; use one of {', '.join(FEATURES)}."
        )
    return np.column_stack([uv, distance])


def _stretched(coordinate: NDArray[np.int64]) -> NDArray[np.float64]:
    """Positions about the middle of their range, which the published code stretches from size - 1 to size.

    A range of one pixel lies at -0.5, not at 0: that code takes the first of the two ends.
    """
    first = coordinate.min()
    size = coordinate.max() - first + 1
    if size == 1:
        return np.full(coordinate.shape, -0.5)
    return np.asarray((2.0 * (coordinate - first) / (size - 1) - 1.0) * size / 2)
