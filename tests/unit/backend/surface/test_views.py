"""A frame before the texels: the slow twin, functions read back, what is written and read again, hiding, cameras."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.passes.exr import FramePasses
from backend.passes.shot_passes import FramesInMemory, ShotPasses
from backend.surface import views
from backend.surface.texels import TexelMesh, shot_texels
from backend.surface.views import FrameView, frame_view
from tests.helpers.surface_bodies import (
    DISTANCE,
    FOCAL,
    SIZE,
    cube,
    joined,
    sheet,
    shown,
    sphere,
    with_moving_camera,
    with_occluder,
)
from tests.reference import surface_view as twin

PIXELS = SIZE[0] * SIZE[1]
BACK, FRONT = cube(0.7), sphere(0.25, 3)


@cache
def crossing() -> ShotPasses:
    """A ball that goes by 0.3 m before a cube which turns; frames 0 and 1, and the rest pose beside each other."""
    frames = []
    for x, angle in ((-0.131, 20), (0.093, 50)):
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        turned = BACK[0] @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) + (0.0137, 0, 0.0071)
        frames.append(np.concatenate([turned, FRONT[0] + (x, -0.9, 0.0537)]).astype(np.float32))
    rest, faces = joined(BACK, (FRONT[0] + (2, 0, 0), FRONT[1]))
    counts = (len(BACK[0]), len(FRONT[0]))
    return shown(frames, faces, counts=counts, rest=rest, size=(26, 30), focal_px=32.0)


@cache
def texels() -> TexelMesh:
    return shot_texels(crossing())


@cache
def flat() -> tuple[ShotPasses, TexelMesh]:
    """A sheet that faces the camera, its edges between the pixels' centres."""
    vertices, faces = sheet(5, 4, 1.013, 0.811)
    passes = shown([vertices], faces)
    return passes, shot_texels(passes)


