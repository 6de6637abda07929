"""The noise schedule and the sampler: against a twin from the definition, and with given features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.models.mdm.diffusion import Known, guided, noisy, sample, schedule_of
from shared.errors import CancelledError
from tests.reference import mdm as twin

SHAPE = (1, 5, 263)


def noise_of(seed: int) -> Callable[[tuple[int, ...]], Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return lambda shape: torch.randn(shape, generator=generator, dtype=torch.float64)


def wobble(x: Tensor, steps: Tensor) -> Tensor:
    """A stand-in for a network: any function of both."""
    return torch.tanh(0.7 * x.flip(1) + 0.1 * steps[:, None, None])


@pytest.mark.parametrize("steps", [10, 50, 1000])
def test_the_schedule_is_built_at_its_number_of_steps(steps: int) -> None:
    schedule = schedule_of(steps)
    np.testing.assert_allclose(schedule.kept, np.cumprod([1.0 - beta for beta in twin.cosine_betas(steps)]), rtol=1e-12)
    assert schedule.steps == steps
    assert schedule.from_clean[0] == pytest.approx(1.0)
    assert schedule.spread[0] == 0.0


def test_fifty_steps_are_not_every_twentieth_of_a_thousand() -> None:
    assert abs(schedule_of(50).kept[25] - schedule_of(1000).kept[500]) > 1e-3


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_sampling_is_the_twins(steps: int) -> None:
    draw = noise_of(1)
    draws = [draw(SHAPE).numpy() for _ in range(steps + 1)]
    got = sample(wobble, SHAPE, schedule_of(steps), noise_of(1))

    def predict(x: NDArray[Any], t: int) -> NDArray[Any]:
        moved: NDArray[Any] = wobble(torch.from_numpy(x), torch.tensor([t])).numpy()
        return moved

    np.testing.assert_allclose(got.numpy(), twin.sample(predict, steps, draws), atol=1e-9)


def test_given_features_are_in_every_step_bit_for_bit() -> None:
    generator = torch.Generator().manual_seed(2)
    given = torch.randn(SHAPE, generator=generator)
    mask = torch.rand(SHAPE, generator=generator) < 0.4
    schedule, seen = schedule_of(6), []

    def denoise(x: Tensor, steps: Tensor) -> Tensor:
        seen.append((int(steps[0]), x))
        return torch.full_like(x, 100.0)

    clean = sample(denoise, SHAPE, schedule, lambda shape: torch.zeros(shape), known=Known(given, mask))
    assert torch.equal(clean[mask], given[mask])
    assert (clean[~mask] == 100.0).all()
    # Without noise, each next x is the mean: what was given went into it, and not the network's 100.
    for (step, x), (_, after) in zip(seen, seen[1:], strict=False):
        wanted = schedule.from_clean[step] * given + schedule.from_noisy[step] * x
        assert torch.equal(after[mask], wanted[mask])


def test_guidance_goes_beyond_the_text() -> None:
    with_text, without = torch.tensor([2.0, -1.0]), torch.tensor([1.0, 1.0])
    torch.testing.assert_close(guided(with_text, without, 2.5), torch.tensor([3.5, -4.0]))
    torch.testing.assert_close(guided(with_text, without, 1.0), with_text)


def test_noise_for_training_keeps_the_schedules_share() -> None:
    schedule = schedule_of(10)
    clean, noise = torch.full((2, 3, 4), 2.0), torch.full((2, 3, 4), -1.0)
    got = noisy(clean, torch.tensor([0, 9]), noise, schedule)
    for row, step in zip(got, (0, 9), strict=True):
        wanted = 2.0 * np.sqrt(schedule.kept[step]) - np.sqrt(1.0 - schedule.kept[step])
        torch.testing.assert_close(row, torch.full((3, 4), wanted, dtype=torch.float32))


def test_whoever_looks_on_hears_of_each_step_and_can_stop() -> None:
    done: list[int] = []

    def after_step(count: int) -> None:
        done.append(count)
        if count == 3:
            raise CancelledError("motion.cancelled", "The motion was cancelled.")

    with pytest.raises(CancelledError):
        sample(wobble, SHAPE, schedule_of(10), noise_of(1), after_step=after_step)
    assert done == [1, 2, 3]


def test_a_large_variance_is_the_betas() -> None:
    small, large = schedule_of(8), schedule_of(8, small_variance=False)
    betas = twin.cosine_betas(8)
    np.testing.assert_allclose(large.spread[1:] ** 2, betas[1:], rtol=1e-12)
    assert (large.spread[1:] > small.spread[1:]).all()
    linear = schedule_of(1000, "linear")
    assert linear.kept[0] == pytest.approx(1.0 - 1e-4)
