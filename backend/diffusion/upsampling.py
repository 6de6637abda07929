"""Nearest-neighbour doubling and the 3x3 convolution after it, as the one transposed convolution that they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from types import SimpleNamespace
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


class FusedUpsample(nn.Module):
    """An `Upsample2D` in 16 instead of 36 products an input value, equal up to rounding; its weights keep their names.

    `fused` off makes it diffusers' own again.
    """

    kernel: Tensor  # (in, out, 4, 4)

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.conv = plain.conv
        self.fused = True
        self.register_buffer("kernel", transposed_kernel(plain.conv.weight.detach()), persistent=False)

    def forward(self, hidden_states: Tensor, output_size: tuple[int, int] | None = None) -> Tensor:
        """(batch, channels, h, w) -> (batch, channels, 2h, 2w), or `output_size` where a picture's size is uneven."""
        height, width = hidden_states.shape[-2:]
        size = (2 * height, 2 * width) if output_size is None else tuple(output_size)
        if self.fused and size == (2 * height, 2 * width):
            return F.conv_transpose2d(hidden_states, self.kernel, self.conv.bias, stride=2, padding=1)
        wide: Tensor = self.conv(F.interpolate(hidden_states, size=size, mode="nearest"))
        return wide


def fuse_upsampling(model: nn.Module) -> int:
    """Fuse every doubling of a UNet or decoder that a plain 3x3 convolution follows, in place; returns how many.

    The kernels are extra memory, 16/9 of those convolutions' weights.
    """
    found = [(name, module) for name, module in model.named_modules() if _fits(module)]
    for name, module in found:
        parent, _, own = name.rpartition(".")
        model.get_submodule(parent).register_module(own, FusedUpsample(module))
    return len(found)


def fuse_doublings(layers: nn.Sequential) -> int:
    """Fuse every plain nearest-neighbour doubling in a row of layers with the 3x3 convolution after it, in place.

    Returns how many. Places in the row stay: what was the convolution lets values through.
    """
    places = [index for index, pair in enumerate(pairwise(layers)) if _doubling_and_convolution(*pair)]
    for index in places:
        layers[index] = FusedUpsample(SimpleNamespace(conv=layers[index + 1]))
        layers[index + 1] = nn.Identity()
    return len(places)


def _doubling_and_convolution(doubling: nn.Module, conv: nn.Module) -> bool:
    nearest = isinstance(doubling, nn.Upsample) and (doubling.scale_factor, doubling.mode) == (2.0, "nearest")
    return nearest and isinstance(conv, nn.Conv2d) and (conv.kernel_size, conv.padding) == ((3, 3), (1, 1))


@contextmanager
def plain_upsampling(*models: nn.Module) -> Iterator[None]:
    """Inside, the models double and convolve as diffusers does."""
    fused = [module for model in models for module in model.modules() if isinstance(module, FusedUpsample)]
    before = [module.fused for module in fused]
    for module in fused:
        module.fused = False
    try:
        yield
    finally:
        for module, state in zip(fused, before, strict=True):
            module.fused = state


def _fits(module: nn.Module) -> bool:
    if not isinstance(module, Upsample2D) or not module.interpolate or module.norm is not None:
        return False
    conv = getattr(module, "conv", None)
    return isinstance(conv, nn.Conv2d) and conv.kernel_size == (3, 3) and conv.padding == (1, 1)
