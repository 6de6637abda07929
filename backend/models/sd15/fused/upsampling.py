"""Nearest-neighbour doubling and the 3x3 convolution after it, as the one transposed convolution that they are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn


def transposed_kernel(weight: Tensor) -> Tensor:
    """A 3x3 convolution's weight (out, in, 3, 3) -> (in, out, 4, 4) of the doubling and it together.

    Doubling is a transposed convolution of stride 2 whose 2x2 kernel is all ones, and two linear maps in a row are
    one: its kernel is the 3x3 one summed over the four places of that square. Stride 2 and padding 1 go with it.
    """
    turned = weight.double().flip(2, 3).transpose(0, 1)
    kernel = sum(F.pad(turned, (x, 1 - x, y, 1 - y)) for y in (0, 1) for x in (0, 1))
    return torch.as_tensor(kernel).to(weight.dtype)


class FusedUpsample(Upsample2D):  # type: ignore[misc]  # diffusers is untyped
    """diffusers' doubling in 16 instead of 36 products an input value, equal up to rounding.

    The kernel is extra memory, 16/9 of the convolution's weight, from which it is made once.
    """

    kernel: Tensor  # (in, out, 4, 4)

    @staticmethod
    def fits(upsample: Any) -> bool:
        """Whether the layer doubles and then runs a plain 3x3 convolution."""
        conv = getattr(upsample, "conv", None)
        return bool(upsample.interpolate) and upsample.norm is None and _plain(conv)

    @staticmethod
    def prepare(upsample: Any) -> None:
        """Make the kernel of a layer that is to become one of these."""
        kernel = transposed_kernel(upsample.conv.weight.detach())
        upsample.register_buffer("kernel", kernel, persistent=False)

    def forward(
        self, hidden_states: Tensor, output_size: tuple[int, int] | None = None, *args: Any, **kwargs: Any
    ) -> Tensor:
        """(batch, channels, h, w) -> (batch, channels, 2h, 2w), or `output_size` where a picture's size is uneven."""
        height, width = hidden_states.shape[-2:]
        if output_size is None or tuple(output_size) == (2 * height, 2 * width):
            return F.conv_transpose2d(hidden_states, self.kernel, self.conv.bias, stride=2, padding=1)
        wide: Tensor = self.conv(F.interpolate(hidden_states, size=tuple(output_size), mode="nearest"))
        return wide


def fuse_doublings(layers: nn.Sequential) -> int:
    """Fuse every plain nearest-neighbour doubling in a row of layers with the 3x3 convolution after it, in place.

    Returns how many. Places in the row stay: what was the convolution lets values through.
    """
    places = [index for index, pair in enumerate(pairwise(layers)) if _doubles(pair[0]) and _plain(pair[1])]
    for index in places:
        layers[index] = _upsample(layers[index + 1])
        layers[index + 1] = nn.Identity()
    return len(places)


def _upsample(conv: Any) -> FusedUpsample:
    """A fused doubling of a convolution that is already there."""
    upsample = FusedUpsample(conv.in_channels, out_channels=conv.out_channels)
    upsample.conv, upsample.use_conv = conv, True
    FusedUpsample.prepare(upsample)
    return upsample


def _doubles(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Upsample) and (layer.scale_factor, layer.mode) == (2.0, "nearest")


def _plain(conv: nn.Module | None) -> bool:
    return isinstance(conv, nn.Conv2d) and (conv.kernel_size, conv.padding) == ((3, 3), (1, 1))
