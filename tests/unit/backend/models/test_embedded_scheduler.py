"""The embedded model's schedule stands in DDIM's own fields: a stock pipeline makes the product's pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionControlNetPipeline
from numpy.typing import NDArray

from backend.contract.values import SampleSettings, Segment
from backend.loop.noise import draw
from backend.make.training.models import NOISE_KEPT, build_sampling_scheduler, build_scheduler
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import load_components
from backend.models.sd15.decode import decode_frames
from backend.models.sd15.text import encode_prompt
from backend.models.sources import EMBEDDED_FOLDER
from tests.helpers.tiny_shot import engine, random_depth

SIZE = 64  # pixels; the embedded model's latents are an eighth
SETTINGS = SampleSettings(4, guidance_scale=2.0, controlnet_scale=1.0, seed=3, height=SIZE, width=SIZE)
DEPTH = random_depth(1, SIZE)
PROMPT = "a red robot dancing on the moon"


def noise_levels(scheduler: DDIMScheduler) -> NDArray[Any]:
    """sqrt((1 - alpha_bar) / alpha_bar) of the timesteps that have a signal at all."""
    alpha_bars = scheduler.alphas_cumprod.double().numpy()[:-1]
    return np.asarray(np.sqrt((1 - alpha_bars) / alpha_bars))


def test_noise_is_all_there_at_first_and_falls_behind_towards_the_end() -> None:
    trained, sampled = build_scheduler(), build_sampling_scheduler()
    assert float(sampled.alphas_cumprod[-1]) == float(trained.alphas_cumprod[-1]) == 0.0
    kept = noise_levels(sampled) / noise_levels(trained)
    assert kept[-1] == pytest.approx(1.0, abs=1e-3)
    assert kept[0] == pytest.approx(NOISE_KEPT, rel=2e-3)  # float32 holds 1 - alpha_bar of 0.0003 to 0.02 %
    assert kept[499] == pytest.approx(NOISE_KEPT**0.5, rel=1e-3)
    assert (np.diff(kept) > -1e-4).all()


def test_the_shipped_file_is_that_schedule() -> None:
    shipped = DDIMScheduler.from_pretrained(EMBEDDED_FOLDER / "scheduler")
    wanted = build_sampling_scheduler()
    assert torch.equal(shipped.alphas_cumprod, wanted.alphas_cumprod)
    names = ("prediction_type", "timestep_spacing", "set_alpha_to_one", "clip_sample", "steps_offset")
    assert all(shipped.config[name] == wanted.config[name] for name in names)


def stock_picture() -> NDArray[Any]:
    """What diffusers' own pipeline, loaded from the shipped folder, makes of the prompt: (SIZE, SIZE, 3) 0..255."""
    pipeline = StableDiffusionControlNetPipeline.from_pretrained(EMBEDDED_FOLDER, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    assert type(pipeline.scheduler) is DDIMScheduler
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
    return np.asarray(np.round(made * 255))


def test_a_stock_pipeline_of_the_shipped_folder_makes_the_products_picture() -> None:
    components = load_components("embedded", "cpu", "float32")
    embeds = encode_prompt(components, PROMPT, "")
    made = engine(components, Text2VideoZero(), DEPTH, SETTINGS, embeds).sample(Segment(0, 1))
    ours = decode_frames(components, made.latents)[0].astype(float)
    assert np.abs(stock_picture() - ours).max() <= 1
