"""A small decoder in the autoencoder's place, for guidance to look through: an `AutoencoderTiny`, as TAESD is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from backend.models.sd15.components import Components
from backend.models.sd15.files.folder import read_part
from backend.models.sd15.fused.upsampling import fuse_doublings
from backend.models.sd15.modules import TinyAutoencoder
from backend.models.sources import ModelSources
from shared.errors import ModelError
from shared.models.sd15 import TINY_VAE


def with_tiny_decoder(components: Components, sources: ModelSources) -> Components:
    """The same model with the tiny decoder of its files, frozen, on its device and in its precision.

    Raises ModelError if there is none, or if it belongs to another autoencoder.
    """
    place = sources.apart[TINY_VAE.name]
    if not place.is_dir():
        raise ModelError(
            "model.tiny_decoder",
            f"The job uses a tiny decoder for guidance, but the model has none in {place}.",
            "Put the folder of an AutoencoderTiny there (TAESD for Stable Diffusion 1.5), or set "
            'settings.guide_decoder to "full".',
        )
    problems: list[str] = []
    tiny = read_part(TINY_VAE, place, problems)
    if not problems:
        problems += _misfits(tiny, components)
    if problems:
        raise ModelError("model.tiny_decoder", f"The tiny decoder in {place} cannot be used: {'; '.join(problems)}.")
    return join_tiny_decoder(components, tiny)


def join_tiny_decoder(components: Components, tiny: Any) -> Components:
    """The model with a tiny autoencoder that is in memory already, which is changed in place."""
    if components.device.type == "cpu":
        fuse_doublings(tiny.decoder.layers)
    tiny.requires_grad_(False).eval()
    nn.Module.to(tiny, device=components.device, dtype=components.dtype)
    tiny.to(memory_format=torch.channels_last)
    return replace(components, tiny_vae=tiny)


def tiny_autoencoder(components: Components) -> TinyAutoencoder:
    """The model's tiny autoencoder. Raises ModelError for a model without one."""
    if components.tiny_vae is None:
        raise ModelError(
            "model.tiny_decoder",
            "This model was loaded without the tiny decoder that the method uses for guidance.",
            'Set settings.guide_decoder to "full".',
        )
    return components.tiny_vae


def _misfits(tiny: TinyAutoencoder, components: Components) -> Iterator[str]:
    """What keeps a tiny autoencoder from standing in for the model's own, in words."""
    config = tiny.config
    if config.latent_channels != components.latent_channels:
        yield f"it expects {config.latent_channels} latent channels, the autoencoder {components.latent_channels}"
    if (config.upsampling_scaling_factor, config.upsample_fn) != (2, "nearest"):
        yield f"it enlarges by {config.upsampling_scaling_factor} ({config.upsample_fn}), not by 2 (nearest)"
    factor = config.upsampling_scaling_factor ** (len(config.decoder_block_out_channels) - 1)
    if factor != components.latent_factor:
        yield f"its pictures are {factor} times its latents' size, the autoencoder's {components.latent_factor} times"
