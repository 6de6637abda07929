"""From (part, u, v) to the triangle that holds it: a grid over each part's chart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.correspondence.indexing import ranges
from backend.correspondence.types import LAST_PART
from backend.passes.shot_passes import Charts
from shared.errors import PassesError

# Cells a side of each part's grid: triangles of a 14,000-vertex body are about this fine.
GRID = 96

# How far outside a triangle (chart units) a point may lie and still be taken for its edge: the step of a 16-bit float
# near 1, which is how EEVEE stores u and v, is half of it.
EDGE_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class ChartIndex:
    """A body's charts, made searchable. Built once a body by `chart_index`."""

    face_vertices: NDArray[np.int64]  # (faces, 3)
    edges: NDArray[np.float64]  # (3, 3, faces) [k] . (u, v, 1) = signed distance from the edge opposite corner k
    altitude: NDArray[np.float64]  # (faces, 3) distance of each corner from its opposite edge, chart units
    cell_start: NDArray[np.int64]  # (25 * GRID * GRID + 1,) where each cell's faces begin
    cell_face: NDArray[np.int64]  # faces of all cells, one cell after the other


@dataclass(frozen=True, slots=True, eq=False)
class ChartHits:
    """Triangles that hold query points; a point on an edge has several, in ascending order of face."""

    point: NDArray[np.int64]  # (hits,) index of the query point, ascending
    face: NDArray[np.int64]  # (hits,)
    weights: NDArray[np.float64]  # (hits, 3) barycentric, not negative, sum 1


def chart_index(charts: Charts) -> ChartIndex:
    """Index a body's charts. Raises PassesError if no triangle has an area in its chart.

    Triangles without an area name no surface point and are left out.
    """
    corner = charts.chart_uv.astype(np.float64)
    along, across = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    area = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    kept = np.flatnonzero(np.abs(area) > 1e-12)
    if not kept.size:
        raise PassesError("passes.charts", "The body's charts are empty: no triangle has an area.")
    corner, along, across, area = corner[kept], along[kept], across[kept], area[kept]
    opposite = np.roll(corner, -2, axis=1) - np.roll(corner, -1, axis=1)
    length = np.linalg.norm(opposite, axis=2)
    inward = np.stack([-opposite[..., 1], opposite[..., 0]], axis=-1) * (np.sign(area)[:, None] / length)[..., None]
    offset = -(inward * np.roll(corner, -1, axis=1)).sum(axis=2)
    edges = np.concatenate([inward, offset[..., None]], axis=2).transpose(1, 2, 0)
    start, face = _grid(charts.part[kept], corner)
    return ChartIndex(
        charts.f[kept].astype(np.int64), np.ascontiguousarray(edges), np.abs(area)[:, None] / length, start, face
    )


def _grid(part: NDArray[np.uint8], corner: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The faces whose bounding box touches each cell, as (start of each cell, faces)."""
    low = _cell(corner.min(axis=1) - EDGE_TOLERANCE)
    high = _cell(corner.max(axis=1) + EDGE_TOLERANCE)
    columns, rows = (high - low + 1).T
    face = np.arange(len(part)).repeat(columns * rows)
    place = ranges(np.zeros(len(part), np.int64), columns * rows)
    row, column = np.divmod(place, columns[face])
    cell = _cell_number(part[face], low[face] + np.column_stack([column, row]))
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange((LAST_PART + 1) * GRID**2 + 1))
    return start, face[order]


def _cell(uv: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.asarray(np.clip(np.floor(uv * GRID), 0, GRID - 1), np.int64)


def _cell_number(part: NDArray[np.uint8], cell: NDArray[np.int64]) -> NDArray[np.int64]:
    return (part.astype(np.int64) * GRID + cell[:, 1]) * GRID + cell[:, 0]


def find_in_charts(index: ChartIndex, part: NDArray[np.uint8], uv: NDArray[np.float32]) -> ChartHits:
    """The triangles at chart positions: `part` (n,) 1..24, `uv` (n, 2) in 0..1.

    A point at most `EDGE_TOLERANCE` outside a triangle counts as on its edge, its weights clamped to it.
    """
    position = uv.astype(np.float64)
    cell = _cell_number(part, _cell(position))
    start, stop = index.cell_start[cell], index.cell_start[cell + 1]
    point = np.arange(len(part)).repeat(stop - start)
    face = index.cell_face[ranges(start, stop)]
    u, v = position.T
    distances: list[NDArray[np.float64]] = []
    for along_u, along_v, offset in index.edges:  # each edge rules out about half of what is left
        distance = along_u[face] * u[point] + along_v[face] * v[point] + offset[face]
        inside = np.flatnonzero(distance >= -EDGE_TOLERANCE)
        point, face = point[inside], face[inside]
        distances = [*(before[inside] for before in distances), distance[inside]]
    weights = np.maximum(np.stack(distances, axis=1) / index.altitude[face], 0)
    return ChartHits(point, face, weights / weights.sum(axis=1, keepdims=True))
