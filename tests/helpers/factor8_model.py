"""The tiny model with an autoencoder of factor 8, for pictures of full size at a tiny model's cost."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ControlNetModel

from tests.helpers.tiny_models import TEXT_WIDTH, tiny_modules, tiny_scheduler_config


def write_factor8_model(folder: Path) -> None:
    """Save it in diffusers' layout, with random weights that have an effect."""
    modules = tiny_modules()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        modules["vae"] = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(4, 4, 4, 4),
            layers_per_block=1,
            latent_channels=4,
            norm_num_groups=2,
            mid_block_add_attention=False,
        )
        modules["controlnet"] = ControlNetModel(
            in_channels=4,
            down_block_types=("DownBlock2D",) * 2,
            mid_block_type="UNetMidBlock2D",
            block_out_channels=(8, 16),
            layers_per_block=1,
            attention_head_dim=2,
            cross_attention_dim=TEXT_WIDTH,
            norm_num_groups=4,
            conditioning_embedding_out_channels=(4, 4, 4, 4),
        )
        for parameter in modules["controlnet"].parameters():
            if parameter.ndim > 1 and not parameter.abs().sum():
                torch.nn.init.normal_(parameter, std=0.2)
    for name, module in modules.items():
        module.save_pretrained(str(folder / name))
    values = {"_class_name": "DDIMScheduler", **tiny_scheduler_config()}
    (folder / "scheduler").mkdir(parents=True)
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(values), "utf-8")
