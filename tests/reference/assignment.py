"""LatentMan's correspondence, the slow and obvious way: every pairing of every part is tried."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray


def features(part: NDArray[Any], uv: NDArray[Any], label: int, kind: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Pixels (n, 2) as row, column and features (n, 3) of one part, pixel by pixel."""
    pixels = [(y, x) for y in range(part.shape[0]) for x in range(part.shape[1]) if part[y, x] == label]
    colours = np.array([[255 * float(uv[y, x, 0]), 255 * float(uv[y, x, 1])] for y, x in pixels])
    if kind == "paper":
        cy = sum(y for y, _ in pixels) / len(pixels)
        cx = sum(x for _, x in pixels) / len(pixels)
        distance = np.array([((y - cy) ** 2 + (x - cx) ** 2) ** 0.5 for y, x in pixels])
    else:
        colours = colours - colours.mean(0)
        rows = [y for y, _ in pixels]
        columns = [x for _, x in pixels]
        tall, wide = max(rows) - min(rows) + 1, max(columns) - min(columns) + 1
        down = np.linspace(-1, 1, tall) * tall / 2
        across = np.linspace(-1, 1, wide) * wide / 2
        distance = np.array([abs(down[y - min(rows)]) + abs(across[x - min(columns)]) for y, x in pixels])
        distance = distance / distance.max() * 63.75
    return np.array(pixels), np.column_stack([colours, distance])


def smallest_sum(rows: NDArray[Any], columns: NDArray[Any]) -> float:
    """The smallest sum of distances over all injective pairings; for a handful of points."""
    if len(rows) > len(columns):
        rows, columns = columns, rows
    cost = [[float(np.sqrt(((a - b) ** 2).sum())) for b in columns] for a in rows]
    choices = permutations(range(len(columns)), len(rows))
    return min(sum(cost[i][j] for i, j in enumerate(choice)) for choice in choices)
