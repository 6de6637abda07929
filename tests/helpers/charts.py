"""Honest tests of whether a chart is one-to-one: signed areas, and rasterising every triangle by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def chart_areas(chart: NDArray[np.floating[Any]]) -> NDArray[np.float64]:  # (n, 3, 2)
    """Signed areas (n,); negative for a triangle that is turned over."""
    corner = chart.astype(np.float64)
    one, other = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    return np.asarray(0.5 * (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]))


def doubly_covered_texels(chart: NDArray[np.floating[Any]], size: int) -> int:  # (n, 3, 2) in 0..1
    """Texel centres of a size x size picture that lie strictly inside two triangles or more."""
    covered = np.zeros((size, size), dtype=np.int32)
    for triangle in chart.astype(np.float64) * size:
        x0, y0 = np.maximum(np.floor(triangle.min(axis=0)).astype(int), 0)
        x1, y1 = np.minimum(np.ceil(triangle.max(axis=0)).astype(int), size)
        x, y = np.arange(x0, x1)[:, None] + 0.5, np.arange(y0, y1)[None, :] + 0.5
        inside = np.ones((max(x1 - x0, 0), max(y1 - y0, 0)), dtype=bool)
        for (ax, ay), (bx, by) in zip(triangle, np.roll(triangle, -1, axis=0), strict=True):
            inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0.0
        covered[x0:x1, y0:y1] += inside
    return int((covered > 1).sum())
