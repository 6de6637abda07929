"""Noise on the body: as white as the model expects, riding on the texels, and nothing but the seed's."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.methods.surfacelock.particles import particle_noise, texel_noise
from backend.surface.shot_surface import ShotSurface
from backend.surface.views import FrameView
from tests.helpers.painted_bodies import turning_ball
from tests.helpers.surface_bodies import DISTANCE, FOCAL, sheet, shown

CHANNELS, FACTOR, SEEDS = 4, 4, 400
CELLS = (36 // FACTOR, 48 // FACTOR)


@cache
def ball() -> ShotSurface:
    return turning_ball(2)


def view(frame: int = 0) -> FrameView:
    return ball().segment(range(2)).frames[frame].view


def behind(seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(CHANNELS, *CELLS, generator=generator, dtype=torch.float64)


def noise(seed: int, *, frame: int = 0, beside: int | None = None) -> Tensor:
    texels = texel_noise(seed, ball().texels, CHANNELS)
    return particle_noise(view(frame), texels, behind(seed if beside is None else beside), FACTOR)


def coverage(of: FrameView) -> NDArray[np.float64]:
    """How much of each cell the body covers (cells), pixel by pixel."""
    found = np.zeros(CELLS)
    for pixel, alpha in zip(of.pixel, of.alpha, strict=True):
        row, column = divmod(int(pixel), of.width)
        found[row // FACTOR, column // FACTOR] += float(alpha) / FACTOR**2
    return found


@cache
def drawn() -> NDArray[np.float64]:
    """The noise of one frame for many seeds (seeds, channels, cells)."""
    return np.asarray(torch.stack([noise(seed) for seed in range(SEEDS)]).numpy())


def test_each_cell_has_mean_0_and_variance_1_over_seeds() -> None:
    count = drawn()[0].size
    # Of so many normal values the largest of their means is within 4.5 deviations.
    assert np.abs(drawn().mean(axis=0)).max() < 4.5 / np.sqrt(SEEDS)
    variance = drawn().var(axis=0)
    assert np.abs(variance - 1).max() < 4.5 * np.sqrt(2 / SEEDS)
    assert abs(variance.mean() - 1) < 4.5 * np.sqrt(2 / SEEDS / count)
    mixed = (coverage(view()) > 0.1) & (coverage(view()) < 0.9)
    assert mixed.sum() > 10
    assert abs(variance[:, mixed].mean() - 1) < 4.5 * np.sqrt(2 / SEEDS / (CHANNELS * mixed.sum()))


def test_cells_and_channels_are_independent() -> None:
    flat = drawn().reshape(SEEDS, -1)
    products = (flat.T @ flat / SEEDS)[~np.eye(flat.shape[1], dtype=bool)]
    assert np.abs(products).max() < 6 / np.sqrt(SEEDS)  # 180 000 pairs
    assert abs(products.mean()) < 0.01
    assert (products**2).mean() == pytest.approx(1 / SEEDS, rel=0.05)


def test_noise_off_the_body_is_left_as_it_is() -> None:
    off = torch.from_numpy(coverage(view()) == 0)
    assert 10 < off.sum() < off.numel()
    assert torch.equal(noise(3)[:, off], behind(3)[:, off])


def test_on_the_body_the_seed_alone_decides() -> None:
    whole = torch.from_numpy(coverage(view()) > 1 - 1e-9)
    assert whole.sum() > 10
    assert torch.equal(noise(5, beside=1)[:, whole], noise(5, beside=2)[:, whole])
    assert (noise(5, beside=1) - noise(6, beside=1))[:, whole].abs().min() > 0
    assert torch.equal(noise(5), noise(5))


def test_a_cell_is_the_sum_of_its_texels_over_the_root_of_their_number() -> None:
    texels = texel_noise(0, ball().texels, CHANNELS).astype(float)
    found, share = noise(0), coverage(view())
    cell = np.floor(view().place / FACTOR).astype(int)
    for row, column in [(4, 6), (3, 5), (1, 5), (4, 2)]:
        mine = view().seen[(cell[:, 0] == column) & (cell[:, 1] == row)]
        assert len(mine) > 3
        on_body = texels[mine].sum(axis=0) / np.sqrt(len(mine))
        wanted = (
            np.sqrt(share[row, column]) * on_body + np.sqrt(1 - share[row, column]) * behind(0)[:, row, column].numpy()
        )
        np.testing.assert_allclose(found[:, row, column], wanted, atol=1e-5)


def test_a_body_that_moves_by_whole_cells_takes_its_noise_along() -> None:
    vertices, faces = sheet(5, 4, 0.713, 0.611)
    cell_m = FACTOR * DISTANCE / FOCAL
    start = vertices + (-0.137, 0, 0.0213)
    frames = [start, start + (cell_m, 0, 0), start + (2 * cell_m, 0, -cell_m)]
    surface = ShotSurface(shown(frames, faces, rest=vertices))
    texels = texel_noise(1, surface.texels, CHANNELS)
    views = [one.view for one in surface.segment(range(3)).frames]
    found = [particle_noise(one, texels, behind(number), FACTOR).numpy() for number, one in enumerate(views)]
    whole = [coverage(one) > 1 - 1e-9 for one in views]
    for frame, (down, right) in ((1, (0, 1)), (2, (1, 2))):
        moved, inside = np.roll(found[0], (down, right), (1, 2)), np.roll(whole[0], (down, right), (0, 1))
        inside &= whole[frame]
        assert inside.sum() >= 15
        np.testing.assert_allclose(found[frame][:, inside], moved[:, inside], atol=1e-5)
        assert np.abs(found[frame] - found[0])[:, whole[0] & whole[frame]].mean() > 0.5


def test_a_body_of_which_no_texel_is_seen_lets_through_what_is_behind() -> None:
    nothing = dataclasses.replace(view(), seen=view().seen[:0], place=view().place[:0])
    texels = texel_noise(0, ball().texels, CHANNELS)
    assert torch.equal(particle_noise(nothing, texels, behind(), FACTOR), behind())


def test_the_texels_noise_is_normal_and_of_one_stream_for_each_seed() -> None:
    found = texel_noise(7, 20_000, CHANNELS)
    assert found.shape == (20_000, CHANNELS) and found.dtype == np.float32
    assert abs(found.mean()) < 4.5 / np.sqrt(found.size) and abs(found.var() - 1) < 4.5 * np.sqrt(2 / found.size)
    np.testing.assert_array_equal(found, texel_noise(7, 20_000, CHANNELS))
    assert abs(np.corrcoef(found.ravel(), texel_noise(8, 20_000, CHANNELS).ravel())[0, 1]) < 0.02
    assert texel_noise(2**63 - 1, 3, 1).shape == (3, 1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_noise_has_the_precision_of_what_it_is_mixed_with(dtype: torch.dtype) -> None:
    texels = texel_noise(0, ball().texels, CHANNELS)
    found = particle_noise(view(), texels, behind().to(dtype), FACTOR)
    assert found.dtype == dtype and torch.isfinite(found).all()
