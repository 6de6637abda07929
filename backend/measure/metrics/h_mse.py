"""H_MSE: the mean squared difference of what two frames show of the same place on the body (LatentMan, equation 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backend.correspondence.types import Matches
from backend.measure.metrics.pictures import checked_pictures, shrink_pictures
from shared.errors import InputError


@dataclass(frozen=True, slots=True)
class HMse:
    """H_MSE of a clip, on the scale 0..255 squared; `dataclasses.asdict` of it is JSON-able."""

    mean: float | None  # over the pairs that have matches; None = no pair has any
    lag: int  # frames between the two frames of a pair
    pairs: tuple[float | None, ...]  # of frame lag, lag + 1, ...; None = the pair has no matches
    pixels: tuple[int, ...]  # matched pixels of each pair


def h_mse(images: ArrayLike, matches: Sequence[Matches], *, lag: int = 1) -> HMse:
    """Compare every frame i >= lag with frame i - lag at the matched pixels (LatentMan, equation 9).

    `images` (frames, H, W, 3) 0..255, RGB, in float whatever they are stored in. `matches[k]` joins frame k + lag
    (current) with frame k (reference); at a smaller size than the images', which must divide theirs, block means are
    compared. Equation 9 leaves the colours open: the squared difference is AVERAGED over the three channels here, and
    its N counts the pairs. The paper's printed values come from other code (8-bit arithmetic) and are not comparable.
    Raises InputError if the numbers or sizes do not fit.
    """
    pictures = checked_pictures(images)
    if lag < 1 or len(matches) != max(len(pictures) - lag, 0):
        raise InputError(
            "metrics.count",
            f"{len(pictures)} frames at lag {lag} cannot be compared with {len(matches)} sets of matches; "
            "there must be one for each frame from the lag on.",
        )
    values: list[float | None] = []
    for k, pair in enumerate(matches):
        two = shrink_pictures(pictures[[k, k + lag]], pair.height, pair.width).reshape(2, -1, 3).astype(np.float64)
        difference = two[1, pair.current] - two[0, pair.reference]
        values.append(float((difference**2).mean()) if len(pair) else None)
    present = [value for value in values if value is not None]
    mean = float(np.mean(present)) if present else None
    return HMse(mean, lag, tuple(values), tuple(len(pair) for pair in matches))
