"""Making a many-to-many list of candidate pairs injective."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .types import Matches


def closest_one_to_one(
    current: NDArray[np.int64], reference: NDArray[np.int64], distance: NDArray[np.float64], height: int, width: int
) -> Matches:
    """Keep the closest pairs so that no pixel is used twice: `current`, `reference`, `distance` are (n,).

    The rule: pairs are taken in the order of (distance, current, reference), and one whose pixel is already used, on
    either side, is dropped.
    """
    order = np.lexsort((reference, current, distance))
    current, reference = current[order], reference[order]
    kept: list[NDArray[np.int64]] = []
    left = np.arange(current.size)
    while left.size:
        # The first pair of its current AND of its reference pixel is taken by the rule whatever the others do.
        first = np.zeros(left.size, np.int64)
        first[np.unique(current[left], return_index=True)[1]] += 1
        first[np.unique(reference[left], return_index=True)[1]] += 1
        taken = left[first == 2]
        kept.append(taken)
        left = left[~(np.isin(current[left], current[taken]) | np.isin(reference[left], reference[taken]))]
    chosen = np.concatenate(kept) if kept else left
    chosen = chosen[np.argsort(current[chosen])]
    return Matches(current[chosen], reference[chosen], height, width)
