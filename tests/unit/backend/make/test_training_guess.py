"""Frame 1 as the network guesses it by itself, against the networks called by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from backend.make.training.judging.first_frame import FirstFrameSwitch, pair_attention
from backend.make.training.judging.guess import AHEAD, guess_alone, predict, steps_ahead
from backend.make.training.models import Sizes, build_controlnet, build_scheduler, build_unet

SMALL = Sizes(unet=(32, 32, 32, 32), heads=(1, 1, 1, 1), embedding=(4, 4, 8, 8), text_width=32)
FRAMES, SIDE = 2, 16


@pytest.fixture(scope="module")
def networks() -> tuple[dict[str, nn.Module], FirstFrameSwitch]:
    """A UNet whose self-attention is wide awake, its ControlNet, and its switch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        unet, controlnet = build_unet(SMALL).eval(), build_controlnet(SMALL).eval()
        for name, parameter in unet.named_parameters():
            if "attn1.to_out" in name and name.endswith("weight"):
                nn.init.normal_(parameter)
    return {"unet": unet, "controlnet": controlnet}, pair_attention(unet)


def _inputs() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    make = torch.Generator().manual_seed(1)
    start = torch.randn(FRAMES, SMALL.latent_channels, SIDE, SIDE, generator=make)
    words = torch.randn(FRAMES, 32, SMALL.text_width, generator=make)
    return start, torch.tensor([400, 700]), words, torch.rand(FRAMES, 3, 8 * SIDE, 8 * SIDE, generator=make)


def test_a_guess_is_each_frames_own_prediction_under_fresh_noise(
    networks: tuple[dict[str, nn.Module], FirstFrameSwitch],
) -> None:
    modules, switch = networks
    start, steps, words, control = _inputs()
    alphas = build_scheduler().alphas_cumprod
    switch.on = True
    guess = guess_alone(modules, switch, start, steps, words, control, alphas, np.random.default_rng(5))
    assert switch.on and not guess.requires_grad
    noise = np.random.default_rng(5).standard_normal(start.shape, dtype=np.float32)
    switch.on = False
    for k, step in enumerate(steps):
        alpha = float(alphas[step])
        noisy = alpha**0.5 * start[k : k + 1] + (1 - alpha) ** 0.5 * torch.from_numpy(noise[k : k + 1])
        with torch.no_grad():
            alone = predict(modules, noisy, steps[k : k + 1], words[k : k + 1], control[k : k + 1])
        torch.testing.assert_close(guess[k : k + 1], alone, rtol=1e-3, atol=1e-3)


def test_the_switch_would_have_mattered(networks: tuple[dict[str, nn.Module], FirstFrameSwitch]) -> None:
    modules, switch = networks
    start, steps, words, control = _inputs()
    found = []
    for switch.on in (False, True):
        with torch.no_grad():
            found.append(predict(modules, start, steps, words, control))
    assert (found[0] - found[1]).abs().max() > 0.05


def test_steps_ahead_are_noisier_and_stay_on_the_schedule() -> None:
    steps = torch.tensor([0, 500, 999]).repeat(500)
    ahead = steps_ahead(steps, 1000, np.random.default_rng(2)) - steps
    assert ahead.min() == 0 and ahead.max() == AHEAD and not ahead[2::3].any()
    assert abs(float(ahead[::3].float().mean()) - AHEAD / 2) < 12
