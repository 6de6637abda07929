"""The four networks of the embedded model, and their scheduler, at the sizes that are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

MAX_TOKENS = 32
TEXT_WIDTH = 160
NOISE_KEPT = 0.55  # by the looks of sample sheets
_SAMPLED: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "prediction_type": "sample",
    "timestep_spacing": "trailing",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 0,
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Channels of the networks. The defaults are the embedded model; tests use smaller ones."""

    autoencoder: tuple[int, int, int, int] = (16, 32, 64, 128)
    latent_channels: int = 8
    unet: tuple[int, int, int, int] = (64, 128, 192, 192)
    heads: tuple[int, int, int, int] = (1, 2, 3, 3)
    groups: int = 8  # of the group norms; more would level out what the prompt adds to single channels
    embedding: tuple[int, int, int, int] = (8, 16, 32, 64)
    text_width: int = TEXT_WIDTH
    text_layers: int = 3


def build_autoencoder(sizes: Sizes) -> AutoencoderKL:
    """Factor 8, no attention; eight latent channels, for four of so small a network blur arms and faces."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=sizes.autoencoder,
        layers_per_block=1,
        latent_channels=sizes.latent_channels,
        norm_num_groups=2,
        mid_block_add_attention=False,
        sample_size=256,
    )


def build_tiny_autoencoder(latent_channels: int) -> AutoencoderTiny:
    """A decoder for guidance; the encoder that the class insists on is as small as it can be, and is never used.

    The class has one width for all levels. Few blocks at the top, none at the picture's own size: there one convolution
    costs as much as all blocks of the lowest level.
    """
    return AutoencoderTiny(
        encoder_block_out_channels=(1,) * 4,
        decoder_block_out_channels=(16,) * 4,
        num_encoder_blocks=(0,) * 4,
        num_decoder_blocks=(6, 3, 1, 0),
        latent_channels=latent_channels,
    )


def build_text_encoder(sizes: Sizes, vocabulary: int, start: int, end: int) -> CLIPTextModel:
    """A small CLIP text model.

    It starts with far apart word vectors, and with padding that is nothing but the sum of what its attention read:
    with CLIP's own start, all prompts look alike for too long.
    """
    model = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=sizes.text_width,
            intermediate_size=sizes.text_width * 3,
            num_hidden_layers=sizes.text_layers,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            projection_dim=sizes.text_width,
            bos_token_id=start,
            eos_token_id=end,
            pad_token_id=end,
        )
    )
    words = model.get_input_embeddings().weight
    with torch.no_grad():
        words.normal_(std=0.5)
        words[end] *= 0.05
    return model


def build_unet(sizes: Sizes) -> UNet2DConditionModel:
    """Attention at a half and a quarter of the latent's size, and on the way up at its full size.

    Full-size cells are 8 pixels, the finest that a frame can fetch from frame 0. `attention_head_dim` counts heads.

    The pooled prompt also joins the time embedding (`addition_embed_type`), so that character, place and colour reach
    every level from the first steps of the training on, as factors too (`scale_shift`): a skirt is the waist and the
    word together, and a sum of the two says that only after many layers.
    """
    unet = UNet2DConditionModel(
        sample_size=32,
        in_channels=sizes.latent_channels,
        out_channels=sizes.latent_channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=sizes.unet,
        layers_per_block=1,
        cross_attention_dim=sizes.text_width,
        attention_head_dim=sizes.heads,
        norm_num_groups=sizes.groups,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
    )
    _read_all_words_alike(unet)
    return unet


@torch.no_grad()
def _read_all_words_alike(unet: UNet2DConditionModel) -> None:
    """Let the prompt enter as the mean over its tokens, through outputs that start at zero.

    With free queries a short training first finds the start token, which is the same in every prompt, attends to it
    alone, and never leaves it again: the softmax is saturated and the prompt has no gradient. So queries stay at zero.
    """
    for name, parameter in unet.named_parameters():
        if name.endswith(("attn2.to_q.weight", "attn2.to_k.weight")) or name.startswith(
            ("add_embedding.pool.q_proj", "add_embedding.pool.k_proj")
        ):
            parameter.zero_().requires_grad_(False)
        elif name.endswith(("attn2.to_out.0.weight", "attn2.to_out.0.bias")):
            parameter.zero_()
    unet.add_embedding.norm2.weight.fill_(0.2)


def build_controlnet(sizes: Sizes) -> ControlNetModel:
    """Without attention: the depth picture speaks for itself. Its output convolutions start small but not at zero."""
    controlnet = ControlNetModel(
        in_channels=sizes.latent_channels,
        down_block_types=("DownBlock2D",) * 4,
        mid_block_type="UNetMidBlock2D",
        block_out_channels=sizes.unet,
        layers_per_block=1,
        cross_attention_dim=sizes.text_width,
        attention_head_dim=sizes.heads,
        norm_num_groups=sizes.groups,
        resnet_time_scale_shift="scale_shift",
        conditioning_embedding_out_channels=sizes.embedding,
    )
    for layer in (
        *controlnet.controlnet_down_blocks,
        controlnet.controlnet_mid_block,
        controlnet.controlnet_cond_embedding.conv_out,
    ):
        torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
        with torch.no_grad():
            layer.weight.mul_(0.5)
    return controlnet


def build_scheduler() -> DDIMScheduler:
    """DDIM; the network predicts x0; Stable Diffusion's schedule scaled to end at pure noise (Lin et al. 2023).

    A small network that has to give back the noise, or a part of it (epsilon, v), has to carry it through exactly at
    every level, and what it loses stays in the picture as grain; predicting x0 it only has to let go of it (Li and He,
    "Back to Basics: Let Denoising Generative Models Denoise", 2025).

    Unscaled, sqrt(alpha_bar) ends at 0.068. These latents keep the picture's 8x8 block means, so a whole picture's
    palette would still be readable in the noisiest of them: training would never have to ask the text for it, and
    sampling would start from noise that is read as a palette.
    """
    return DDIMScheduler(
        **_SAMPLED, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", rescale_betas_zero_snr=True
    )


def build_sampling_scheduler() -> DDIMScheduler:
    """The trained schedule, at each timestep with less noise than the network is told, in fields of DDIM's own.

    What a briefly trained network fails to take out of x_t comes back with the next step, and settles in the picture
    as grain and blotches: the latents of a sampling hold more noise than those of the training (Ning et al.,
    "Elucidating the Exposure Bias in Diffusion Models", 2024). So they get less: of the noise level
    sqrt((1 - alpha_bar) / alpha_bar), all at the first step, and `NOISE_KEPT` of it towards the last.
    """
    trained = build_scheduler()
    alpha_bars = trained.alphas_cumprod.double().numpy()  # (timesteps,)
    timesteps = len(alpha_bars)
    kept = NOISE_KEPT ** (1 - np.arange(1, timesteps + 1) / timesteps)
    less_noisy = alpha_bars / (alpha_bars + (1 - alpha_bars) * kept**2)
    betas = 1 - less_noisy / np.concatenate([[1.0], less_noisy[:-1]])
    return DDIMScheduler(**_SAMPLED, trained_betas=betas.tolist())
