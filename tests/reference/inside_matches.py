"""Places inside the body, matches that move together and smoothed differences, place by place (NumPy)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from backend.correspondence.types import Matches


def inside_places(
    part: NDArray[np.uint8], depth_m: NDArray[np.float32], height: int, width: int, margin: int, fold_m: float
) -> NDArray[np.bool_]:
    """(height, width): whether all pixels of a place, and those `margin` around, are body and beside no fold."""
    full_height, full_width = part.shape
    found = np.zeros((height, width), bool)
    for row in range(height):
        for column in range(width):
            rows = range(row * full_height // height - margin, (row + 1) * full_height // height + margin)
            columns = range(column * full_width // width - margin, (column + 1) * full_width // width + margin)
            found[row, column] = all(
                _sound(part, depth_m, y, x, fold_m)
                for y in rows
                for x in columns
                if 0 <= y < full_height and 0 <= x < full_width
            )
    return found


def _sound(part: NDArray[np.uint8], depth_m: NDArray[np.float32], y: int, x: int, fold_m: float) -> bool:
    if not part[y, x]:
        return False
    for above, beside in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
        if 0 <= above < part.shape[0] and 0 <= beside < part.shape[1] and part[above, beside]:
            if abs(float(depth_m[above, beside]) - float(depth_m[y, x])) > fold_m:
                return False
    return True


def moving_together(matches: Matches, least: int) -> set[tuple[int, int]]:
    """The (current, reference) that stay: twice, those with at least `least` of eight neighbours that move alike."""
    moves = {
        divmod(int(q), matches.width): np.subtract(divmod(int(s), matches.width), divmod(int(q), matches.width))
        for q, s in zip(matches.current, matches.reference, strict=True)
    }
    for _ in range(2):
        moves = {
            (y, x): move
            for (y, x), move in moves.items()
            if sum(
                (down, across) != (0, 0)
                and (y + down, x + across) in moves
                and max(abs(moves[y + down, x + across] - move)) <= 1
                for down in (-1, 0, 1)
                for across in (-1, 0, 1)
            )
            >= least
        }
    return {
        (y * matches.width + x, (y + down) * matches.width + x + across) for (y, x), (down, across) in moves.items()
    }


def smoothed(values: NDArray[np.float64], matches: Matches, sigma: float) -> NDArray[np.float64]:
    """Values (channels, n): the Gaussian mean over the matches within three standard deviations along each axis."""
    reach = max(math.floor(3 * sigma + 0.5), 1)
    places = [divmod(int(place), matches.width) for place in matches.current]
    means = np.empty_like(values)
    for i, (y, x) in enumerate(places):
        weights = np.zeros(len(places))
        for j, (v, u) in enumerate(places):
            if max(abs(v - y), abs(u - x)) <= reach:
                weights[j] = math.exp(-((v - y) ** 2 + (u - x) ** 2) / (2 * sigma**2))
        means[:, i] = values @ weights / weights.sum()
    return means
