"""A z-buffer for triangles in vectorised NumPy: what the nearest surface is at every sample of a picture.

A triangle is drawn row by row. Where a row enters and leaves it is computed along its edges from their upper end: two
triangles find the same place on an edge that they share, so that no sample falls between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.correspondence.indexing import ranges

# A triangle with a corner nearer than this, or behind the camera, is left out: no body comes that close to a lens, and
# one that does fills the picture with a single triangle.
NEAREST_M = 0.01
# So many rows of triangles, and so many of their samples, are worked on at once: about 30 MB.
CHUNK_ROWS = 1 << 17
CHUNK_SAMPLES = 1 << 18

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Fragments:
    """The nearest surface at the samples that show one."""

    pixel: Ints  # (n,) flat index, rising
    depth: Floats  # (n,) metres
    face: Ints  # (n,)
    weights: Floats  # (n, 3) barycentric on the surface, at least 0, summing to 1


@dataclass(frozen=True, slots=True, eq=False)
class _Triangles:
    """Triangles with their corners in order of y."""

    face: Ints  # (n,) rising
    x: Floats  # (n, 3)
    y: Floats  # (n, 3)
    near: Floats  # (n, 3) one over the depth, which is linear in the picture
    first: Ints  # (n,) the first row of samples that it reaches
    stop: Ints  # (n,)


@dataclass(frozen=True, slots=True, eq=False)
class _Spans:
    """Samples in a row from one side of a triangle to the other."""

    triangle: Ints  # (n,) place in `_Triangles`
    row: Ints  # (n,)
    first: Ints  # (n,) column
    stop: Ints  # (n,)
    near: Floats  # (n,) one over the depth at the first of them
    slope: Floats  # (n,) its change a column


def rasterise(corners: Floats, depth: Floats, height: int, width: int) -> Fragments:
    """The nearest of the triangles at the centres (+0.5) of height x width samples.

    `corners` (F, 3, 2) are x, y in samples, `depth` (F, 3) metres. A sample on an edge belongs to both sides; of
    equally near triangles the lowest counts. A triangle shows from both sides; one with a corner before `NEAREST_M` is
    left out.
    """
    nearest = np.zeros(height * width)
    owner = np.full(height * width, -1, np.int64)
    triangles = _triangles(corners, depth, height)
    for start, stop in _chunks(triangles.stop - triangles.first, CHUNK_ROWS):
        spans = _spans(triangles, start, stop, width)
        for low, high in _chunks(spans.stop - spans.first, CHUNK_SAMPLES):
            _draw(spans, low, high, triangles.face, width, nearest, owner)
    pixel = np.flatnonzero(owner >= 0)
    face, weights = owner[pixel], np.empty((len(pixel), 3))
    for low in range(0, len(pixel), CHUNK_SAMPLES):
        part = slice(low, low + CHUNK_SAMPLES)
        row, column = np.divmod(pixel[part], width)
        weights[part] = _weights(corners[face[part]], depth[face[part]], column + 0.5, row + 0.5)
    return Fragments(pixel, 1 / nearest[pixel], face, weights)


def _triangles(corners: Floats, depth: Floats, height: int) -> _Triangles:
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    usable = (depth >= NEAREST_M).all(axis=1) & np.isfinite(corners).all(axis=(1, 2)) & (np.abs(area) > 1e-12)
    low, high = corners[..., 1].min(axis=1), corners[..., 1].max(axis=1)
    low, high = np.where(usable, low, 0), np.where(usable, high, -1)
    first = np.clip(np.ceil(low - 0.5), 0, height).astype(np.int64)
    stop = np.clip(np.floor(high - 0.5) + 1, 0, height).astype(np.int64)
    face = np.flatnonzero((stop > first) & (high > low))
    order = np.argsort(corners[face, :, 1], axis=1, kind="stable")
    x, y, near = (
        np.take_along_axis(values, order, axis=1)
        for values in (corners[face, :, 0], corners[face, :, 1], 1 / depth[face])
    )
    return _Triangles(face, x, y, near, first[face], stop[face])


def _chunks(counts: Ints, most: int) -> list[tuple[int, int]]:
    """Cut a list of counts into pieces whose sums are about `most`, each of at least one entry."""
    if not counts.size:
        return []
    piece = np.cumsum(counts) // most
    starts = np.concatenate([[0], np.flatnonzero(np.diff(piece)) + 1, [len(counts)]])
    return [(int(a), int(b)) for a, b in zip(starts[:-1], starts[1:], strict=True)]


def _spans(triangles: _Triangles, start: int, stop: int, width: int) -> _Spans:
    """The rows of the triangles from `start` to `stop`, those without a sample left out."""
    first, last = triangles.first[start:stop], triangles.stop[start:stop]
    triangle = np.arange(start, stop).repeat(last - first)
    row = ranges(first, last)
    x, y, near = triangles.x[triangle], triangles.y[triangle], triangles.near[triangle]
    at = row + 0.5
    lower = at >= y[:, 1]  # beyond the middle corner
    top, bottom = np.where(lower, y[:, 1], y[:, 0]), np.where(lower, y[:, 2], y[:, 1])
    along = (at - y[:, 0]) / (y[:, 2] - y[:, 0])
    part = (at - top) / np.where(bottom > top, bottom - top, 1)
    x_sides, near_sides = (_on_edges(values, lower, along, part) for values in (x, near))
    turned = x_sides[0] > x_sides[1]
    left, right = (np.where(turned, x_sides[1 - side], x_sides[side]) for side in range(2))
    begin, end = (np.where(turned, near_sides[1 - side], near_sides[side]) for side in range(2))
    first_column = np.clip(np.ceil(left - 0.5), 0, width).astype(np.int64)
    stop_column = np.clip(np.floor(right - 0.5) + 1, 0, width).astype(np.int64)
    wide = right - left
    slope = np.where(wide > 1e-9, end - begin, 0) / np.where(wide > 1e-9, wide, 1)
    near_first = begin + slope * (first_column + 0.5 - left)
    kept = np.flatnonzero(stop_column > first_column)
    return _Spans(triangle[kept], row[kept], first_column[kept], stop_column[kept], near_first[kept], slope[kept])


def _on_edges(values: Floats, lower: NDArray[np.bool_], along: Floats, part: Floats) -> tuple[Floats, Floats]:
    """Values (n, 3) of the corners, on the long edge and on the short one that the row meets."""
    top = np.where(lower, values[:, 1], values[:, 0])
    bottom = np.where(lower, values[:, 2], values[:, 1])
    return values[:, 0] + along * (values[:, 2] - values[:, 0]), top + part * (bottom - top)


def _draw(spans: _Spans, low: int, high: int, face: Ints, width: int, nearest: Floats, owner: Ints) -> None:
    """Put the samples of some spans into the picture of the nearest; `nearest` and `owner` are changed."""
    length = spans.stop[low:high] - spans.first[low:high]
    step = ranges(np.zeros(len(length), np.int64), length)
    near = spans.near[low:high].repeat(length) + spans.slope[low:high].repeat(length) * step
    pixel = (spans.row[low:high] * width + spans.first[low:high]).repeat(length) + step
    nearer = np.flatnonzero(near > nearest[pixel])
    near, pixel = near[nearer], pixel[nearer]
    np.maximum.at(nearest, pixel, near)
    won = np.flatnonzero(near == nearest[pixel])[::-1]  # of repeated indices the last is what stays: the lowest face
    owner[pixel[won]] = face[spans.triangle[low:high].repeat(length)[nearer[won]]]


def _weights(corners: Floats, depth: Floats, x: Floats, y: Floats) -> Floats:
    """Barycentric weights (n, 3) on the surface, of places x, y (n,) in triangles (n, 3, 2)."""
    dx, dy = corners[..., 0] - x[:, None], corners[..., 1] - y[:, None]
    sides = np.stack(
        [dx[:, (k + 1) % 3] * dy[:, (k + 2) % 3] - dx[:, (k + 2) % 3] * dy[:, (k + 1) % 3] for k in range(3)], 1
    )
    turned = np.sign(sides.sum(axis=1))[:, None]
    weights: Floats = np.maximum(sides * turned, 0) / depth
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
