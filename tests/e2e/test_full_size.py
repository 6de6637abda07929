"""Stable Diffusion 1.5 at its full size, with random weights: both layouts, then two steps at 512x512.

Needs about 20 GB of memory, 12 GB of disk and some minutes, so it runs only where it is asked for:

    LATENTMAN_FULL_SIZE=1 python -m pytest tests/e2e/test_full_size.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from backend.contract.values import SampleSettings, Segment
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import Components, load_components
from backend.models.sd15.decode import decode_frames
from backend.models.sd15.text import encode_prompt
from shared.models.files import ModelFiles
from tests.helpers.sd15_models import FULL, Sizes, assert_same_weights, sd15_modules, write_folder, write_original
from tests.helpers.tiny_shot import engine, random_depth

pytestmark = pytest.mark.skipif(
    "LATENTMAN_FULL_SIZE" not in os.environ, reason="full-size weights: set LATENTMAN_FULL_SIZE=1 to run it"
)
SIDE = 512


def denoised(components: Components) -> torch.Tensor:
    settings = SampleSettings(steps=2, guidance_scale=7.5, controlnet_scale=1.0, seed=1, height=SIDE, width=SIDE)
    depth = random_depth(1, SIDE)
    prompt = encode_prompt(components, "a red robot dancing on the moon", "blurry")
    return engine(components, Text2VideoZero(), depth, settings, prompt).sample(Segment(0, 1)).latents


def check_both_layouts(folder: Path, sizes: Sizes) -> None:
    """Write a model in both layouts, load each, compare every weight, and denoise with both."""
    modules = sd15_modules(sizes, std=0.02)
    (folder / "original").mkdir()
    write_folder(folder / "diffusers", modules)
    checkpoint, files = write_original(folder / "original", modules)
    results = []
    for model, own in ((folder / "diffusers", ModelFiles()), (checkpoint, files)):
        loaded = load_components(str(model), "cpu", "float32", files=own)
        assert_same_weights(loaded, modules)
        results.append(denoised(loaded))
        cells, channels = SIDE // loaded.latent_factor, loaded.latent_channels
        assert results[-1].shape == (1, channels, cells, cells) and torch.isfinite(results[-1]).all()
        assert decode_frames(loaded, results[-1])[0].shape == (SIDE, SIDE, 3)
        del loaded
    assert torch.equal(*results)


@pytest.mark.timeout(3_600)
def test_full_size_weights_in_both_layouts_and_two_steps_at_512(tmp_path: Path) -> None:
    check_both_layouts(tmp_path, FULL)
