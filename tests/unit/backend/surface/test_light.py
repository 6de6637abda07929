"""The light that frames agree on: a known one comes back, paint cancels, the dense twin, what tells nothing of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.surface import light as kernel
from backend.surface.light import LightFit, brightness, light_basis, log_luminance
from shared.rotations import axis_angle_to_matrix
from tests.reference import surface_fusion as twin

TEXELS = 60
LIGHT = np.array([0.2, -0.25, -0.15, 0.05, 0.0, 0.03, -0.06, 0.04], np.float32)

Frame = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]  # seen, colours, normals, weights


def normals(frames: int, *, turning: bool = True) -> list[NDArray[np.float32]]:
    """Normals (TEXELS, 3) all round, which turn about another axis in each frame."""
    generator = np.random.default_rng(0)
    rest = generator.normal(size=(TEXELS, 3))
    rest /= np.linalg.norm(rest, axis=1, keepdims=True)
    turns = generator.normal(0, 0.7 if turning else 0.0, (frames, 3))
    return [(rest @ axis_angle_to_matrix(turn).T).astype(np.float32) for turn in turns]


def lit(paint: NDArray[Any], light: NDArray[Any], *, turning: bool = True) -> list[Frame]:
    """Frames of painted texels (TEXELS, 3) in which the logarithm that is fitted is exactly paint plus light."""
    generator, frames = np.random.default_rng(1), []
    for normal in normals(7, turning=turning):
        seen = np.flatnonzero(generator.random(TEXELS) < 0.7).astype(np.int32)
        grey = paint @ kernel.LUMINANCE + kernel.DARKEST
        level = grey * np.exp(light_basis(normal) @ light) - kernel.DARKEST
        colours = paint * (level / (paint @ kernel.LUMINANCE))[:, None]
        weights = generator.random(TEXELS)[seen]
        frames.append((seen, colours[seen].astype(np.float32), normal[seen], weights.astype(np.float32)))
    return frames


def fitted(frames: list[Frame]) -> NDArray[Any]:
    fit = LightFit(TEXELS)
    for frame in frames:
        fit.add(*frame)
    return fit.solve()


def random_paint(seed: int) -> NDArray[Any]:
    return np.random.default_rng(seed).uniform(0.2, 0.9, (TEXELS, 3))


def pull(frames: list[Frame]) -> float:
    """The most by which a ridge of 4e-4 of all weights can draw the light towards none, as a part of it."""
    rows = np.concatenate([light_basis(normal) for _, _, normal, _ in frames]).astype(float)
    owner = np.concatenate([seen for seen, *_ in frames])
    weights = np.concatenate([w * np.exp(2 * log_luminance(c)) for _, c, _, w in frames])
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
    error = np.linalg.norm(fitted(frames) - LIGHT)
    assert error <= pull(frames) * np.linalg.norm(LIGHT) + 1e-4
    assert error < 0.1 * np.linalg.norm(fitted(frames))


def test_the_fit_is_a_regression_with_a_column_for_each_texel() -> None:
    frames = lit(random_paint(5), LIGHT)
    noisy = [
        (
            seen,
            np.clip(colours + np.random.default_rng(6).normal(0, 0.05, colours.shape), 0, 1).astype(np.float32),
            *rest,
        )
        for seen, colours, *rest in frames
    ]
    np.testing.assert_allclose(fitted(noisy), twin.light(noisy, TEXELS), atol=1e-4)


def test_texels_that_never_turn_show_no_light() -> None:
    frames = lit(random_paint(7), LIGHT, turning=False)
    flickering = [
        (seen, (1 + 0.2 * n) * colours, normal, weight) for n, (seen, colours, normal, weight) in enumerate(frames)
    ]
    np.testing.assert_allclose(fitted(flickering), 0, atol=1e-6)


def test_no_frames_and_single_views_show_no_light() -> None:
    np.testing.assert_array_equal(LightFit(5).solve(), np.zeros(8))
    np.testing.assert_allclose(fitted(lit(random_paint(8), LIGHT)[:1]), 0, atol=1e-6)


def test_frames_count_by_their_weights_and_not_by_their_order() -> None:
    frames = lit(random_paint(9), LIGHT)
    np.testing.assert_allclose(fitted(frames[::-1]), fitted(frames), atol=1e-5)
    seen, colours, normal, weight = lit(random_paint(10), 3 * LIGHT)[0]
    np.testing.assert_allclose(
        fitted([*frames, (seen, colours, normal, np.zeros_like(weight))]), fitted(frames), atol=1e-6
    )


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


def test_black_has_a_logarithm_too() -> None:
    found = log_luminance(np.array([[0, 0, 0], [-0.5, 0, 0], [1, 1, 1]], np.float32))
    np.testing.assert_allclose(found, np.log([kernel.DARKEST, kernel.DARKEST, 1 + kernel.DARKEST]), atol=1e-5)
