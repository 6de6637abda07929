"""The z-buffer: agreement with a slow twin, no holes, perspective, ties, and pictures full of one triangle."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.surface import raster
from backend.surface.raster import NEAREST_M, Fragments, rasterise
from tests.reference.raster import Raster
from tests.reference.raster import rasterise as twin

HEIGHT, WIDTH = 20, 30
CORNERS = np.array([(0, 0), (1, 0), (0, 1)], float)  # chart coordinates that are the second and the third weight


def triangles(count: int, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Random triangles that cross each other and the picture's border: places (n, 3, 2) and depths (n, 3)."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform((-4, -4), (WIDTH + 4, HEIGHT + 4), (count, 1, 2))
    return middle + rng.normal(0, 6, (count, 3, 2)), rng.uniform(0.5, 4, (count, 3))


def slowly(corners: NDArray[Any], depth: NDArray[Any]) -> Raster:
    """The twin takes vertices in space and a camera: here one of focal length 1 without an offset."""
    points = np.concatenate([corners * depth[..., None], depth[..., None]], axis=-1).reshape(-1, 3)
    faces = np.arange(len(points)).reshape(-1, 3)
    uv = np.tile(CORNERS, (len(faces), 1, 1))
    return twin(points, faces, np.ones(len(faces), int), uv, np.eye(4), np.eye(3), WIDTH, HEIGHT)


def picture(found: Fragments, values: NDArray[Any], empty: float) -> NDArray[Any]:
    flat = np.full(HEIGHT * WIDTH, empty)
    flat[found.pixel] = values
    return flat.reshape(HEIGHT, WIDTH)


@pytest.mark.parametrize("seed", range(4))
def test_the_slow_twin_draws_the_same(seed: int) -> None:
    corners, depth = triangles(25, seed)
    found, wanted = rasterise(corners, depth, HEIGHT, WIDTH), slowly(corners, depth)
    assert len(found.pixel) > HEIGHT * WIDTH / 4
    np.testing.assert_array_equal(picture(found, found.face, -1), wanted.face)
    np.testing.assert_allclose(picture(found, found.depth, np.inf), wanted.depth_m, rtol=1e-9)
    for axis in range(2):
        np.testing.assert_allclose(picture(found, found.weights[:, axis + 1], 0.0), wanted.uv[..., axis], atol=1e-9)


def test_fragments_are_in_order_and_weights_lie_on_the_triangle() -> None:
    corners, depth = triangles(40, 9)
    found = rasterise(corners, depth, HEIGHT, WIDTH)
    assert (np.diff(found.pixel) > 0).all()
    assert found.weights.min() >= 0
    np.testing.assert_allclose(found.weights.sum(axis=1), 1)
    np.testing.assert_allclose((found.weights * depth[found.face]).sum(axis=1), found.depth)


@pytest.mark.parametrize("seed", range(3))
def test_no_sample_falls_between_triangles_that_share_edges(seed: int) -> None:
    # A net over more than the picture, many of whose corners and edges lie right on centres of samples.
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(-2, WIDTH + 3, 2) + 0.5, np.arange(-2, HEIGHT + 3, 2) + 0.5)
    shift = rng.choice([0, 0.5, 0.3], (*x.shape, 2)) * rng.choice([-1, 1], (*x.shape, 2))
    net = np.stack([x, y], -1) + shift
    a, b, c, d = net[:-1, :-1], net[:-1, 1:], net[1:, 1:], net[1:, :-1]
    corners = np.concatenate([np.stack(three, -2).reshape(-1, 3, 2) for three in ((a, b, c), (a, c, d))])
    found = rasterise(corners, np.ones((len(corners), 3)), HEIGHT, WIDTH)
    assert len(found.pixel) == HEIGHT * WIDTH


def test_depth_is_in_perspective() -> None:
    # The plane z = 1 + x under a camera of focal length 10: along the picture 1/z is linear, z is not.
    x = np.array([0.0, 3.0])
    (left, right), (near, far) = 10 * x / (1 + x), 1 + x
    corners = np.array([[(left, -1), (right, -1), (left, 40)], [(right, -1), (right, 40), (left, 40)]], float)
    found = rasterise(corners, np.array([[near, far, near], [far, far, near]]), 4, 7)
    at = (found.pixel % 7 + 0.5) / 10
    assert len(found.pixel) == 28
    np.testing.assert_allclose(found.depth, 1 / (1 - at))


def test_of_equally_near_triangles_the_lowest_counts() -> None:
    corners, depth = triangles(6, 3)
    once, often = rasterise(corners, depth, HEIGHT, WIDTH), rasterise(
        np.concatenate([corners] * 3), np.concatenate([depth] * 3), HEIGHT, WIDTH
    )  # fmt: skip
    np.testing.assert_array_equal(often.face, once.face)
    assert once.face.max() > 0


def test_a_triangle_shows_from_both_sides() -> None:
    corners, depth = triangles(10, 4)
    turned = rasterise(corners[:, ::-1], depth[:, ::-1], HEIGHT, WIDTH)
    found = rasterise(corners, depth, HEIGHT, WIDTH)
    np.testing.assert_array_equal(turned.pixel, found.pixel)
    np.testing.assert_allclose(turned.weights[:, ::-1], found.weights, atol=1e-9)


def test_triangles_at_the_camera_and_such_without_an_area_are_left_out() -> None:
    whole = np.array([(-90, -90), (200, -90), (-90, 200)], float)
    line = np.array([(0.5, 0.5), (10.5, 10.5), (5.5, 5.5)])
    corners = np.stack([whole, whole, line, np.full((3, 2), np.nan), whole])
    depth = np.array([(1, 1, NEAREST_M / 2), (-1, 1, 1), (1, 1, 1), (1, 1, 1), (2, 2, 2)])
    found = rasterise(corners, depth, HEIGHT, WIDTH)
    assert len(found.pixel) == HEIGHT * WIDTH
    assert set(found.face) == {4}
    assert len(rasterise(corners[:4], depth[:4], HEIGHT, WIDTH).pixel) == 0


def test_chunks_of_any_size_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    corners, depth = triangles(30, 5)
    corners = np.concatenate([corners, corners[:5]])  # equally near ones in different chunks
    depth = np.concatenate([depth, depth[:5]])
    found = rasterise(corners, depth, HEIGHT, WIDTH)
    monkeypatch.setattr(raster, "CHUNK_ROWS", 7)
    monkeypatch.setattr(raster, "CHUNK_SAMPLES", 11)
    again = rasterise(corners, depth, HEIGHT, WIDTH)
    for name in ("pixel", "face", "depth", "weights"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))


def test_triangles_as_large_as_the_picture_take_little_more_than_the_picture() -> None:
    side, count = 512, 60
    corners = np.tile(np.array([(-2, -2), (3 * side, -2), (-2, 3 * side)], float), (count, 1, 1))
    depth = np.arange(count, 0, -1.0)[:, None].repeat(3, 1)
    tracemalloc.start()
    try:
        found = rasterise(corners, depth, side, side)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.face == count - 1).all() and len(found.pixel) == side * side
    # The picture and its fragments are 72 bytes a sample; all samples of all triangles at once would be 480 for each.
    assert peak < 120e6
