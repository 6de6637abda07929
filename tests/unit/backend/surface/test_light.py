"""The light that frames agree on: a known one comes back, paint cancels, the dense twin, what tells nothing of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.surface import light as kernel
from backend.surface.light import LitTexels, brightness, fitted_light, light_basis, log_of, luminance_of
from shared.rotations import axis_angle_to_matrix
from tests.reference import surface_fusion as twin

TEXELS = 60
LIGHT = np.array([0.2, -0.25, -0.15, 0.05, 0.0, 0.03, -0.06, 0.04], np.float32)


def normals(frames: int, *, turning: bool = True) -> list[NDArray[np.float32]]:
    """Normals (TEXELS, 3) all round, which turn about another axis in each frame."""
    generator = np.random.default_rng(0)
    rest = generator.normal(size=(TEXELS, 3))
    rest /= np.linalg.norm(rest, axis=1, keepdims=True)
    turns = generator.normal(0, 0.7 if turning else 0.0, (frames, 3))
    return [(rest @ axis_angle_to_matrix(turn).T).astype(np.float32) for turn in turns]


def lit(paint: NDArray[Any], light: NDArray[Any], *, turning: bool = True, noise: float = 0.0) -> list[LitTexels]:
    """Frames of texels with a luminance of their own (TEXELS,) under a light; each frame sees most of them."""
    generator, frames = np.random.default_rng(1), []
    for normal in normals(7, turning=turning):
        seen = np.flatnonzero(generator.random(TEXELS) < 0.7).astype(np.int32)
        level = paint * np.exp(light_basis(normal) @ light) + generator.normal(0, noise, TEXELS)
        weights = generator.random(TEXELS).astype(np.float32)[seen]
        frames.append(LitTexels(seen, np.maximum(level, 0).astype(np.float32)[seen], normal[seen], weights))
    return frames


def random_paint(seed: int) -> NDArray[Any]:
    return np.random.default_rng(seed).uniform(0.2, 0.9, TEXELS)


def pull(frames: list[LitTexels]) -> float:
    """The most by which a ridge of 4e-4 of all weights can draw the light towards none, as a part of it."""
    rows = np.concatenate([light_basis(one.normal) for one in frames]).astype(float)
    owner = np.concatenate([one.seen for one in frames])
    weights = np.concatenate([one.weight * one.luminance for one in frames])
    within = np.zeros((8, 8))
    for texel in np.unique(owner):
        mine, share = rows[owner == texel], weights[owner == texel]
        off = mine - np.average(mine, axis=0, weights=share)
        within += (off * share[:, None]).T @ off
    ridge = kernel.RIDGE * weights.sum()
    return float(ridge / (ridge + np.linalg.eigvalsh(within)[0]))


@pytest.mark.parametrize("seed", [3, 4])
def test_a_known_light_comes_back_up_to_the_ridge_whatever_the_paint(seed: int) -> None:
    frames = lit(random_paint(seed), LIGHT)
    assert pull(frames) < 0.05
    error = np.linalg.norm(fitted_light(frames, TEXELS) - LIGHT)
    # Each round starts from what the one before has left of a linear model's error.
    assert error <= 2 * pull(frames) * np.linalg.norm(LIGHT)


def test_noise_and_dark_paint_do_not_bend_the_light() -> None:
    paint = np.where(np.arange(TEXELS) % 3 == 0, 0.03, random_paint(5))
    error = np.linalg.norm(fitted_light(lit(paint, LIGHT, noise=0.02), TEXELS) - LIGHT)
    assert error < 0.15 * np.linalg.norm(LIGHT)


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.3])
def test_the_fit_is_a_regression_with_a_column_for_each_texel(noise: float) -> None:
    frames = lit(random_paint(6), LIGHT, noise=noise)
    dense = [(one.seen, one.luminance.astype(float), one.normal.astype(float), one.weight) for one in frames]
    np.testing.assert_allclose(fitted_light(frames, TEXELS), twin.light(dense, TEXELS), atol=1e-3)


def test_texels_that_never_turn_show_no_light() -> None:
    frames = lit(random_paint(7), LIGHT, turning=False)
    flickering = [dataclasses.replace(one, luminance=(1 + 0.2 * n) * one.luminance) for n, one in enumerate(frames)]
    np.testing.assert_allclose(fitted_light(flickering, TEXELS), 0, atol=1e-5)


def test_no_frames_and_single_views_show_no_light() -> None:
    np.testing.assert_array_equal(fitted_light([], 5), np.zeros(8))
    np.testing.assert_allclose(fitted_light(lit(random_paint(8), LIGHT)[:1], TEXELS), 0, atol=1e-5)
    nothing = LitTexels(
        *(np.zeros(shape, kind) for shape, kind in ((0, np.int32), (0, "f4"), ((0, 3), "f4"), (0, "f4")))
    )
    np.testing.assert_array_equal(fitted_light([nothing, nothing], 5), np.zeros(8))


def test_frames_count_by_their_weights_and_not_by_their_order() -> None:
    frames = lit(random_paint(9), LIGHT)
    wanted = fitted_light(frames, TEXELS)
    np.testing.assert_allclose(fitted_light(frames[::-1], TEXELS), wanted, atol=1e-5)
    other = lit(random_paint(10), 3 * LIGHT)[0]
    weightless = dataclasses.replace(other, weight=np.zeros_like(other.weight))
    np.testing.assert_allclose(fitted_light([*frames, weightless], TEXELS), wanted, atol=1e-5)


def test_brightness_is_one_without_light_and_within_bounds_under_any() -> None:
    normal = normals(1)[0]
    np.testing.assert_array_equal(brightness(np.zeros(8, np.float32), normal), np.ones(TEXELS))
    found = brightness(100 * LIGHT, normal)
    assert found.dtype == np.float32
    assert found.max() == pytest.approx(np.exp(kernel.LARGEST)) and found.min() == pytest.approx(
        np.exp(-kernel.LARGEST)
    )
    np.testing.assert_allclose(np.log(brightness(LIGHT, normal)), twin.light_rows(normal) @ LIGHT, atol=1e-5)


def test_the_basis_is_of_degrees_one_and_two_and_sums_to_nothing_over_the_sphere() -> None:
    side = (np.arange(2000) + 0.5) / 2000
    z, turn = 1 - 2 * side, 2 * np.pi * side * 610  # a spiral that covers the sphere evenly
    flat = np.sqrt(1 - z * z)
    normal = np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)
    rows = light_basis(normal.astype(np.float32)).astype(float)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=5e-3)
    products = rows.T @ rows / len(rows)
    np.testing.assert_allclose(products, np.diag(np.diag(products)), atol=5e-3)
    np.testing.assert_allclose(light_basis(-normal)[:, :3], -rows[:, :3], atol=1e-5)
    np.testing.assert_allclose(light_basis(-normal)[:, 3:], rows[:, 3:], atol=1e-5)


def test_luminance_is_never_below_black_and_black_has_a_logarithm_too() -> None:
    found = luminance_of(np.array([[0, 0, 0], [-0.5, 0, 0], [1, 1, 1]], np.float32))
    np.testing.assert_allclose(found, [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(log_of(found), np.log([kernel.DARKEST, kernel.DARKEST, 1 + kernel.DARKEST]), atol=1e-5)
