"""Shading kept and the seam ratio, against a slow twin and clips that can be worked out by hand."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from backend.measure.metrics.comparison import Comparison
from backend.measure.metrics.consistency import Consistency, consistency, consistency_matches
from backend.measure.metrics.followed import FollowedPoints
from backend.measure.metrics.h_mse import HMse
from backend.measure.metrics.seam import seam_ratio
from backend.measure.metrics.shading import shading
from backend.passes.shot_passes import Charts, ShotPasses
from shared.errors import InputError
from tests.helpers.clips import noisy, sliding_square
from tests.helpers.synthetic_passes import all_parts, render_passes, shape_of
from tests.reference import consistency as twin

TILTS = np.radians((-30.0, -10.0, 10.0, 30.0))


@cache
def tilting_square() -> ShotPasses:
    """A square that bends back from frame to frame, so that it turns up towards the light."""
    corners = np.array([[-0.3, 0, -0.3], [0.3, 0, -0.3], [0.3, 0, 0.3], [-0.3, 0, 0.3]])
    turned = [
        np.stack([corners[:, 0], np.sin(tilt) * corners[:, 2], np.cos(tilt) * corners[:, 2]], axis=1) for tilt in TILTS
    ]
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    f = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    charts = Charts(f, np.full(2, 1, np.uint8), uv[f])
    return render_passes(np.stack(turned), charts, size=(48, 64), focal_px=100.0, camera_m=(0.0, -2.0, 0.0))


def light_by_hand() -> NDArray[np.float64]:
    """The normal's part along the light, which comes from 0.9 up and 0.7 from the camera: a value a frame."""
    found: NDArray[np.float64] = (0.9 * np.sin(TILTS) + 0.7 * np.cos(TILTS)) / np.hypot(0.9, 0.7)
    return found.clip(0)


def lit(strength: float, noise: float = 0.0) -> Consistency:
    """A texture that is fixed to the square, brighter by `strength` grey levels where it is fully lit."""
    passes = tilting_square()
    seen = passes.read(passes.positions)
    colour = 60 + 30 * np.sin(9 * seen.uv[..., 0]) + strength * light_by_hand()[:, None, None]
    colour = colour + np.random.default_rng(0).normal(0, noise, colour.shape)
    images = np.repeat(np.where(seen.part > 0, colour, 128)[..., None], 3, axis=-1).clip(0, 255)
    return consistency(images, passes, consistency_matches(passes, 48, 64))


def test_light_is_that_of_the_normal() -> None:
    matches = consistency_matches(tilting_square(), 48, 64)
    assert matches.lambert == pytest.approx(np.broadcast_to(light_by_hand(), matches.lambert.shape), abs=1e-5)


@pytest.mark.parametrize("strength", [90.0, 20.0, -20.0])
def test_the_slope_is_how_many_grey_levels_the_light_adds(strength: float) -> None:
    found = lit(strength).shading
    assert found.slope == pytest.approx(strength, rel=0.03, abs=1)  # the texture is compared at whole pixels
    assert found.r is not None and found.r * np.sign(strength) > 0.8


def test_flat_colours_have_no_slope_and_noise_no_law() -> None:
    flat, full, disturbed = lit(0.0), lit(80.0), lit(80.0, noise=40.0)
    comparison = Comparison({"full": full, "flat": flat, "half": lit(40.0)}, full, "full")
    assert comparison.shading_kept("flat") == pytest.approx(0, abs=0.02)
    assert comparison.shading_kept("half") == pytest.approx(0.5, abs=0.02)
    assert comparison.json_value()["methods"]["full"]["shading_kept"] == 1
    assert Comparison({"full": full, "dark": lit(-20.0)}, full, "dark").shading_kept("full") is None
    assert full.shading.r is not None and disturbed.shading.r is not None
    assert disturbed.shading.r < 0.7 < 0.9 < full.shading.r
    assert disturbed.shading.slope == pytest.approx(80, rel=0.1)


def test_a_light_that_does_not_change_tells_nothing() -> None:
    passes = sliding_square(frames=4)
    found = consistency(noisy(passes), passes, consistency_matches(passes, 48, 64)).shading
    assert found.slope is None and found.r is None and found.points > 100


@pytest.mark.parametrize("seed", [0, 1])
def test_shading_equals_the_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (4, 12, 14, 3))
    part = np.zeros((4, 12, 14), np.uint8)
    part[:, 1:, 2:] = 1
    pixel = np.where(rng.random((90, 4)) < 0.7, rng.integers(0, 12 * 14, (90, 4)), -1).astype(np.int32)
    light = rng.random((90, 4)).astype(np.float32)
    inside = np.stack([binary_erosion(one > 0, np.ones((3, 3)), iterations=2) for one in part])
    found = shading(images, part, FollowedPoints(pixel), light)
    assert (found.slope, found.r) == pytest.approx(twin.shading(images, inside, pixel, light), rel=1e-4)
    with pytest.raises(InputError, match="do not fit"):
        shading(images, part, FollowedPoints(pixel[:5]), light)


def pairs(*values: float | None, lag: int = 1) -> HMse:
    return HMse(None, lag, values, tuple(10 for _ in values))


def test_the_seam_is_the_pair_between_two_segments() -> None:
    seam = seam_ratio(pairs(2, 4, 30, 6, 8, 50), 3)  # frames 0-2, 3-5, 6
    assert seam is not None
    assert (seam.ratio, seam.across, seam.inside, seam.seams) == (8.0, 40.0, 5.0, 2)


def test_a_seam_needs_two_segments_and_something_inside_them() -> None:
    assert seam_ratio(pairs(1, 2, 3), 4) is None
    assert seam_ratio(pairs(), 4) is None
    for values, size in (((1.0, 2.0), 1), ((0.0, 3.0, 0.0), 2), ((None, 3.0), 2), ((1.0, None), 2)):
        seam = seam_ratio(pairs(*values), size)
        assert seam is not None and seam.ratio is None
    with pytest.raises(InputError, match="lag 4"):
        seam_ratio(pairs(1, 2, lag=4), 2)


def test_a_clip_knows_its_seams_from_its_segments() -> None:
    passes = sliding_square(frames=6)
    images = np.full((*shape_of(passes), 3), 100.0)
    images[4:][all_parts(passes)[4:] > 0] += 6.0
    images[1::2] += 1.0
    matches = consistency_matches(passes, 48, 64)
    cut = consistency(images, passes, matches, segment_frames=4)
    assert cut.seam is not None
    assert cut.seam.across == pytest.approx(25) and cut.seam.inside == pytest.approx(1)
    assert consistency(images, passes, matches).seam is None
    assert dataclasses.replace(cut, seam=None).json_value()["seam"] is None
