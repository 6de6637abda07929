"""Equation 9 of LatentMan, pixel by pixel, in Python's own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from backend.correspondence.types import Matches


def h_mse(images: NDArray[Any], pairs: Sequence[Matches], lag: int) -> float:
    """Mean over the pairs of the mean over matched pixels and channels of the squared difference."""
    values = []
    for k, pair in enumerate(pairs):
        total, count = 0.0, 0
        for current, reference in zip(pair.current.tolist(), pair.reference.tolist(), strict=True):
            here = images[k + lag][divmod(current, pair.width)]
            there = images[k][divmod(reference, pair.width)]
            for channel in range(3):
                total += (float(here[channel]) - float(there[channel])) ** 2
                count += 1
        values.append(total / count)
    return sum(values) / len(values)
