"""A head start for the autoencoder: before its first step it already is a codec of 8x8 block means.

From random weights the first minutes go into passing plain colour through the bottleneck. Here the skip path carries
it exactly: channels 0 to 7 of every level hold +R -R +G -G +B -B and a constant +c -c. SiLU is passed without loss,
since silu(x) - silu(-x) = x, and the constant keeps group normalisation from rescaling the colours much.
"""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

CARRIED = 8  # +R -R +G -G +B -B +c -c
CONSTANT = 1.5
LOG_VARIANCE = -5.0


@torch.no_grad()
def start_as_block_means(vae: AutoencoderKL, sample: Tensor) -> None:
    """Rewrite the weights in place; `sample` (n, 3, H, W) in -1..1 sets the scales."""
    encoder, decoder = vae.encoder, vae.decoder
    _carry_in(encoder.conv_in)
    _carry_in(decoder.conv_in)
    for block in (*encoder.down_blocks, encoder.mid_block, decoder.mid_block, *decoder.up_blocks):
        for resnet in block.resnets:
            _carry_past(resnet)
    for block in encoder.down_blocks:
        for downsampler in block.downsamplers or ():
            _set_rows(downsampler.conv, _taps([0.5, 0.5, 0.0]))
    for block in decoder.up_blocks:
        for upsampler in block.upsamplers or ():
            _set_rows(upsampler.conv, _taps([0.25, 0.5, 0.25]))
    _carry_out(encoder.conv_out)
    channels = vae.config.latent_channels
    encoder.conv_out.weight[channels:] = 0
    encoder.conv_out.bias[channels:] = LOG_VARIANCE
    _identity(vae.quant_conv)
    _identity(vae.post_quant_conv)
    _carry_out(decoder.conv_out)
    latent = vae.encode(sample).latent_dist.mode()
    encoder.conv_out.weight[:3] /= latent[:, :3].std()
    picture = vae.decode(vae.encode(sample).latent_dist.mode()).sample
    decoder.conv_out.weight *= (picture * sample).mean() / picture.square().mean()


def _taps(row: list[float]) -> Tensor:
    kernel = torch.tensor(row)
    return kernel[:, None] * kernel[None, :]


def _clear_rows(conv: nn.Conv2d, rows: int) -> None:
    conv.weight[:rows] = 0
    if conv.bias is not None:
        conv.bias[:rows] = 0


def _carry_in(conv: nn.Conv2d) -> None:
    _clear_rows(conv, CARRIED)
    for colour in range(3):
        conv.weight[2 * colour, colour, 1, 1], conv.weight[2 * colour + 1, colour, 1, 1] = 1, -1
    if conv.bias is not None:
        conv.bias[CARRIED - 2], conv.bias[CARRIED - 1] = CONSTANT, -CONSTANT


def _carry_past(resnet: ResnetBlock2D) -> None:
    _clear_rows(resnet.conv2, CARRIED)
    if resnet.conv_shortcut is not None:
        _clear_rows(resnet.conv_shortcut, CARRIED)
        for channel in range(CARRIED):
            resnet.conv_shortcut.weight[channel, channel] = 1


def _set_rows(conv: nn.Conv2d, kernel: Tensor) -> None:
    _clear_rows(conv, CARRIED)
    for channel in range(CARRIED):
        conv.weight[channel, channel] = kernel


def _carry_out(conv: nn.Conv2d) -> None:
    _clear_rows(conv, 3)
    for colour in range(3):
        conv.weight[colour, 2 * colour, 1, 1], conv.weight[colour, 2 * colour + 1, 1, 1] = 1, -1


def _identity(conv: nn.Conv2d) -> None:
    _clear_rows(conv, len(conv.weight))
    for channel in range(len(conv.weight)):
        conv.weight[channel, channel] = 1
