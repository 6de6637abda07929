"""Copying along a chain of matches, one pixel after the other, in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from backend.correspondence.types import Matches


def copy_along(frames: NDArray[Any], pairs: Sequence[Matches], *, from_first: bool = False) -> NDArray[Any]:
    """`frames` (F, cells, ...): frame i takes the matched values of frame i - 1, which has already taken its own."""
    result = frames.copy()
    for i, matches in enumerate(pairs, start=1):
        source = 0 if from_first else i - 1
        for current, reference in zip(matches.current, matches.reference, strict=True):
            result[i, current] = result[source, reference]
    return result


def greedy_one_to_one(current: NDArray[Any], reference: NDArray[Any], distance: NDArray[Any]) -> list[tuple[int, int]]:
    """Pairs in the order of (distance, current, reference), each taken unless one of its pixels is used."""
    candidates = sorted(zip(distance.tolist(), current.tolist(), reference.tolist(), strict=True))
    used_current: set[int] = set()
    used_reference: set[int] = set()
    taken = []
    for _, here, there in candidates:
        if here not in used_current and there not in used_reference:
            taken.append((here, there))
            used_current.add(here)
            used_reference.add(there)
    return sorted(taken)
