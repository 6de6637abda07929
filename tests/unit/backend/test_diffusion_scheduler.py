"""DDIM with the predicted noise divided: against the written-out equation, and 1 is plain DDIM."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from backend.diffusion.scheduler import EPSILON_DIVISOR, make_scheduler
from shared.errors import ModelError
from tests.helpers.tiny_models import tiny_scheduler_config
from tests.reference import ddim

STEPS = 10


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_noise_goes_on_divided(prediction: str) -> None:
    scheduler = make_scheduler({**tiny_scheduler_config(prediction), EPSILON_DIVISOR: 1.25})
    scheduler.set_timesteps(STEPS)
    alphas = ddim.alpha_bars(0.00085, 0.012, 1000)
    latents, output = np.random.default_rng(0).standard_normal((2, 1, 4, 3, 3))
    for timestep in map(int, scheduler.timesteps):
        following = alphas[max(timestep - 1000 // STEPS, 0)]
        plain, x0 = ddim.ddim_step(latents, output, alphas[timestep], following, prediction)
        noise = (plain - np.sqrt(following) * x0) / np.sqrt(1 - following)
        expected = np.sqrt(following) * x0 + np.sqrt(1 - following) * noise / 1.25
        got = scheduler.step(torch.from_numpy(output), timestep, torch.from_numpy(latents))
        np.testing.assert_allclose(got[0], expected, atol=1e-4)
        np.testing.assert_allclose(got[1], x0, atol=1e-4)


def test_without_a_divisor_it_is_diffusers_ddim_bit_for_bit() -> None:
    ours, theirs = make_scheduler(tiny_scheduler_config()), DDIMScheduler(**tiny_scheduler_config())
    latents, output = torch.randn(2, 1, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    for scheduler in (ours, theirs):
        scheduler.set_timesteps(STEPS)
    for timestep in ours.timesteps:
        got = ours.step(output, timestep, latents)
        wanted = theirs.step(output, timestep, latents, return_dict=False)
        assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))


@pytest.mark.parametrize("divisor", [0.9, 3, float("nan"), "1.1", None])
def test_a_divisor_that_cannot_be_used_is_refused(divisor: object) -> None:
    with pytest.raises(ModelError, match="must lie in 1 to 2"):
        make_scheduler({**tiny_scheduler_config(), EPSILON_DIVISOR: divisor})
