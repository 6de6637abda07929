from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.make.body.charts import make_charts
from backend.make.body.flatten import crossing_points, flatten
from backend.make.body.packing import pack, upright
from backend.make.body.surface import dual_graph, patches, triangle_areas, without_islands
from tests.helpers.charts import chart_areas, doubly_covered_texels

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]


def sheet(rows: int, columns: int, closed: bool = False) -> IntArray:
    """Triangles of a grid of rows x columns points; `closed` joins the last column to the first."""
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        index = np.concatenate([index, index[:, :1]], axis=1)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    quads = np.stack([a, b, c, d], axis=2).reshape(-1, 4)
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def half_pipe() -> tuple[Array, IntArray]:
    """Half a cylinder, radius 1, height 2: it can be laid flat without any stretch."""
    height, angle = np.meshgrid(np.linspace(0.0, 2.0, 12), np.linspace(0.0, np.pi, 15), indexing="ij")
    points = np.stack([np.cos(angle), np.sin(angle), height], axis=2).reshape(-1, 3)
    return points, sheet(12, 15)[:, ::-1]


def finger_bag() -> tuple[Array, IntArray]:
    """A tube closed at one end: a bag that cannot be laid flat whole with little stretch."""
    height, angle = np.meshgrid(np.linspace(0.0, 3.0, 20), np.arange(16) * np.pi / 8, indexing="ij")
    points = np.stack([0.5 * np.cos(angle), 0.25 * np.sin(angle), height], axis=2).reshape(-1, 3)
    tip = np.array([[0.0, 0.0, 3.1]])
    ring = np.arange(19 * 16, 20 * 16)
    cap = np.stack([ring, np.roll(ring, -1), np.full(16, len(points))], axis=1)
    return np.concatenate([points, tip]), np.concatenate([sheet(20, 16, closed=True), cap])


def comb() -> tuple[Array, IntArray]:
    """A flat comb with four long, close teeth, curled so far that a careless flattening would let teeth cross."""
    cells = np.zeros((16, 15), dtype=bool)
    cells[:4] = True
    cells[:, ::4] = cells[:, 1::4] = True
    corner, faces = np.zeros((17, 16), dtype=np.int64), []
    corner[:] = np.arange(17 * 16).reshape(17, 16)
    for row, column in np.argwhere(cells):
        a, b = corner[row, column], corner[row, column + 1]
        c, d = corner[row + 1, column + 1], corner[row + 1, column]
        faces += [(a, b, c), (a, c, d)]
    used, triangles = np.unique(np.array(faces), return_inverse=True)
    row, column = used // 16, used % 16
    bulge = 4.0 * np.sin(np.pi * column / 15.0) * np.cos(row / 8.0)
    return np.stack([column, row, bulge], axis=1).astype(np.float64), triangles.reshape(-1, 3)


def test_a_half_pipe_is_laid_flat_without_stretch() -> None:
    points, triangles = half_pipe()
    (patch,) = patches(points, triangles, np.arange(len(triangles)))
    flat = flatten(patch)
    edges = patch.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    long_before = np.linalg.norm(np.diff(patch.points[edges], axis=1)[:, 0], axis=1)
    long_after = np.linalg.norm(np.diff(flat[edges], axis=1)[:, 0], axis=1)
    assert long_after == pytest.approx(long_before, rel=0.02)


def test_a_comb_s_teeth_do_not_cross() -> None:
    points, triangles = comb()
    (patch,) = patches(points, triangles, np.arange(len(triangles)))
    flat = flatten(patch)
    assert len(crossing_points(flat[patch.loops[0]])) == 0
    chart = (flat - flat.min(axis=0)) / np.ptp(flat, axis=0).max()
    assert chart_areas(chart[patch.triangles]).min() > 0.0
    assert doubly_covered_texels(chart[patch.triangles], 512) == 0


def test_a_bag_is_split_and_its_chart_is_one_to_one() -> None:
    points, triangles = finger_bag()
    uv = make_charts(points, triangles, np.full(len(triangles), 3, dtype=np.uint8))
    assert chart_areas(uv).min() > 0.0
    assert doubly_covered_texels(uv, 1024) == 0
    density = chart_areas(uv) / triangle_areas(points, triangles)
    assert density.max() < 5.0 * density.min()


def test_a_patch_with_a_hole_keeps_it() -> None:
    points, triangles = half_pipe()
    holed = np.delete(triangles, np.flatnonzero(np.linalg.norm(points[triangles].mean(1) - [0, 1, 1], axis=1) < 0.4), 0)
    (patch,) = patches(points, holed, np.arange(len(holed)))
    assert len(patch.loops) == 2 and patch.is_disk
    uv = make_charts(points, holed, np.ones(len(holed), dtype=np.uint8))
    assert chart_areas(uv).min() > 0.0
    assert doubly_covered_texels(uv, 512) == 0


def test_two_triangles_at_one_vertex_are_two_patches() -> None:
    points = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0)], dtype=np.float64)
    found = patches(points, np.array([[0, 1, 2], [0, 3, 4]]), np.arange(2))
    assert [len(patch.rows) for patch in found] == [1, 1]


def test_a_crossing_polygon_is_found_and_a_simple_one_is_not() -> None:
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float64)
    assert len(crossing_points(square)) == 0
    assert sorted(crossing_points(square[[0, 2, 1, 3]])) == [0, 1, 2, 3]


def test_packed_pieces_keep_apart_and_fill_the_square() -> None:
    rng = np.random.default_rng(0)
    pieces = []
    for width, height in ((2.0, 5.0), (2.0, 4.0), (0.5, 0.5), (1.0, 0.3)):
        places = np.stack(np.meshgrid(np.linspace(0, width, 8), np.linspace(0, height, 8)), axis=2).reshape(-1, 2)
        angle = rng.uniform(0.0, np.pi)
        turned = places @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        pieces.append((upright(turned), sheet(8, 8)))
    packed = pack(pieces)
    chart = np.concatenate([places[triangles] for places, (_, triangles) in zip(packed, pieces, strict=True)])
    assert chart.min() >= 0.0 and chart.max() <= 1.0
    assert doubly_covered_texels(chart, 1024) == 0
    assert np.abs(chart_areas(chart)).sum() > 0.6


def test_islands_take_the_label_around_them() -> None:
    triangles = sheet(10, 10)
    column = triangles.min(axis=1) % 10
    labels = np.where(column < 5, 3, 1)
    islands = labels.copy()
    islands[(triangles == 22).any(axis=1)] = 2
    assert np.array_equal(without_islands(islands, dual_graph(triangles), 10), labels)
