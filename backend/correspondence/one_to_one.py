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
    if not _ascending(current, reference):
        order = np.lexsort((reference, current))
        current, reference, distance = current[order], reference[order], distance[order]
    order = np.argsort(distance, kind="stable")
    left_current, left_reference = current[order], reference[order]
    kept: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    used_current, used_reference = np.zeros(height * width, bool), np.zeros(height * width, bool)
    while left_current.size:
        # The first pair of its current AND of its reference pixel is taken by the rule whatever the others do.
        taken = _first(left_current, height * width) & _first(left_reference, height * width)
        kept.append((left_current[taken], left_reference[taken]))
        used_current[left_current[taken]] = used_reference[left_reference[taken]] = True
        still = ~(used_current[left_current] | used_reference[left_reference])
        left_current, left_reference = left_current[still], left_reference[still]
    partner = np.full(height * width, -1)
    for chosen, other in kept:
        partner[chosen] = other
    joined = np.flatnonzero(partner >= 0)
    return Matches(joined, partner[joined], height, width)


def _ascending(current: NDArray[np.int64], reference: NDArray[np.int64]) -> bool:
    step = np.diff(current)
    return bool(((step > 0) | ((step == 0) & (np.diff(reference) >= 0))).all())


def _first(pixel: NDArray[np.int64], pixels: int) -> NDArray[np.bool_]:
    """Which of these are the first of their value."""
    place = np.arange(pixel.size)
    first = np.empty(pixels, np.int64)
    first[pixel[::-1]] = place[::-1]  # of repeated indices the last is what stays
    return np.asarray(first[pixel] == place)
