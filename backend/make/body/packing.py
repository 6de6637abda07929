"""Flat pieces of one part laid out without overlap in the unit square."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from scipy.spatial import ConvexHull

from backend.make.body.surface import IntArray

Array = NDArray[np.float64]

CELLS: Final = 160  # raster cells along the longer side of the largest piece
MARGIN: Final = 0.004  # free border of the unit square
QUARTER_TURN: Final = np.array([[0.0, 1.0], [-1.0, 0.0]])  # acts on rows


def upright(flat: Array) -> Array:
    """Places (m, 2) turned so that their smallest bounding rectangle stands on its shorter side, from (0, 0) on."""
    hull = flat[ConvexHull(flat).vertices]
    edges = np.roll(hull, -1, axis=0) - hull
    angles = np.arctan2(edges[:, 1], edges[:, 0])
    spans = [np.ptp(hull @ _turn(angle), axis=0) for angle in angles]
    best = flat @ _turn(angles[int(np.argmin([float(width * height) for width, height in spans]))])
    width, height = np.ptp(best, axis=0)
    if width > height:
        best = best @ QUARTER_TURN
    return np.asarray(best - best.min(axis=0))


def _turn(angle: float) -> Array:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def pack(pieces: list[tuple[Array, IntArray]]) -> list[Array]:
    """Places in 0..1 for pieces of (places (m, 2), triangles (n, 3)), the largest first.

    Pieces keep their size relative to each other; each further one goes where the whole stays smallest and most
    square. Then the whole is stretched to fill the unit square.
    """
    cell = max(float(np.ptp(places, axis=0).max()) for places, _ in pieces) / CELLS
    placed = [pieces[0][0]]
    taken = _cells(pieces[0][0], pieces[0][1], cell)
    for places, triangles in pieces[1:]:
        turned, taken = _add(taken, places, triangles, cell)
        placed.append(turned)
    everything = np.concatenate(placed)
    low, span = everything.min(axis=0), np.ptp(everything, axis=0)
    return [MARGIN + (1.0 - 2.0 * MARGIN) * (places - low) / span for places in placed]


def _cells(places: Array, triangles: IntArray, cell: float) -> NDArray[np.bool_]:
    """Raster cells that the triangles may touch, one cell of margin included."""
    low = places - places.min(axis=0)
    size = np.ceil(low.max(axis=0) / cell).astype(int) + 3
    grid = np.zeros(size, dtype=bool)
    corner = low[triangles] / cell + 1.0
    least = np.floor(corner.min(axis=1)).astype(int) - 1
    most = np.floor(corner.max(axis=1)).astype(int) + 2
    for (x0, y0), (x1, y1), points in zip(np.maximum(least, 0), np.minimum(most, size), corner, strict=True):
        grid[x0:x1, y0:y1] |= _near_triangle(points, x0, y0, x1, y1)
    return grid


def _near_triangle(points: Array, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.bool_]:
    """Which cells of a window lie within a cell's diagonal of the triangle."""
    x, y = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5, indexing="ij")
    near = np.ones(x.shape, dtype=bool)
    for index in range(3):
        a, b = points[index], points[(index + 1) % 3]
        edge = b - a
        distance = (edge[0] * (y - a[1]) - edge[1] * (x - a[0])) / max(float(np.hypot(*edge)), 1e-9)
        near &= distance > -1.5
    return near


def _add(taken: NDArray[np.bool_], places: Array, triangles: IntArray, cell: float) -> tuple[Array, NDArray[np.bool_]]:
    """The piece where the whole stays smallest, in the best of four turns, and the cells taken with it."""
    tried = []
    for turns in range(4):
        turned = places @ np.linalg.matrix_power(QUARTER_TURN, turns)
        turned = turned - turned.min(axis=0)
        piece = _cells(turned, triangles, cell)
        room = np.pad(taken, [(0, piece.shape[0]), (0, piece.shape[1])])
        overlap = fftconvolve(room.astype(float), piece[::-1, ::-1].astype(float), mode="valid")
        x, y = np.nonzero(overlap < 0.5)
        width, height = np.maximum(x + piece.shape[0], taken.shape[0]), np.maximum(y + piece.shape[1], taken.shape[1])
        order = int(np.lexsort((y, x, width * height, np.maximum(width, height)))[0])
        size = (int(max(width[order], height[order])), int(width[order] * height[order]), turns)
        tried.append((size, int(x[order]), int(y[order]), turned, piece))
    _, x_cell, y_cell, turned, piece = min(tried, key=lambda one: one[0])
    grown = np.zeros(np.maximum(taken.shape, (x_cell + piece.shape[0], y_cell + piece.shape[1])), dtype=bool)
    grown[: taken.shape[0], : taken.shape[1]] = taken
    grown[x_cell : x_cell + piece.shape[0], y_cell : y_cell + piece.shape[1]] |= piece
    return turned + np.array([x_cell, y_cell]) * cell, grown
