"""The exact correspondence: charts, projection, occlusion, and agreement with a brute-force twin."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.correspondence.chart_index import ChartHits, chart_index, find_in_charts
from backend.correspondence.pairs import pair_matches
from backend.correspondence.surface import match_surface, surface_points, track_points
from backend.correspondence.types import Matches
from backend.passes.shot_passes import Charts, ShotPasses
from shared.body import free_body, pose_vertices_batch
from shared.errors import PassesError
from tests.helpers.synthetic_passes import render_passes
from tests.reference import surface as twin

FOCAL = 100.0
DISTANCE = 2.0
PIXEL_M = DISTANCE / FOCAL  # one pixel on a plane at DISTANCE
SIZE = (48, 64)


def grid(columns: int, rows: int, part: int) -> tuple[NDArray[Any], Charts]:
    """A unit square of triangles in the plane Y = 0, x and z in -0.5..0.5, whose chart is the square itself."""
    x, z = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1))
    uv = np.stack([x.ravel(), z.ravel()], -1)
    corner = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    lower = np.stack([corner, corner + 1, corner + columns + 2], -1)
    upper = np.stack([corner, corner + columns + 2, corner + columns + 1], -1)
    f = np.concatenate([lower, upper]).astype(np.int32)
    vertices = np.stack([uv[:, 0] - 0.5, np.zeros(len(uv)), uv[:, 1] - 0.5], -1)
    return vertices, Charts(f, np.full(len(f), part, np.uint8), uv[f].astype(np.float32))


def render(vertices: NDArray[Any], charts: Charts) -> ShotPasses:
    return render_passes(vertices, charts, size=SIZE, focal_px=FOCAL, camera_m=(0.0, -DISTANCE, 0.0))


def sliding_plane(shift_px: tuple[float, float]) -> ShotPasses:
    """A plane facing the camera, 0.6 m wide and high, that moves by `shift_px` (x right, y down) from frame 0 to 1."""
    vertices, charts = grid(7, 5, 2)
    move = np.array([shift_px[0], 0, -shift_px[1]]) * PIXEL_M
    return render(np.stack([vertices * 0.6, vertices * 0.6 + move]), charts)


def two_squares() -> ShotPasses:
    """A small square (part 3) that slides sideways before a large one (part 1), 0.3 m apart."""
    back, back_charts = grid(6, 6, 1)
    front, front_charts = grid(4, 4, 3)
    frames = [np.concatenate([back * 0.7, front * 0.25 + (x, -0.3, 0.02)]) for x in (-0.1, 0.06)]
    return render(
        np.stack(frames),
        Charts(
            np.concatenate([back_charts.f, front_charts.f + len(back)]),
            np.concatenate([back_charts.part, front_charts.part]),
            np.concatenate([back_charts.chart_uv, front_charts.chart_uv]),
        ),
    )


@cache
def posed_body() -> ShotPasses:
    """The free body, arms hanging, turning and swinging an arm across itself, in three frames."""
    body = free_body()
    poses = np.zeros((3, 24, 3))
    poses[:, 16, 2], poses[:, 17, 2] = -1.1, 1.1
    poses[:, 0, 1] = 0.0, 0.15, 0.5
    poses[:, 17, 0] = 0.0, -0.4, -0.9
    y_up = pose_vertices_batch(body, poses, np.zeros(10), np.zeros((3, 3)))
    z_up = np.stack([y_up[..., 0], -y_up[..., 2], y_up[..., 1]], -1)
    assert body.part is not None and body.chart_uv is not None
    charts = Charts(body.f, body.part, body.chart_uv)
    return render_passes(z_up, charts, size=(96, 80), focal_px=130.0, camera_m=(0.0, -3.0, -0.3))


def pixels(matches: Matches, side: str) -> NDArray[Any]:
    flat = getattr(matches, side)
    return np.stack([flat % matches.width, flat // matches.width], -1)


def match(passes: ShotPasses, current: int, reference: int, size: tuple[int, int] = SIZE) -> Matches:
    return match_surface(passes, chart_index(passes.charts), current, reference, *size)


@pytest.mark.parametrize("shift", [(0, 0), (3, 0), (-4, 2), (0, -5)])
def test_a_shift_by_whole_pixels_shifts_the_matches(shift: tuple[int, int]) -> None:
    passes = sliding_plane(shift)
    matches = match(passes, 1, 0)
    moved = pixels(matches, "current") - pixels(matches, "reference")
    assert np.array_equal(np.unique(moved, axis=0), [shift])
    both = passes.frame(1).part & np.roll(passes.frame(0).part, (shift[1], shift[0]), (0, 1))
    assert len(matches) == np.count_nonzero(both) > 700


@pytest.mark.parametrize("cell", [2, 4, 8])
def test_a_shift_by_whole_cells_shifts_the_matches_of_cells(cell: int) -> None:
    passes = sliding_plane((cell, -cell))
    matches = match(passes, 1, 0, (SIZE[0] // cell, SIZE[1] // cell))
    moved = pixels(matches, "current") - pixels(matches, "reference")
    assert len(matches) > 5 and np.array_equal(np.unique(moved, axis=0), [(1, -1)])


def test_positions_are_sub_pixel() -> None:
    passes = sliding_plane((0.25, -1.375))
    index = chart_index(passes.charts)
    points = surface_points(passes, index, 1)
    track = track_points(passes, index, points, 0)
    centre = np.stack([points.pixel % SIZE[1], points.pixel // SIZE[1]], -1) + 0.5
    np.testing.assert_allclose(track.position - centre, np.tile((-0.25, 1.375), (len(centre), 1)), atol=2e-3)
    np.testing.assert_allclose(track.depth_m, DISTANCE, atol=1e-6)


def test_of_several_pixels_that_fall_in_one_the_closest_wins() -> None:
    vertices, charts = grid(6, 6, 2)
    passes = render(np.stack([vertices * 0.3, vertices * 0.6]), charts)
    matches = match(passes, 1, 0)
    # Twice the size: every reference pixel holds the points of up to four current ones, none of them nearer than
    # a quarter of a pixel to its centre in x and y.
    reference = pixels(matches, "reference") + 0.5 - (SIZE[1] / 2, SIZE[0] / 2)
    current = pixels(matches, "current") + 0.5 - (SIZE[1] / 2, SIZE[0] / 2)
    np.testing.assert_allclose(np.abs(current / 2 - reference), 0.25, atol=1e-9)
    assert len(matches) == np.count_nonzero(passes.frame(0).part)


def test_a_hidden_point_is_not_matched() -> None:
    passes = two_squares()
    matches = match(passes, 1, 0)
    here = passes.frame(1).part.reshape(-1)[matches.current]
    there = passes.frame(0).part.reshape(-1)[matches.reference]
    assert np.array_equal(here, there)
    uncovered = (passes.frame(0).part == 3) & (passes.frame(1).part == 1)
    assert np.count_nonzero(uncovered) > 50
    assert not np.isin(np.flatnonzero(uncovered), matches.current).any()
    stays = (passes.frame(0).part == 1) & (passes.frame(1).part == 1)
    assert np.isin(np.flatnonzero(stays), matches.current).all()


def test_back_faces_are_not_matched() -> None:
    vertices, charts = grid(6, 6, 2)
    turned = vertices * (-0.6, 0.6, 0.6)
    passes = render(np.stack([vertices * 0.6, turned]), charts)
    assert np.count_nonzero(passes.frame(1).part) > 700
    assert len(match(passes, 1, 0)) == 0


def test_a_point_outside_the_picture_is_not_matched() -> None:
    passes = sliding_plane((SIZE[1] - 20, 0))
    matches = match(passes, 0, 1)
    assert len(matches) and (pixels(matches, "current")[:, 0] + SIZE[1] - 20 < SIZE[1]).all()


def test_empty_frames_have_no_matches() -> None:
    vertices, charts = grid(3, 3, 2)
    passes = render(np.stack([vertices * 0.4, vertices * 0.4 + (50, 0, 0)]), charts)
    assert not passes.frame(1).part.any()
    assert len(match(passes, 1, 0)) == len(match(passes, 0, 1)) == len(match(passes, 1, 1)) == 0


def test_body_agrees_with_every_triangle_tested() -> None:
    passes = posed_body()
    index = chart_index(passes.charts)
    points = surface_points(passes, index, 2)
    assert points.pixel.size == np.count_nonzero(passes.frame(2).part)
    track = track_points(passes, index, points, 0)
    wrongly_seen = wrongly_hidden = seen = 0
    for i in range(0, points.pixel.size, 7):
        row, column = divmod(int(points.pixel[i]), 80)
        face, weights = twin.seen_point(passes, 2, row, column)
        own = twin.picture_position(passes, twin.place_in_frame(passes, face, weights, 2), 2)
        assert np.abs(own - (column + 0.5, row + 0.5)).max() < 0.02
        there = twin.place_in_frame(passes, face, weights, 0)
        np.testing.assert_allclose(track.position[i], twin.picture_position(passes, there, 0), atol=0.02)
        free = twin.clearance(passes, there, 0, face)
        seen += free > -0.002
        wrongly_seen += bool(track.visible[i]) and free < -0.03
        wrongly_hidden += not track.visible[i] and free > -0.002
    assert seen > 60 and wrongly_seen == 0
    # Points in a pixel whose centre shows something else (silhouettes, creases) are seen, but have no pixel.
    assert wrongly_hidden <= 0.15 * seen


def test_body_matches_itself_and_shares_points_between_frames() -> None:
    passes = posed_body()
    same = match(passes, 1, 1, (96, 80))
    assert np.array_equal(same.current, same.reference)
    assert np.array_equal(same.current, np.flatnonzero(passes.frame(1).part))
    index = chart_index(passes.charts)
    matches = match(passes, 1, 0, (96, 80))
    there = surface_points(passes, index, 0)
    place = {int(pixel): i for i, pixel in enumerate(there.pixel)}
    here = surface_points(passes, index, 1)
    rest = passes.vertices[0].astype(float)
    own = {int(pixel): i for i, pixel in enumerate(here.pixel)}
    i = [own[pixel] for pixel in matches.current.tolist()]
    j = [place[pixel] for pixel in matches.reference.tolist()]
    a = (here.weights[i][..., None] * rest[index.face_vertices[here.face[i]]]).sum(1)
    b = (there.weights[j][..., None] * rest[index.face_vertices[there.face[j]]]).sum(1)
    # On the same body, at rest, joined pixels lie within about a pixel (2.3 cm here) of each other.
    gap = np.linalg.norm(a - b, axis=1)
    assert len(matches) > 0.75 * np.count_nonzero(passes.frame(1).part)
    assert np.median(gap) < 0.015 and (gap < 0.06).mean() > 0.99


def test_vertices_of_another_shot_are_refused() -> None:
    passes = sliding_plane((0, 0))
    other = dataclasses.replace(passes, vertices=passes.vertices + np.float32(0.3))
    with pytest.raises(PassesError, match="frame 2 do not show the vertices"):
        match(other, 1, 0)


def test_sizes_and_frames_that_are_not_there_are_refused() -> None:
    passes = sliding_plane((0, 0))
    with pytest.raises(PassesError, match="not 64x48"):
        match(passes, 1, 0, (96, 128))
    with pytest.raises(PassesError, match="none at position 2"):
        match(passes, 1, 2)


def test_chart_search_finds_the_triangle_and_its_weights() -> None:
    rng = np.random.default_rng(4)
    _, charts = grid(9, 6, 12)
    index = chart_index(charts)
    uv = rng.random((500, 2)).astype(np.float32)
    hits = find_in_charts(index, np.full(500, 12, np.uint8), uv)
    again = np.einsum("nk,nki->ni", hits.weights, charts.chart_uv[hits.face])
    np.testing.assert_allclose(again, uv[hits.point], atol=2e-3)
    assert np.array_equal(np.unique(hits.point), np.arange(500))
    assert find_in_charts(index, np.full(500, 11, np.uint8), uv).point.size == 0


def test_chart_search_keeps_apart_what_touches_and_skips_empty_triangles() -> None:
    uv = np.array([[[0.1, 0.1], [0.5, 0.1], [0.1, 0.5]], [[0.5, 0.1], [0.5, 0.5], [0.1, 0.5]], [[0.2, 0.2]] * 3])
    f = np.array([[0, 1, 2], [1, 3, 2], [0, 0, 0]], np.int32)
    index = chart_index(Charts(f, np.full(3, 1, np.uint8), uv.astype(np.float32)))
    hits: ChartHits = find_in_charts(
        index, np.ones(4, np.uint8), np.array([[0.2, 0.2], [0.3, 0.3], [0.4, 0.4], [0.9, 0.9]], np.float32)
    )
    assert list(zip(hits.point.tolist(), hits.face.tolist(), strict=True)) == [(0, 0), (1, 0), (1, 1), (2, 1)]
    with pytest.raises(PassesError, match="no triangle has an area"):
        chart_index(Charts(f[2:], np.ones(1, np.uint8), uv[2:].astype(np.float32)))


def test_two_characters_of_one_body_are_kept_apart() -> None:
    one, charts = grid(5, 5, 2)
    both = Charts(
        np.concatenate([charts.f, charts.f + len(one)]),
        np.concatenate([charts.part] * 2),
        np.concatenate([charts.chart_uv] * 2),
    )
    left, right = np.array([-0.3, 0, 0]), np.array([0.3, 0, 0])
    frames = [np.concatenate([one * 0.4 + left, one * 0.4 + right + (0, 0, step * PIXEL_M)]) for step in (0, 2)]
    passes = render(np.stack(frames), both)
    matches = match(passes, 1, 0)
    here = pixels(matches, "current")
    moved = here - pixels(matches, "reference")
    assert np.array_equal(np.unique(moved[here[:, 0] < SIZE[1] // 2], axis=0), [(0, 0)])
    assert np.array_equal(np.unique(moved[here[:, 0] >= SIZE[1] // 2], axis=0), [(0, -2)])


def test_a_method_that_is_not_known_is_refused() -> None:
    with pytest.raises(PassesError, match="no correspondence named 'nearest'"):
        pair_matches(sliding_plane((4, 0)), 1, 0, 12, 16, method="nearest")  # type: ignore[arg-type]
