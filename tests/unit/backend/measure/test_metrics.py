"""H_MSE, sharpness and the report of both."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.correspondence.types import Matches, empty_matches
from backend.measure.metrics.consistency import consistency, consistency_matches
from backend.measure.metrics.h_mse import h_mse
from backend.measure.metrics.pictures import reduced_size
from backend.measure.metrics.sharpness import sharpness
from shared.errors import InputError
from tests.helpers.clips import noisy, painted, sliding_square
from tests.reference import h_mse as twin


def random_pair(rng: np.random.Generator, count: int) -> Matches:
    return Matches(np.sort(rng.permutation(48)[:count]), rng.permutation(48)[:count], 6, 8)


@pytest.mark.parametrize("lag", [1, 2])
@pytest.mark.parametrize("kind", [np.uint8, np.float64])
def test_h_mse_equals_the_twin(lag: int, kind: type[np.uint8 | np.float64]) -> None:
    rng = np.random.default_rng(lag)
    images: NDArray[Any] = rng.integers(0, 256, (5, 6, 8, 3)).astype(kind)
    pairs = [random_pair(rng, count) for count in (48, 1, 20, 33)[: 5 - lag]]
    result = h_mse(images, pairs, lag=lag)
    assert result.mean == pytest.approx(twin.h_mse(images, pairs, lag), rel=1e-12)
    assert result.pixels == tuple(len(pair) for pair in pairs) and result.lag == lag


def test_h_mse_by_hand_does_not_wrap() -> None:
    images = np.zeros((3, 2, 2, 3), np.uint8)
    images[1] = 255
    images[2] = 255, 245, 255
    whole = Matches(np.arange(4), np.arange(4), 2, 2)
    result = h_mse(images, [whole, whole])
    assert list(result.pairs) == [255.0**2, pytest.approx(100 / 3)]
    assert result.mean == pytest.approx((255.0**2 + 100 / 3) / 2)


def test_a_pair_without_matches_does_not_count() -> None:
    images = np.zeros((3, 2, 2, 3))
    images[2] = 6
    whole = Matches(np.arange(4), np.arange(4), 2, 2)
    result = h_mse(images, [empty_matches(2, 2), whole])
    assert result.mean == 36 and result.pairs == (None, 36.0) and result.pixels == (0, 4)
    assert h_mse(images, [empty_matches(2, 2)] * 2).mean is None


def test_larger_pictures_are_compared_by_block_means() -> None:
    images = np.zeros((2, 4, 4, 3))
    images[1, ::2] = 20
    whole = Matches(np.arange(4), np.arange(4), 2, 2)
    assert h_mse(images, [whole]).mean == 100


def test_what_does_not_fit_is_refused() -> None:
    images = np.zeros((3, 4, 4, 3))
    with pytest.raises(InputError, match="3 frames at lag 1 cannot be compared with 1"):
        h_mse(images, [empty_matches(4, 4)])
    with pytest.raises(InputError, match="must divide"):
        h_mse(images, [Matches(np.array([0]), np.array([0]), 3, 3)] * 2)
    with pytest.raises(InputError, match="is needed"):
        h_mse(images[0], [])
    with pytest.raises(InputError, match="0 to 255"):
        h_mse(images - 1, [empty_matches(4, 4)] * 2)
    with pytest.raises(InputError, match="labels of shape"):
        sharpness(images, np.zeros((2, 4, 4), np.uint8))


def test_sharpness_of_a_ramp_is_its_slope_squared() -> None:
    images = np.empty((2, 16, 16, 3))
    images[0] = 3.0 * np.arange(16)[None, :, None]
    images[1] = 3.0 * np.arange(16)[None, :, None] + 4.0 * np.arange(16)[:, None, None]
    part = np.ones((2, 16, 16), np.uint8)
    result = sharpness(images, part)
    assert list(result.frames) == [pytest.approx(9, abs=1e-9), pytest.approx(25, abs=1e-9)]
    assert result.mean == pytest.approx(17)


def test_sharpness_leaves_out_the_silhouette_and_the_background() -> None:
    part = np.zeros((1, 20, 20), np.uint8)
    part[0, 5:15, 5:15] = 3
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (1, 20, 20, 3)).astype(float)
    images[0, 6:14, 6:14] = 77
    assert sharpness(images, part).mean == 0
    assert sharpness(images, np.zeros_like(part)).mean is None


def test_labels_of_another_size_are_taken_at_the_nearest_pixel() -> None:
    part = np.zeros((1, 40, 40), np.uint8)
    part[0, 10:30, 10:30] = 1
    images = np.zeros((1, 20, 20, 3))
    images[0, :8] = 200
    # Body rows 5..14, inside rows 7..12: one step of 200 between rows 7 and 8, over six counted rows.
    assert sharpness(images, part).mean == pytest.approx(200**2 / 6)


def test_report_is_zero_for_a_texture_that_holds_still_and_sees_one_that_does_not() -> None:
    passes = sliding_square()
    matches = consistency_matches(passes, 48, 64)
    fixed = consistency(painted(passes, 0.4), passes, matches)
    assert [part.lag for part in fixed.surface] == [1, 4, 8]
    for part in fixed.surface:
        assert part.mean == pytest.approx(0, abs=1e-3) and min(part.pixels) > 500
    assert fixed.h_mse.mean == pytest.approx(0, abs=1e-3)
    noise = noisy(passes)
    loose = consistency(noise, passes, matches)
    assert fixed.h_mse == fixed.assignment[0] and [part.lag for part in fixed.assignment] == [1, 4, 8]
    for part in (*loose.assignment, *loose.surface):
        assert part.mean == pytest.approx(2 * 20**2, rel=0.15)
    assert loose.sharpness.mean == pytest.approx(2 * 2 * 20**2 * 0.5622, rel=0.15)  # sum of squared luma weights


def test_blur_lowers_h_mse_and_sharpness_shows_it() -> None:
    passes = sliding_square()
    matches = consistency_matches(passes, 48, 64)
    noise = noisy(passes)
    blurred = (noise + np.roll(noise, 1, 1) + np.roll(noise, 1, 2) + np.roll(noise, (1, 1), (1, 2))) / 4
    sharp, soft = consistency(noise, passes, matches), consistency(blurred, passes, matches)
    assert soft.surface[0].mean is not None and sharp.surface[0].mean is not None
    assert soft.sharpness.mean is not None and sharp.sharpness.mean is not None
    assert soft.surface[0].mean < 0.5 * sharp.surface[0].mean
    assert soft.sharpness.mean < 0.5 * sharp.sharpness.mean


def test_report_is_json_and_short_clips_have_fewer_lags() -> None:
    passes = sliding_square(frames=3)
    report = consistency(painted(passes, 0.4), passes, consistency_matches(passes, 48, 64))
    value = json.loads(json.dumps(report.json_value(), allow_nan=False))
    assert [entry["lag"] for entry in value["surface"]] == [1]
    assert value["sharpness"]["mean"] == report.sharpness.mean
    with pytest.raises(InputError, match="3 frames, but 2 pictures"):
        consistency(np.zeros((2, 48, 64, 3)), passes, consistency_matches(passes, 48, 64))


def test_large_pictures_are_matched_by_assignment_at_most_at_256() -> None:
    assert reduced_size(384, 512) == (192, 256)
    assert reduced_size(256, 200) == (256, 200)
    assert reduced_size(520, 520) == (130, 130)  # thirds of it are not whole
    passes = sliding_square(frames=2)
    matches = consistency_matches(passes, 48, 64)
    assert (matches.assignment[0][1][0].height, matches.assignment[0][1][0].width) == (48, 64)
    with pytest.raises(InputError, match="128x96 do not fit passes of 64x48"):
        consistency_matches(passes, 96, 128)
