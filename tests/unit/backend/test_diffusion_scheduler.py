"""DDIM with the predicted noise divided: against the written-out equation, and 1 is plain DDIM."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionControlNetPipeline

from backend.diffusion.components import load_components
from backend.diffusion.decode import decode_frames
from backend.diffusion.noise import draw
from backend.diffusion.scheduler import EPSILON_DIVISOR, ScaledDDIMScheduler, make_scheduler
from backend.diffusion.segment import SampleSettings, Segment, sample_segment
from backend.diffusion.text import encode_prompt
from backend.methods.text2video_zero import Text2VideoZero
from backend.training.export import EMBEDDED
from shared.errors import ModelError
from tests.helpers.tiny_models import tiny_scheduler_config
from tests.helpers.tiny_shot import random_depth
from tests.reference import ddim

STEPS = 10
SIZE = 64  # pixels; the embedded model's latents are an eighth
SETTINGS = SampleSettings(4, guidance_scale=2.0, controlnet_scale=1.0, seed=3, height=SIZE, width=SIZE)
DEPTH = random_depth(1, SIZE)
PROMPT = "a red robot dancing on the moon"


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
        got = scheduler.step(torch.from_numpy(output), timestep, torch.from_numpy(latents), return_dict=False)
        np.testing.assert_allclose(got[0], expected, atol=1e-4)
        np.testing.assert_allclose(got[1], x0, atol=1e-4)


def test_without_a_divisor_it_is_diffusers_ddim_bit_for_bit() -> None:
    ours, theirs = make_scheduler(tiny_scheduler_config()), DDIMScheduler(**tiny_scheduler_config())
    latents, output = torch.randn(2, 1, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    for scheduler in (ours, theirs):
        scheduler.set_timesteps(STEPS)
    for timestep in ours.timesteps:
        got = ours.step(output, timestep, latents, return_dict=False)
        wanted = theirs.step(output, timestep, latents, return_dict=False)
        assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))


@pytest.mark.parametrize("divisor", [0.9, 3, float("nan"), "1.1", None])
def test_a_divisor_that_cannot_be_used_is_refused(divisor: object) -> None:
    with pytest.raises(ModelError, match="must lie in 1 to 2"):
        make_scheduler({**tiny_scheduler_config(), EPSILON_DIVISOR: divisor})


def stock_picture(scheduler: DDIMScheduler | None = None) -> np.ndarray:
    """What diffusers' own pipeline, loaded from the shipped folder, makes of the prompt: (SIZE, SIZE, 3) 0..255."""
    pipeline = StableDiffusionControlNetPipeline.from_pretrained(EMBEDDED, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    if scheduler is not None:
        pipeline.scheduler = scheduler
    channels = pipeline.unet.config.in_channels
    made = pipeline(
        prompt=PROMPT,
        negative_prompt="",
        image=torch.from_numpy(DEPTH)[:, None].expand(-1, 3, -1, -1),
        num_inference_steps=SETTINGS.steps,
        guidance_scale=SETTINGS.guidance_scale,
        controlnet_conditioning_scale=SETTINGS.controlnet_scale,
        latents=draw(SETTINGS.seed, Text2VideoZero().noise_stream(0), (channels, SIZE // 8, SIZE // 8))[None],
        output_type="np",
    ).images[0]
    return np.round(made * 255)


def test_a_stock_pipeline_of_the_shipped_folder_makes_the_products_picture() -> None:
    components = load_components("embedded", "cpu", "float32")
    embeds = encode_prompt(components, PROMPT, "")
    made = sample_segment(components, Text2VideoZero(), embeds, DEPTH, DEPTH[0], SETTINGS, Segment(0, 1))
    ours = decode_frames(components, made.latents)[0].astype(float)
    assert np.abs(stock_picture() - ours).max() <= 1
    values = {name: value for name, value in components.scheduler_config.items() if name != EPSILON_DIVISOR}
    plain = stock_picture(DDIMScheduler.from_config(values))
    assert np.abs(plain - ours).max() > 5  # what a pipeline makes that passes over the divisor


def test_a_stock_pipeline_that_does_not_know_the_scheduler_refuses_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "backend.diffusion.scheduler")
    with pytest.raises(ValueError, match="backend.diffusion.scheduler"):
        StableDiffusionControlNetPipeline.from_pretrained(EMBEDDED, dtype=torch.float32)


def test_the_divisor_is_kept_in_the_schedulers_file(tmp_path: Path) -> None:
    made = make_scheduler({**tiny_scheduler_config(), EPSILON_DIVISOR: 1.25})
    made.save_pretrained(tmp_path)
    again = ScaledDDIMScheduler.from_pretrained(tmp_path)
    assert isinstance(again, ScaledDDIMScheduler) and again.epsilon_divisor == 1.25
    assert {name: made.config[name] for name in tiny_scheduler_config()} == tiny_scheduler_config()
