"""Decode latents, or a box of them, by the tiny decoder.

It has no norms and no attention, only convolutions and doublings: a box of its picture is exact as soon as the box's
surroundings, as far as the convolutions see, are decoded too.
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from backend.methods.latentman.cell_box import CellBox
from backend.models.sd15.components import Components
from backend.models.sd15.fused.upsampling import FusedUpsample
from backend.models.sd15.tiny_decoder import tiny_autoencoder


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
