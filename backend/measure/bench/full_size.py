"""Stable Diffusion 1.5, its depth ControlNet and TAESD at their real size, with random weights: to time, not to see."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, ControlNetModel, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from backend.models.sd15.components import Components, assemble
from backend.models.sd15.tiny_decoder import join_tiny_decoder

SIZE = 512
TOKENS = 77
TEXT_WIDTH = 768
_SCHEDULER = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "prediction_type": "epsilon",
}


def full_size_components(device: torch.device, dtype: torch.dtype) -> Components:
    """The model in memory, its weights drawn from one seed on the device."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), device:
        torch.manual_seed(0)
        unet = UNet2DConditionModel(cross_attention_dim=TEXT_WIDTH, attention_head_dim=8)
        modules: dict[str, Any] = {
            "text_encoder": CLIPTextModel(_text_config()),
            "vae": _autoencoder(),
            "unet": unet,
            "controlnet": ControlNetModel.from_unet(unet),
        }
        tiny = AutoencoderTiny()  # its defaults are TAESD's sizes
    whole = assemble(**modules, tokenizer=_tokenizer(), scheduler_config=_SCHEDULER, device=device, dtype=dtype)
    return join_tiny_decoder(whole, tiny)


def _autoencoder() -> AutoencoderKL:
    widths = (128, 256, 512, 512)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        block_out_channels=widths,
        layers_per_block=2,
        sample_size=SIZE,
    )


def _text_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        hidden_size=TEXT_WIDTH,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        max_position_embeddings=TOKENS,
        projection_dim=TEXT_WIDTH,
    )


def _tokenizer() -> CLIPTokenizer:
    """A tokenizer of single letters: a prompt is padded to the same number of tokens anyway."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=TOKENS)
