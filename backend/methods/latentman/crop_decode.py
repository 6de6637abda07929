"""Decode a crop of the latents: the autoencoder's costly last blocks run on the body's box instead of the picture.

Everything before the decoder's up blocks runs on all latents, its attention included. An up block runs on the box,
grown by the blocks that follow it, so that no value inside the box sees the crop's edge. What is left of the rest of
the picture are the group norms' means and variances, which the crop takes as constants from a whole decode. With those
of the same latents the crop's pixels are the whole decode's, up to rounding, but its gradient is not: it lacks what
runs through the statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_blocks import UpDecoderBlock2D
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from backend.methods.latentman.cell_box import CellBox
from backend.models.sd15.components import Components
from shared.errors import ModelError

Normalise = Callable[[nn.GroupNorm, Tensor], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class GroupStatistics:
    """Mean and variance of every channel's group, for each group norm of a decoder's up blocks and after them."""

    channels: Mapping[nn.GroupNorm, tuple[Tensor, Tensor]]  # mean, variance: (channels,) each


def measure_statistics(components: Components, latents: Tensor) -> GroupStatistics:
    """The group norms' statistics while all latents (1, channels, h, w) are decoded, without a graph.

    Raises ModelError for a decoder of another kind than Stable Diffusion's.
    """
    _check_decoder(components.vae.decoder)
    with torch.no_grad():
        return _measure(components, _middle(components, latents))


def decode_crop(components: Components, latents: Tensor, box: CellBox, statistics: GroupStatistics | None) -> Tensor:
    """Decode latents (1, channels, h, w) inside `box`: pictures (1, 3, height, width), 0 outside the box.

    Without `statistics` they are measured on these latents, which costs a whole decode without gradients. Precision
    and range are those of `decode_picture`, the gradient runs through. Raises ModelError for a decoder of another
    kind than Stable Diffusion's.
    """
    decoder = components.vae.decoder
    _check_decoder(decoder)
    hidden = _middle(components, latents)
    if statistics is None:
        with torch.no_grad():
            statistics = _measure(components, hidden.detach())
    held = statistics.channels

    def normalise(norm: nn.GroupNorm, values: Tensor) -> Tensor:
        return _held_norm(norm, values, *held[norm])

    height, width = latents.shape[-2:]
    needed = _needed_boxes(decoder, box, height, width)
    place = CellBox(0, 0, height, width)
    for block, wanted in zip(decoder.up_blocks, needed[:-1], strict=True):
        hidden = wanted.cut_from(hidden, place)
        hidden, place = _run(decoder, block, hidden, normalise), _after(block, wanted)
    picture = needed[-1].cut_from(_finish(decoder, hidden, normalise), place)
    factor = components.latent_factor
    return _on_canvas(picture.to(components.state_dtype) / 2 + 0.5, needed[-1], height * factor, width * factor)


def _middle(components: Components, latents: Tensor) -> Tensor:
    """All of the decoder before its up blocks."""
    unscaled = components.to_model(latents / components.scaling_factor + components.shift_factor)
    vae, decoder = components.vae, components.vae.decoder
    quantised = unscaled if vae.post_quant_conv is None else vae.post_quant_conv(unscaled)
    hidden: Tensor = decoder.mid_block(decoder.conv_in(quantised))
    return hidden


def _measure(components: Components, hidden: Tensor) -> GroupStatistics:
    found: dict[nn.GroupNorm, tuple[Tensor, Tensor]] = {}

    def normalise(norm: nn.GroupNorm, values: Tensor) -> Tensor:
        exact = values if values.dtype == torch.float64 else values.float()
        variance, mean = torch.var_mean(exact.reshape(norm.num_groups, -1), dim=1, correction=0)
        width = norm.num_channels // norm.num_groups
        found[norm] = mean.repeat_interleave(width), variance.repeat_interleave(width)
        return norm(values)  # type: ignore[no-any-return]

    decoder = components.vae.decoder
    for block in decoder.up_blocks:
        hidden = _up_block(block, hidden, normalise)
    normalise(decoder.conv_norm_out, hidden)
    return GroupStatistics(found)


def _held_norm(norm: nn.GroupNorm, values: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """A group norm whose statistics are given: a batch norm in its evaluating form."""
    weight, bias = norm.weight.to(mean.dtype), norm.bias.to(mean.dtype)
    return F.batch_norm(values, mean, variance, weight, bias, training=False, eps=norm.eps)


def _run(decoder: Any, block: Any, hidden: Tensor, normalise: Normalise) -> Tensor:
    """An up block, its activations computed again on the way back where the model is set so."""
    if torch.is_grad_enabled() and decoder.gradient_checkpointing:
        again: Tensor = checkpoint(_up_block, block, hidden, normalise, use_reentrant=False)
        return again
    return _up_block(block, hidden, normalise)


def _up_block(block: Any, hidden: Tensor, normalise: Normalise) -> Tensor:
    for resnet in block.resnets:
        inner = resnet.conv1(resnet.nonlinearity(normalise(resnet.norm1, hidden)))
        inner = resnet.conv2(resnet.nonlinearity(normalise(resnet.norm2, inner)))
        shortcut = hidden if resnet.conv_shortcut is None else resnet.conv_shortcut(hidden)
        hidden = (shortcut + inner) / resnet.output_scale_factor
    for upsampler in block.upsamplers or ():
        hidden = upsampler(hidden)
    return hidden


def _finish(decoder: Any, hidden: Tensor, normalise: Normalise) -> Tensor:
    picture: Tensor = decoder.conv_out(decoder.conv_act(normalise(decoder.conv_norm_out, hidden)))
    return picture


def _needed_boxes(decoder: Any, box: CellBox, height: int, width: int) -> list[CellBox]:
    """What each up block must be given, in cells of its own input, and last the box in pixels of the picture.

    Every 3x3 convolution on the way to the box needs one cell more on each side.
    """
    doublings = [bool(block.upsamplers) for block in decoder.up_blocks]
    scale = 2 ** sum(doublings)
    needed = [box.scaled(scale)]
    wanted = needed[0].grown(1, height * scale, width * scale)
    for block, doubled in zip(reversed(decoder.up_blocks), reversed(doublings), strict=True):
        if doubled:
            wanted = wanted.grown(1, height * scale, width * scale).halved()
            scale //= 2
        wanted = wanted.grown(2 * len(block.resnets), height * scale, width * scale)
        needed.insert(0, wanted)
    return needed


def _after(block: Any, box: CellBox) -> CellBox:
    return box.scaled(2) if block.upsamplers else box


def _on_canvas(picture: Tensor, box: CellBox, height: int, width: int) -> Tensor:
    return F.pad(picture, (box.left, width - box.right, box.top, height - box.bottom))


def _check_decoder(decoder: Any) -> None:
    plain = all(
        isinstance(block, UpDecoderBlock2D)
        and all(isinstance(resnet, ResnetBlock2D) and resnet.time_emb_proj is None for resnet in block.resnets)
        for block in decoder.up_blocks
    )
    if not (plain and isinstance(decoder.conv_norm_out, nn.GroupNorm)):
        raise ModelError(
            "model.decoder",
            "This autoencoder's decoder is not like Stable Diffusion's, so it cannot decode part of a picture.",
            "Set the guidance to decode whole pictures.",
        )
