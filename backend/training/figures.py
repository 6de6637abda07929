"""The figures of the model card, measured on pictures that were kept out of training."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel

from backend.training.autoencoder import autoencoder_psnr
from backend.training.dataset import PairStore
from backend.training.export import size_bytes

TIMED_RUNS = 9


def measure(model: Path, held_out: Path, pictures: int = 100) -> dict[str, float]:
    """PSNR in dB of the autoencoder, megabytes of all weights, milliseconds of one frame's UNet and ControlNet."""
    vae = AutoencoderKL.from_pretrained(model / "vae").to(memory_format=torch.channels_last).eval()
    store = PairStore(held_out)
    return {
        "autoencoder_psnr_db": round(autoencoder_psnr(vae, store, min(pictures, len(store)), torch.device("cpu")), 2),
        "weights_mb": round(size_bytes(model) / 1e6, 1),
        "frame_step_ms": round(_frame_step_ms(model), 1),
    }


@torch.no_grad()
def _frame_step_ms(model: Path) -> float:
    """Median time of one denoising evaluation of one frame at 256x256."""
    unet = UNet2DConditionModel.from_pretrained(model / "unet").to(memory_format=torch.channels_last).eval()
    controlnet = ControlNetModel.from_pretrained(model / "controlnet").to(memory_format=torch.channels_last).eval()
    latent = torch.randn(1, unet.config.in_channels, 32, 32).contiguous(memory_format=torch.channels_last)
    words = torch.randn(1, 32, unet.config.cross_attention_dim)
    depth = torch.rand(1, 3, 256, 256).contiguous(memory_format=torch.channels_last)
    times = []
    for _ in range(TIMED_RUNS):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16):
            down, middle = controlnet(latent, 500, words, controlnet_cond=depth, return_dict=False)
            unet(latent, 500, words, down_block_additional_residuals=down, mid_block_additional_residual=middle)
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1000


def write_figures(model: Path, held_out: Path, target: Path) -> dict[str, float]:
    """Measure, and keep the result as JSON."""
    found = measure(model, held_out)
    target.write_text(json.dumps(found, indent=2) + "\n")
    return found
