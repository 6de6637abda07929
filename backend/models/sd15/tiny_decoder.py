"""A small decoder in the autoencoder's place, for guidance to look through: diffusers' `AutoencoderTiny`, as TAESD is.

It has no norms and no attention, only convolutions and doublings: a box of its picture is exact as soon as the box's
surroundings, as far as the convolutions see, are decoded too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from backend.loop.method import CellBox
from backend.models.sd15.components import Components
from backend.models.sd15.files.folder import read_part
from backend.models.sd15.fused.upsampling import FusedUpsample, fuse_doublings
from backend.models.sources import ModelSources
from shared.errors import ModelError
from shared.models.sd15 import TINY_VAE


def with_tiny_decoder(components: Components, sources: ModelSources) -> Components:
    """The same model with the tiny decoder of its files, frozen, on its device and in its precision.

    Raises ModelError where there is none, or where it belongs to another autoencoder.
    """
    place = sources.apart[TINY_VAE.name]
    if not place.is_dir():
        raise ModelError(
            "model.tiny_decoder",
            f"The job guides by a tiny decoder, and the model has none in {place}.",
            "Put the folder of an AutoencoderTiny there (TAESD for Stable Diffusion 1.5), or set "
            'latentman.guide_decoder to "full".',
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


def tiny_autoencoder(components: Components) -> Any:
    """The model's tiny autoencoder. Raises ModelError for a model without one."""
    if components.tiny_vae is None:
        raise ModelError(
            "model.tiny_decoder",
            "This model was loaded without its tiny decoder, by which the method guides.",
            'Set latentman.guide_decoder to "full".',
        )
    return components.tiny_vae


def decode_tiny(components: Components, latents: Tensor, box: CellBox | None = None) -> Tensor:
    """Decode latents (n, channels, h, w) by the tiny decoder: pictures (n, 3, height, width), as `decode_picture`.

    With a box of latent cells the picture is 0 outside of it, and inside the whole decode's, up to rounding; so is its
    gradient. Raises ModelError for a model without a tiny decoder.
    """
    tiny = tiny_autoencoder(components)
    if box == CellBox(0, 0, *latents.shape[-2:]):
        box = None
    shift = getattr(tiny.config, "shift_factor", None) or 0.0
    unscaled = components.to_model(latents / tiny.config.scaling_factor + shift)
    decoded = tiny.decode(unscaled).sample if box is None else _decode_box(tiny.decoder, unscaled, box)
    picture: Tensor = decoded.to(components.state_dtype) / 2 + 0.5
    if box is None:
        return picture
    height, width = (side * components.latent_factor for side in latents.shape[-2:])
    shown = box.scaled(components.latent_factor)
    return F.pad(picture, (shown.left, width - shown.right, shown.top, height - shown.bottom))


def _decode_box(decoder: Any, latents: Tensor, box: CellBox) -> Tensor:
    """The box's part of the decoder's picture. Before each doubling, values that the box does not see are dropped."""
    layers = list(decoder.layers)
    needed = _needed_boxes(layers, box, *latents.shape[-2:])
    squashed = (latents / 3).tanh() * 3  # `DecoderTiny`'s own limit to its input
    place, hidden = needed[0], needed[0].cut_from(squashed, CellBox(0, 0, *latents.shape[-2:]))
    for layer, wanted in zip(layers, needed[:-1], strict=True):
        if _doubles(layer):
            hidden, place = wanted.cut_from(hidden, place), wanted.scaled(2)
        hidden = layer(hidden)
    return needed[-1].cut_from(hidden, place) * 2 - 1


def _needed_boxes(layers: list[nn.Module], box: CellBox, height: int, width: int) -> list[CellBox]:
    """What each layer must be given, in cells of its own input, and last the box in pixels of the picture."""
    scale = 2 ** sum(map(_doubles, layers))
    needed = [box.scaled(scale)]
    for layer in reversed(layers):
        wanted = needed[0].grown(_reach(layer), height * scale, width * scale)
        if _doubles(layer):
            wanted, scale = wanted.halved(), scale // 2
        needed.insert(0, wanted)
    return needed


def _doubles(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Upsample | FusedUpsample)


def _reach(layer: nn.Module) -> int:
    """How many cells beyond its own a value of the layer's output sees, in the output's cells."""
    return sum(module.kernel_size[0] // 2 for module in layer.modules() if isinstance(module, nn.Conv2d))


def _misfits(tiny: Any, components: Components) -> Iterator[str]:
    """What keeps a tiny autoencoder from standing in for the model's own, in words."""
    config = tiny.config
    if config.latent_channels != components.latent_channels:
        yield f"it takes {config.latent_channels} latent channels, the autoencoder {components.latent_channels}"
    if (config.upsampling_scaling_factor, config.upsample_fn) != (2, "nearest"):
        yield f"it enlarges by {config.upsampling_scaling_factor} ({config.upsample_fn}), not by 2 (nearest)"
    factor = config.upsampling_scaling_factor ** (len(config.decoder_block_out_channels) - 1)
    if factor != components.latent_factor:
        yield f"its pictures are {factor} times its latents' size, the autoencoder's {components.latent_factor} times"
