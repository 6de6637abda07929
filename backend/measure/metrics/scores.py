"""The shape that the figures of a clip share: one value a frame or pair of frames, and their mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Score:
    """Values of one clip; `dataclasses.asdict` of it is JSON-able."""

    mean: float | None  # over the values that are there; None = none is
    values: tuple[float | None, ...]  # one a frame, or one a frame from the second on; None = nothing to measure


def score(values: Iterable[float | None]) -> Score:
    """The values with their mean."""
    every = tuple(values)
    return Score(mean_of(every), every)


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of the values that are there."""
    present = [value for value in values if value is not None]
    return float(np.mean(present)) if present else None
