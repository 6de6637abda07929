"""What is measured along the surface: followed points, surface variance, warp error, background, textures, floor."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from backend.correspondence.chart_index import chart_index
from backend.correspondence.types import IUV
from backend.measure.metrics.background import MARGIN_PX, background_change
from backend.measure.metrics.body_variance import body_variance
from backend.measure.metrics.consistency import consistency, consistency_matches, resampling_floor
from backend.measure.metrics.followed import (
    BackwardFlow,
    FollowedPoints,
    backward_flow,
    follow_points,
    points_to_follow,
)
from backend.measure.metrics.released_h_mse import TILE, released_h_mse, unwrap, wrapped_mse
from backend.measure.metrics.surface_variance import surface_variance
from backend.measure.metrics.textured_render import CONTRAST, textured_render
from backend.measure.metrics.warp_error import warp_error
from backend.passes.shot_passes import ShotPasses
from shared.errors import InputError
from tests.helpers.clips import noisy, painted, sliding_square
from tests.helpers.synthetic_passes import all_parts, shape_of
from tests.reference import consistency as twin


@cache
def half_steps() -> ShotPasses:
    """The square moves by half a pixel a frame."""
    return sliding_square(frames=6, pixels=0.5)


def random_flow(rng: np.random.Generator, count: int) -> BackwardFlow:
    return BackwardFlow(np.sort(rng.permutation(48)[:count]), rng.uniform((-0.4, -0.4), (8.4, 6.4), (count, 2)))


def test_points_are_followed_from_pixel_to_pixel() -> None:
    passes = sliding_square(frames=5)
    index = chart_index(passes.charts)
    followed = follow_points(passes, index, points_to_follow(passes, index))
    assert len(followed.pixel) == np.count_nonzero(all_parts(passes))
    steps = np.diff(followed.pixel, axis=1)
    assert (followed.pixel >= 0).all()  # the square never leaves the picture
    assert (steps == 1).all()
    fewer = follow_points(passes, index, points_to_follow(passes, index, limit=500))
    assert 0.5 * 500 < len(fewer.pixel) <= 505


def test_flow_of_a_slide_is_the_slide() -> None:
    passes = half_steps()
    flow = backward_flow(passes, chart_index(passes.charts), 3)
    row, column = np.divmod(flow.pixel, 64)
    np.testing.assert_allclose(flow.position, np.column_stack([column, row + 0.5]), atol=1e-3)
    assert flow.pixel.size >= np.count_nonzero(passes.frame(3).part) - 30  # but for one column at the edge


def test_surface_variance_equals_the_twin() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 6, 8, 3))
    pixel = rng.integers(0, 48, (20, 5)).astype(np.int32)
    pixel[rng.random((20, 5)) < 0.5] = -1
    seen = (pixel >= 0).sum(axis=1)
    result = surface_variance(images, FollowedPoints(pixel))
    assert result.mean == pytest.approx(twin.surface_variance(images, pixel), rel=1e-9)
    assert result.points == (seen > 1).sum()
    assert result.frames_seen == pytest.approx(seen[seen > 1].mean())
    once = FollowedPoints(np.array([[3, -1, -1, -1, -1]], np.int32))
    assert surface_variance(images, once).mean is None
    with pytest.raises(InputError, match="do not fit points followed through 4 frames"):
        surface_variance(images, FollowedPoints(pixel[:, :4]))


def test_surface_variance_sees_a_drift_that_neighbours_hardly_show() -> None:
    passes = sliding_square()
    matches = consistency_matches(passes, 48, 64, lags=(1,), assignment_lags=(1,))
    drifting = 60.0 + 14.0 * np.arange(10)[:, None, None, None] * np.ones((*shape_of(passes), 3)) / 2
    result = consistency(drifting, passes, matches)
    assert result.surface[0].mean == pytest.approx(7.0**2)
    assert result.surface_variance.mean == pytest.approx(7.0**2 * np.var(np.arange(10), ddof=1))


@pytest.mark.parametrize("seed", [0, 1])
def test_warp_error_equals_the_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (4, 6, 8, 3)).astype(float)
    part = (rng.random((4, 6, 8)) < 0.9).astype(np.uint8)
    flows = [random_flow(rng, count) for count in (48, 30, 44)]
    result = warp_error(images, part, flows)
    assert result.values == pytest.approx(twin.warp_error(images, part, flows), rel=1e-6)
    assert result.mean == pytest.approx(np.mean([v for v in result.values if v is not None]))
    with pytest.raises(InputError, match="2 flows"):
        warp_error(images, part, flows[:2])


def test_warp_error_of_a_ramp_that_moves_by_half_a_pixel_is_zero_and_matches_round_it() -> None:
    passes = half_steps()
    ramp = 40 + 3 * (np.arange(64)[None, :] - 0.5 * np.arange(6)[:, None])  # fixed to the square
    images = np.broadcast_to(ramp[:, None, :, None], (*shape_of(passes), 3)).clip(0, 255)
    matches = consistency_matches(passes, 48, 64, lags=(1,), assignment_lags=(1,))
    result = consistency(images, passes, matches)
    assert result.warp_error.mean == pytest.approx(0, abs=1e-3)
    assert result.surface[0].mean == pytest.approx(1.5**2, rel=0.05)  # half a pixel off, whole pixels compared


def test_body_variance_equals_the_twin_and_is_half_of_a_random_pairing() -> None:
    passes = sliding_square(frames=3)
    images = noisy(passes)
    result = body_variance(images, all_parts(passes))
    assert result.values == pytest.approx(twin.body_variance(images, all_parts(passes)), rel=1e-4)
    relative = consistency(images, passes, consistency_matches(passes, 48, 64)).relative
    assert relative[0] == pytest.approx(2.0, rel=0.1)
    empty = body_variance(images, np.zeros_like(all_parts(passes)))
    assert empty.mean is None and empty.values == (None, None, None)


def test_background_change_equals_the_twin_and_keeps_off_the_body() -> None:
    passes = sliding_square(frames=3)
    images = noisy(passes, 5.0)
    result = background_change(images, passes)
    assert result is not None
    assert result.values == pytest.approx(twin.background_change(images, all_parts(passes), MARGIN_PX), rel=1e-4)
    still = np.full((*shape_of(passes), 3), 90.0)
    still[all_parts(passes) > 0] = noisy(passes)[all_parts(passes) > 0]
    quiet = background_change(still, passes)
    assert quiet is not None and quiet.mean == 0


def test_a_moving_camera_leaves_no_background_to_compare() -> None:
    passes = sliding_square(frames=3)
    moved = passes.shot.camera.world_to_camera.copy()
    moved[2, 0, 3] += 0.01
    camera = dataclasses.replace(passes.shot.camera, world_to_camera=moved)
    panned = dataclasses.replace(passes, shot=dataclasses.replace(passes.shot, camera=camera))
    assert background_change(noisy(panned), panned) is None


def test_the_released_arithmetic_wraps_twice() -> None:
    rng = np.random.default_rng(0)
    textures = rng.integers(0, 4, (3, 5, 6, 3), np.uint8) * rng.integers(0, 86, (3, 5, 6, 3), np.uint8)
    assert wrapped_mse(textures) == pytest.approx(twin.wrapped_mse(textures), rel=1e-12)
    flat = np.full((2, 4, 4, 3), 10, np.uint8)
    flat[1] = 26
    assert wrapped_mse(flat) == 0  # 16 squared is 256
    flat[1] = 25
    assert wrapped_mse(flat) == 225
    assert wrapped_mse(np.zeros_like(flat)) is None


def test_random_textures_reach_the_plateau_that_the_printed_values_lie_near() -> None:
    textures = np.random.default_rng(0).integers(1, 256, (2, 200, 200, 3)).astype(np.uint8)
    assert wrapped_mse(textures) == pytest.approx(105.5, abs=1.0)


def test_unwrapping_fills_a_tile_linearly_and_leaves_the_others_empty() -> None:
    part = np.zeros((12, 12), np.uint8)
    part[2:10, 2:10] = 7
    across, down = np.meshgrid(np.arange(12), np.arange(12))
    uv = np.stack([(across - 2) / 7, (down - 2) / 7], -1).clip(0, 1).astype(np.float32)
    picture = np.stack([100 + 70 * uv[..., 0], 80 + 140 * uv[..., 1], np.full((12, 12), 50.0)], -1).astype(np.float32)
    part[0, 0] = 3  # a single pixel spans no triangle
    texture = unwrap(picture, IUV(part, uv))
    tile = texture[TILE : 2 * TILE, TILE : 2 * TILE].astype(float)  # part 7 is second in the second row
    place = np.linspace(0, 1, TILE)
    assert np.abs(tile[..., 0] - (100 + 70 * place[None, :])).max() <= 1
    assert np.abs(tile[..., 1] - (80 + 140 * place[:, None])).max() <= 1
    texture[TILE : 2 * TILE, TILE : 2 * TILE] = 0
    assert not texture.any()


def test_the_released_figure_compares_the_first_frame_with_the_last() -> None:
    passes = sliding_square(frames=3)
    images = np.full((*shape_of(passes), 3), 100.5)
    images[2] = 103.5
    assert released_h_mse(images, passes) == pytest.approx((0 + 9 + 9) / 3, abs=1e-6)


def test_a_textured_render_is_steady_where_pixels_meet_exactly() -> None:
    passes = sliding_square(frames=4)
    render = textured_render(passes, chart_index(passes.charts))
    body = passes.frame(0).part > 0
    assert render[0][body].std() == pytest.approx(CONTRAST, rel=0.25)
    assert (render[0][~body] == 128).all()
    floor = resampling_floor(passes, consistency_matches(passes, 48, 64))
    assert floor.surface[0].mean is not None and floor.surface[0].mean < 0.5  # rounding to 8 bits alone
    assert floor.sharpness.mean is not None and floor.sharpness.mean > 50


def test_the_floor_rises_where_pixels_do_not_meet() -> None:
    passes = half_steps()
    floor = resampling_floor(passes, consistency_matches(passes, 48, 64, lags=(1, 2)))
    apart, together = (part.mean for part in floor.surface)  # half a pixel, and a whole one
    assert apart is not None and together is not None
    assert together < 0.5
    # Half a pixel along x: a quarter of the squared slope along x, which is half of the sharpness (of the luma).
    assert apart > 10 * together
    assert floor.warp_error.mean is not None and floor.warp_error.mean < apart


def test_another_texture_has_the_same_floor() -> None:
    passes = half_steps()
    index = chart_index(passes.charts)
    matches = consistency_matches(passes, 48, 64)
    shares = []
    for seed in (0, 1, 2):
        result = consistency(textured_render(passes, index, seed), passes, matches)
        assert result.surface[0].mean is not None and result.sharpness.mean is not None
        shares.append(result.surface[0].mean / result.sharpness.mean)
    assert max(shares) < 1.6 * min(shares)


def test_a_blurred_painting_is_nearer_to_the_floor_and_less_sharp() -> None:
    passes = half_steps()
    matches = consistency_matches(passes, 48, 64)
    fine, coarse = (consistency(painted(passes, period), passes, matches) for period in (0.2, 0.8))
    assert fine.surface[0].mean is not None and coarse.surface[0].mean is not None
    assert fine.sharpness.mean is not None and coarse.sharpness.mean is not None
    assert coarse.surface[0].mean < 0.3 * fine.surface[0].mean
    assert coarse.sharpness.mean < 0.3 * fine.sharpness.mean
