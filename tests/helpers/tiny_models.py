"""Small random models of Stable Diffusion's real classes: the same code paths, seconds on a CPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from backend.models.sd15.components import Components, assemble

WORDS = ("a", "red", "robot", "dancing", "on", "the", "moon", "blurry")
LATENT_FACTOR = 2
TEXT_WIDTH = 16


def tiny_modules(seed: int = 0, *, controlnet_attention: bool = True) -> dict[str, Any]:
    """The five modules with random weights that have an effect (ControlNet's zero convolutions are not zero).

    Latents have 4 channels and half the picture's size.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        modules: dict[str, Any] = {
            "tokenizer": tiny_tokenizer(),
            "text_encoder": CLIPTextModel(_text_config()),
            "vae": _autoencoder(),
            "unet": _unet(),
            "controlnet": _controlnet(controlnet_attention),
        }
        for parameter in modules["controlnet"].parameters():
            if parameter.ndim > 1 and not parameter.abs().sum():
                torch.nn.init.normal_(parameter, std=0.2)
    for name in ("text_encoder", "vae", "unet", "controlnet"):
        modules[name].eval()
    return modules


def tiny_scheduler_config(prediction_type: str = "epsilon") -> dict[str, Any]:
    """A DDIM scheduler file's values, as Stable Diffusion 1.5 is sampled."""
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction_type,
    )
    return {key: value for key, value in scheduler.config.items() if not key.startswith("_")}


def tiny_components(
    seed: int = 0,
    *,
    dtype: torch.dtype = torch.float32,
    prediction_type: str = "epsilon",
    controlnet_attention: bool = True,
    gradient_checkpointing: bool = False,
) -> Components:
    """Assembled tiny components on the CPU."""
    return assemble(
        **tiny_modules(seed, controlnet_attention=controlnet_attention),
        scheduler_config=tiny_scheduler_config(prediction_type),
        device=torch.device("cpu"),
        dtype=dtype,
        gradient_checkpointing=gradient_checkpointing,
    )


def write_tiny_model(folder: Path, seed: int = 0) -> dict[str, Any]:
    """Save a tiny model in diffusers' layout; returns the modules that were written."""
    modules = tiny_modules(seed)
    for name, module in modules.items():
        module.save_pretrained(str(folder / name))
    scheduler = folder / "scheduler"
    scheduler.mkdir(parents=True)
    values = {"_class_name": "DDIMScheduler", **tiny_scheduler_config()}
    (scheduler / "scheduler_config.json").write_text(json.dumps(values), "utf-8")
    return modules


def small_autoencoder(levels: int = 2, latent_channels: int = 4) -> AutoencoderTiny:
    """diffusers' `AutoencoderTiny` with random weights; two levels fit the tiny model's latents."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return AutoencoderTiny(
            encoder_block_out_channels=(2,) * levels,
            decoder_block_out_channels=(6,) * levels,
            num_encoder_blocks=(0,) * levels,
            num_decoder_blocks=(2, *(1,) * (levels - 1)),
            latent_channels=latent_channels,
            scaling_factor=0.8,
        ).eval()


def tiny_tokenizer() -> CLIPTokenizer:
    """CLIP's tokenizer with a few words, one token each, and room for 12 tokens."""
    vocabulary = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    letters = sorted({letter for word in WORDS for letter in word})
    merges: list[tuple[str, str]] = []
    for token in [*letters, *(f"{letter}</w>" for letter in letters)]:
        vocabulary[token] = len(vocabulary)
    # A short word's merges come last, or its letters would be joined inside a longer one (on, moon).
    for word in sorted(WORDS, key=len, reverse=True):
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            merges.append((parts[0], parts[1]))
            parts[:2] = [parts[0] + parts[1]]
            vocabulary.setdefault(parts[0], len(vocabulary))
    return CLIPTokenizer(vocab=vocabulary, merges=list(dict.fromkeys(merges)), model_max_length=12)


def _text_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=128,
        hidden_size=TEXT_WIDTH,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=12,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )


def _autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=0.7,
    )


def torch_module(part: object) -> nn.Module:
    """A part of a model as the torch module that it is; its declared type says only what the engine uses of it."""
    assert isinstance(part, nn.Module)
    return part


def _unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        attention_head_dim=2,
        cross_attention_dim=TEXT_WIDTH,
        norm_num_groups=4,
    )


def _controlnet(attention: bool) -> ControlNetModel:
    return ControlNetModel(
        in_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D") if attention else ("DownBlock2D",) * 2,
        mid_block_type="UNetMidBlock2DCrossAttn" if attention else "UNetMidBlock2D",
        block_out_channels=(8, 16),
        layers_per_block=1,
        attention_head_dim=2,
        cross_attention_dim=TEXT_WIDTH,
        norm_num_groups=4,
        conditioning_embedding_out_channels=(4, 8),
    )
