"""Coverage: that our drawing is the rendered passes', what is partial, and what another object hides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.passes.shot_passes import Charts, ShotPasses
from backend.surface.gbuffer import camera_frame, drawn, g_buffer
from shared.body import free_body
from tests.helpers.surface_bodies import cube, joined, sheet, shown, sphere, with_moving_camera, with_occluder
from tests.helpers.synthetic_passes import render_passes


def free_body_passes() -> ShotPasses:
    body = free_body()
    assert body.part is not None and body.chart_uv is not None
    upright = body.v_template[:, [0, 2, 1]] * (1, -1, 1)
    middle = (upright.min(0) + upright.max(0)) / 2
    charts = Charts(body.f, body.part, body.chart_uv)
    return render_passes((upright - middle)[None], charts, size=(80, 60), focal_px=120.0, camera_m=(0.0, -3.0, 0.0))


def scenes() -> dict[str, ShotPasses]:
    vertices, faces = joined(cube(0.6), sphere(0.4))
    vertices = (vertices + (0.0137, 0, 0.0071)).astype(np.float32)  # no edge on a pixel's centre
    turn = np.radians(25)
    turned = vertices @ np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    return {"cube and sphere": shown([vertices, turned], faces), "free body": free_body_passes()}


@pytest.mark.parametrize("name", scenes())
def test_the_passes_show_what_is_drawn(name: str) -> None:
    passes = scenes()[name]
    for frame in passes.positions:
        camera, rendered = camera_frame(passes, frame), passes.frame(frame)
        found = drawn(passes, camera, 1)
        part = np.zeros(rendered.part.size, np.uint8)
        part[found.pixel] = passes.charts.part[found.face]
        np.testing.assert_array_equal(part.reshape(rendered.part.shape), rendered.part)
        assert len(found.pixel) > 200
        # The vertices are float32, at 2 to 4 metres.
        np.testing.assert_allclose(found.depth, rendered.depth_m.ravel()[found.pixel], atol=2e-6)
        uv = np.einsum("nk,nki->ni", found.weights, passes.charts.chart_uv[found.face])
        np.testing.assert_allclose(uv, rendered.uv.reshape(-1, 2)[found.pixel], atol=2e-4)


def square(left: float, right: float) -> ShotPasses:
    """A square that reaches from column `left` to `right` and from row 12 to 24."""
    vertices, faces = sheet(2, 2, 1, 1)
    x = (vertices[:, 0] + 0.5) * (right - left) + left - 24
    z = vertices[:, 2] * 12
    return shown([np.stack([x, np.zeros(len(x)), z], 1) * 2 / 60], faces)  # 60 pixels of focal length at 2 metres


def test_coverage_is_partial_at_silhouettes_alone() -> None:
    buffer = g_buffer(square(10.4, 20.9), 0)
    wanted = np.zeros((36, 48))
    wanted[12:24, 10] = 0.5  # of the samples at 10.25 and 10.75 one is covered
    wanted[12:24, 11:21] = 1
    np.testing.assert_array_equal(buffer.alpha, wanted)
    assert not buffer.hidden.any()


def test_samples_are_those_of_covered_pixels() -> None:
    buffer = g_buffer(square(10.4, 20.9), 0)
    counts = np.bincount(buffer.pixel, minlength=36 * 48).reshape(36, 48)
    np.testing.assert_array_equal(counts, buffer.alpha * 4)
    assert np.isfinite(buffer.depth).sum() == len(buffer.face) == len(buffer.weights) == counts.sum()


def test_a_pixel_behind_another_object_has_no_coverage() -> None:
    vertices, faces = sphere(0.5, 3)
    passes = shown([vertices], faces)
    block = np.zeros((36, 48), bool)
    block[10:20, 5:24] = True  # the left half of the sphere's middle
    hidden = g_buffer(with_occluder(passes, slice(10, 20), slice(5, 24)), 0)
    free = g_buffer(passes, 0)
    body = passes.frame(0).part > 0
    assert (hidden.alpha[block] == 0).all()
    np.testing.assert_array_equal(hidden.hidden, block & body)
    around = np.zeros((36, 48), bool)
    around[9:21, 4:25] = True
    np.testing.assert_array_equal(hidden.alpha[~around], free.alpha[~around])
    np.testing.assert_array_equal(hidden.alpha[~block & body], free.alpha[~block & body])
    np.testing.assert_array_equal(hidden.depth, free.depth)
    assert not np.isin(hidden.pixel, np.flatnonzero(block)).any()


def test_the_fringe_of_a_hidden_silhouette_is_hidden_too() -> None:
    passes = square(10.6, 20.9)  # column 10 is covered by a quarter of its width, beside its centre
    assert (g_buffer(passes, 0).alpha[12:24, 10] == 0.5).all()
    hidden = g_buffer(with_occluder(passes, slice(0, 36), slice(8, 15)), 0)
    assert (hidden.alpha[:, :15] == 0).all()
    beside = g_buffer(with_occluder(passes, slice(0, 36), slice(14, 30)), 0)
    np.testing.assert_array_equal(beside.alpha[:, :14], g_buffer(passes, 0).alpha[:, :14])


def test_a_lone_pixel_that_the_passes_miss_at_an_edge_is_rounding() -> None:
    passes = square(10.4, 20.9)
    edge = with_occluder(passes, slice(15, 16), slice(10, 11))
    np.testing.assert_array_equal(g_buffer(edge, 0).alpha, g_buffer(passes, 0).alpha)
    inside = with_occluder(passes, slice(15, 16), slice(13, 14))
    assert g_buffer(inside, 0).alpha[15, 13] == 0


def motions() -> NDArray[Any]:
    turn = np.radians(40)
    motion = np.stack([np.eye(4)] * 2)
    motion[1, :3, :3] = [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    motion[:, :3, 3] = [(0.3, 1, -2), (-1, 0.5, 0.2)]
    return motion


def test_each_frame_has_its_own_camera() -> None:
    passes = scenes()["cube and sphere"]
    moved = with_moving_camera(passes, motions())
    for frame in passes.positions:
        still, moving = g_buffer(passes, frame), g_buffer(moved, frame)
        np.testing.assert_allclose(moving.alpha, still.alpha, atol=0.25)  # a sample at an edge may fall either way
        assert (moving.alpha != still.alpha).sum() <= 3
        shared = np.isfinite(moving.depth) & np.isfinite(still.depth)
        np.testing.assert_allclose(moving.depth[shared], still.depth[shared], atol=1e-5)