def read(view: FrameView, values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray((view.read_weight.astype(float) * values[view.read_index]).sum(axis=1))


def sampled(view: FrameView, picture: NDArray[Any]) -> NDArray[Any]:
    """What the seen texels find in a picture (pixels,)."""
    return np.asarray((view.tap_weight.astype(float) * picture[view.tap_pixel]).sum(axis=1))


@pytest.mark.parametrize("occluded", [False, True])
def test_pixels_are_those_of_the_slow_twin(occluded: bool) -> None:
    passes = with_occluder(crossing(), slice(5, 14), slice(3, 12)) if occluded else crossing()
    mesh, view, scene = texels(), frame_view(passes, texels(), 1), twin.scene(passes, 1)
    height, width = passes.size
    wanted = {row * width + column: twin.pixel(scene, mesh, row, column) for row, column in np.ndindex(height, width)}
    assert view.pixel.tolist() == [k for k, pixel in wanted.items() if pixel is not None]
    for row, k in enumerate(view.pixel):
        pixel = wanted[int(k)]
        assert pixel is not None and view.alpha[row] == pixel.alpha
        kept = view.read_weight[row] > 0
        found = dict(zip(view.read_index[row, kept].tolist(), view.read_weight[row, kept].tolist(), strict=True))
        assert len(found) == kept.sum()
        for texel in found.keys() | pixel.reads.keys():
            assert found.get(texel, 0) == pytest.approx(pixel.reads.get(texel, 0), abs=1e-5)
        np.testing.assert_allclose(view.normal[row], pixel.normal, atol=1e-5)


@pytest.mark.parametrize("occluded", [False, True])
def test_texels_are_those_of_the_slow_twin(occluded: bool) -> None:
    passes = with_occluder(crossing(), slice(5, 14), slice(3, 12)) if occluded else crossing()
    mesh, view, scene = texels(), frame_view(passes, texels(), 1), twin.scene(passes, 1)
    wanted = {number: twin.texel(scene, mesh, number) for number in range(len(mesh))}
    assert view.seen.tolist() == [number for number, texel in wanted.items() if texel is not None]
    assert len(view.seen) > 300
    for row, number in enumerate(view.seen):
        texel = wanted[int(number)]
        assert texel is not None
        kept = view.tap_weight[row] > 0
        found = dict(zip(view.tap_pixel[row, kept].tolist(), view.tap_weight[row, kept].tolist(), strict=True))
        for k in found.keys() | texel.taps.keys():
            assert found.get(k, 0) == pytest.approx(texel.taps.get(k, 0), abs=1e-5)
        np.testing.assert_allclose(view.place[row], texel.place, atol=1e-4)
        np.testing.assert_allclose(view.texel_normal[row], texel.normal, atol=1e-5)
        assert view.quality[row] == pytest.approx(texel.quality, abs=1e-4)


def test_arrays_have_the_types_and_the_order_that_they_promise() -> None:
    view = frame_view(crossing(), texels(), 0)
    for name in ("read_index", "seen"):
        assert getattr(view, name).dtype == np.int32
    for name in ("pixel", "tap_pixel"):
        assert getattr(view, name).dtype == np.int64
    for name in ("alpha", "read_weight", "normal", "place", "tap_weight", "texel_normal", "quality"):
        assert getattr(view, name).dtype == np.float32
    assert (np.diff(view.pixel) > 0).all() and (np.diff(view.seen) > 0).all()
    np.testing.assert_allclose(view.read_weight.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(view.tap_weight.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(view.normal, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(view.texel_normal, axis=1), 1, atol=1e-6)
    # Every pixel that is named shows a body, also where the weight is 0.
    assert (crossing().frame(0).part.ravel()[view.tap_pixel] > 0).all()


def test_a_linear_function_is_read_at_the_middle_of_a_pixel() -> None:
    passes, mesh = flat()
    view = frame_view(passes, mesh, 0)
    whole = view.alpha == 1
    row, column = np.divmod(view.pixel[whole], SIZE[1])
    x, z = (column + 0.5 - 24) * DISTANCE / FOCAL, -(row + 0.5 - 18) * DISTANCE / FOCAL
    found = read(view, mesh.rest.astype(float) @ (0.6, 0.0, -1.7))[whole]
    assert whole.sum() > 600
    np.testing.assert_allclose(found, 0.6 * x - 1.7 * z, atol=1e-5)


def test_a_smooth_function_is_read_within_the_error_of_linear_interpolation() -> None:
    radius, steepness = 0.5, 4.0
    vertices, faces = sphere(radius, 4)
    passes = shown([vertices], faces)
    mesh = shot_texels(passes)
    view = frame_view(passes, mesh, 0)
    row, column = np.divmod(view.pixel, SIZE[1])
    ray = np.stack([(column + 0.5 - 24) / FOCAL, np.ones(len(row)), -(row + 0.5 - 18) / FOCAL], 1)
    # Where the ray through the pixel's centre meets the sphere; the camera stands at (0, -DISTANCE, 0).
    along, square = DISTANCE * ray[:, 1], (ray * ray).sum(axis=1)
    root = along**2 - square * (DISTANCE**2 - radius**2)
    inner = (view.alpha == 1) & (root > 0)
    far = (along - np.sqrt(np.maximum(root, 0))) / square
    point = ray * far[:, None] - (0, DISTANCE, 0)
    cosine = -(point * ray).sum(axis=1) / radius / np.sqrt(square)
    inner &= cosine > 0.5
    error = np.abs(read(view, np.sin(steepness * mesh.rest[:, 0].astype(float))) - np.sin(steepness * point[:, 0]))
    # The samples lie within 0.36 pixels of the centre, stretched by the slope (half as much again on a curved surface);
    # interpolation between texels costs the second derivative times the square of their distance.
    footprint = 0.36 * far / FOCAL / cosine * 1.5
    bound = steepness * footprint + steepness**2 * mesh.spacing_m**2 + steepness * radius * (np.pi / 64) ** 2
    assert inner.sum() > 300
    assert (error < bound)[inner].all()
    # The samples lie evenly round the centre: most of that cancels.
    assert error[inner].mean() < 0.1 * bound[inner].mean()


def test_a_picture_written_to_texels_and_read_again_is_the_picture() -> None:
    passes, mesh = flat()
    view = frame_view(passes, mesh, 0)
    row, column = np.divmod(np.arange(PIXELS), SIZE[1])
    picture = 0.02 * column - 0.013 * row + 0.4
    values = np.full(len(mesh), np.nan)
    values[view.seen] = sampled(view, picture)
    assert len(view.seen) == len(mesh)
    found = read(view, values)
    edge = views._edge_distance(passes.frame(0)).ravel()[view.pixel]
    inner = edge >= 3  # texels whose four pixels all show the sheet
    assert inner.sum() > 300
    np.testing.assert_allclose(found[inner], picture[view.pixel[inner]], atol=1e-5)
    # At its edge a texel has fewer pixels to read, at most one away.
    np.testing.assert_allclose(found, picture[view.pixel], atol=0.02 + 0.013)


def test_bodies_read_their_own_texels_and_hide_each_other() -> None:
    passes, mesh = crossing(), texels()
    view, (height, width) = frame_view(passes, mesh, 0), passes.size
    rendered = passes.frame(0)
    body = (rendered.part > 0).ravel()[view.pixel]
    front = body & (rendered.depth_m.ravel()[view.pixel] < DISTANCE - 0.6)
    read_body = np.where(view.read_weight > 0, mesh.body[view.read_index], -1)
    depth = np.pad(rendered.depth_m, 1, constant_values=np.inf)
    around = [depth[1 + y : 1 + y + height, 1 + x : 1 + x + width].ravel() for y in (-1, 0, 1) for x in (-1, 0, 1)]
    inner = front & (np.max(around, axis=0)[view.pixel] < DISTANCE - 0.6)
    assert inner.sum() > 20
    assert (read_body.max(axis=1) == 1)[inner].all() and not (read_body == 0)[inner].any()
    # No texel of the cube is seen where the ball covers a pixel and all those around it.
    place = np.floor(view.place).astype(int)
    behind = np.isin(place[:, 1] * width + place[:, 0], view.pixel[inner])
    assert behind.sum() > 20
    assert (mesh.body[view.seen[behind]] == 1).all()
    assert (mesh.body[view.seen] == 0).sum() > 50


def test_behind_another_object_nothing_is_covered_or_seen() -> None:
    passes, mesh = flat()
    rows, columns = slice(12, 24), slice(16, 30)
    hidden = with_occluder(passes, rows, columns)
    block = np.zeros(SIZE, bool)
    block[rows, columns] = True
    view, free = frame_view(hidden, mesh, 0), frame_view(passes, mesh, 0)
    np.testing.assert_array_equal(view.pixel, free.pixel[~block.ravel()[free.pixel]])
    assert not block.ravel()[view.tap_pixel].any()
    place = np.floor(free.place).astype(int)
    inside = block[place[:, 1], place[:, 0]]
    assert inside.sum() > 100
    np.testing.assert_array_equal(view.seen, free.seen[~inside])
    # Beside it quality falls as at a silhouette.
    both = np.isin(free.seen, view.seen)
    beside = np.abs(view.place - (23, 18)).max(axis=1) < 7.4
    assert view.quality[beside].max() < 0.5 < free.quality[both][beside].min()


def test_quality_is_the_square_of_the_cosine_away_from_edges() -> None:
    passes, mesh = flat()
    view = frame_view(passes, mesh, 0)
    inner = np.abs(view.place - (24, 18)).max(axis=1) < 5
    towards = np.column_stack([(view.place - (24, 18)) / FOCAL, np.ones(len(view.place))])
    assert inner.sum() > 100
    np.testing.assert_allclose(view.quality[inner], 1 / (towards * towards).sum(axis=1)[inner], rtol=1e-4)
    np.testing.assert_allclose(view.texel_normal, np.tile([0, 0, -1], (len(view.seen), 1)), atol=1e-6)


def test_a_body_that_fills_the_picture_is_seen_as_well_as_it_faces_the_camera() -> None:
    vertices, faces = sheet(5, 4, 8.0, 6.0)
    passes = shown([vertices], faces)
    view = frame_view(passes, shot_texels(passes), 0)
    towards = np.column_stack([(view.place - (24, 18)) / FOCAL, np.ones(len(view.place))])
    assert len(view.pixel) == PIXELS and len(view.seen) > 100
    np.testing.assert_allclose(view.quality, 1 / (towards * towards).sum(axis=1), rtol=1e-4)


def test_the_back_of_a_sheet_is_covered_but_its_texels_are_not_seen() -> None:
    vertices, faces = sheet(5, 4, 1.013, 0.811)
    passes = shown([vertices], faces[:, ::-1])
    view = frame_view(passes, shot_texels(passes), 0)
    np.testing.assert_array_equal(view.pixel, frame_view(*flat(), 0).pixel)
    np.testing.assert_allclose(view.normal, np.tile([0, 0, -1], (len(view.pixel), 1)), atol=1e-6)
    assert len(view.seen) == len(view.tap_pixel) == 0


def test_no_normal_of_a_pixel_leans_away_from_the_camera() -> None:
    vertices, faces = sphere(0.5, 1)  # so coarse that smooth normals do at its silhouette
    passes = shown([vertices], faces)
    view = frame_view(passes, shot_texels(passes), 0)
    row, column = np.divmod(view.pixel, SIZE[1])
    sight = np.stack([(column + 0.5 - 24) / FOCAL, (row + 0.5 - 18) / FOCAL, np.ones(len(row))], 1)
    sight /= np.linalg.norm(sight, axis=1, keepdims=True)
    assert (view.normal * sight).sum(axis=1).max() < 0.36 * 1.5 / FOCAL  # the samples' sights are not the centre's
    assert (view.normal * sight).sum(axis=1).min() < -0.99


def test_a_moving_camera_sees_what_a_moved_body_shows() -> None:
    turn = np.radians(35)
    motion = np.stack([np.eye(4)] * 2)
    motion[1, :3, :3] = [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    motion[1, :3, 3] = (-1, 0.5, 0.2)
    moved = with_moving_camera(crossing(), motion)
    values = np.random.default_rng(0).normal(size=len(texels()))
    still, moving = (frame_view(passes, texels(), 1) for passes in (crossing(), moved))
    shared = np.intersect1d(still.seen, moving.seen)
    assert len(shared) > 0.99 * max(len(still.seen), len(moving.seen))
    rows = [np.searchsorted(view.seen, shared) for view in (still, moving)]
    np.testing.assert_allclose(moving.place[rows[1]], still.place[rows[0]], atol=1e-3)
    np.testing.assert_allclose(moving.texel_normal[rows[1]], still.texel_normal[rows[0]], atol=1e-4)
    same = still.alpha == moving.alpha
    assert still.pixel.tolist() == moving.pixel.tolist() and same.mean() > 0.98
    difference = np.abs(read(still, values) - read(moving, values))
    assert np.quantile(difference, 0.97) < 1e-2  # a sample on an edge may fall either way
    assert still.seen.tolist() != frame_view(crossing(), texels(), 0).seen.tolist()


def test_cells_of_the_latent_grid() -> None:
    passes, mesh = flat()
    view = frame_view(passes, mesh, 0)
    cells = view.texel_cells(8)
    assert cells.dtype == np.int32
    row, column = np.divmod(cells, 48 // 8)
    for axis, cell in ((0, column), (1, row)):
        # 36 rows make 4 cells of 8: what lies below belongs to the last.
        assert ((view.place[:, axis] >= 8 * cell) & (view.place[:, axis] < 8 * cell + (8 if axis == 0 else 12))).all()
    assert len(np.unique(cells)) >= 12


def test_a_frame_without_a_body_shows_nothing() -> None:
    passes, mesh = flat()
    away = dataclasses.replace(passes, vertices=passes.vertices + np.float32(50))
    empty = FramePasses(
        np.full((1, *SIZE), np.inf, np.float32), np.zeros((1, *SIZE), np.uint8), np.zeros((1, *SIZE, 2), np.float32)
    )
    view = frame_view(dataclasses.replace(away, source=FramesInMemory(empty)), mesh, 0)
    assert len(view.pixel) == len(view.read_index) == len(view.normal) == len(view.seen) == len(view.quality) == 0


def test_bands_of_any_height_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = frame_view(crossing(), texels(), 1)
    monkeypatch.setattr(views, "BAND_SAMPLES", 50)
    for field in dataclasses.fields(FrameView):
        found = getattr(frame_view(crossing(), texels(), 1), field.name)
        np.testing.assert_array_equal(found, getattr(whole, field.name), err_msg=field.name)
