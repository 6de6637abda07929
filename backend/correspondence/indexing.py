"""Index arithmetic of pairs and of lists of different lengths that are stored one after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.correspondence.types import Matches


def ranges(start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
    """The integers of several half-open ranges, `start` (n,) to `stop` (n,), one range after the other."""
    length = stop - start
    before = np.cumsum(length) - length
    return np.asarray(np.arange(length.sum()) + (start - before).repeat(length))


def closest_one_to_one(
    current: NDArray[np.int64],  # (n,) strictly increasing
    reference: NDArray[np.int64],  # (n,)
    distance: NDArray[np.float64],  # (n,) finite
    height: int,
    width: int,
) -> Matches:
    """Of the pairs that share a reference pixel keep the closest, of equally close ones the lowest current pixel."""
    closest = np.full(height * width, np.inf)
    np.minimum.at(closest, reference, distance)
    nearest = np.flatnonzero(distance == closest[reference])
    first = np.empty(height * width, np.int64)
    first[reference[nearest[::-1]]] = nearest[::-1]  # of repeated indices the last is what stays
    kept = nearest[first[reference[nearest]] == nearest]
    return Matches(current[kept], reference[kept], height, width)
