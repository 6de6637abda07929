"""A group norm with a way back of its own, to the input alone, for large maps in bfloat16 on a CPU."""

from __future__ import annotations

from math import gcd
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

# On maps of at least so many pixels torch's way back, channels last, takes the longer the fewer channels a group has;
# with less than these it is the slower one.
LARGE, NARROW = 1024, 16
# Values of a row that a CPU adds up or scales at once without loss: pixels are laid side by side until it has them.
ROW = 256


class FusedGroupNorm(nn.GroupNorm):
    """torch's group norm (Wu and He, 2018), its gradient equal up to rounding."""

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, h, w) -> the same."""
        narrow = self.num_channels // self.num_groups < NARROW
        frozen = self.affine and not self.weight.requires_grad and not self.bias.requires_grad
        if narrow and frozen and _is_large(input):
            normed: Tensor = _GroupNorm.apply(input, self.weight, self.bias, self.num_groups, self.eps)  # type: ignore[no-untyped-call]
            return normed
        return super().forward(input)


def _is_large(maps: Tensor) -> bool:
    return (
        torch.is_grad_enabled()
        and maps.requires_grad
        and maps.dtype == torch.bfloat16
        and maps.device.type == "cpu"
        and maps.dim() == 4
        and maps.shape[-2] * maps.shape[-1] >= LARGE
        and maps.is_contiguous(memory_format=torch.channels_last)
        and not torch.compiler.is_compiling()
    )


class _GroupNorm(torch.autograd.Function):
    """With x^ = r (x - m): dx = r (g dy - mean(g dy) - x^ mean(g dy x^)), means over a group.

    The sums are products with ones, which a CPU adds up in float32; per group dx is a dy + b x + c.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> Tensor:
        batch, channels, height, width = maps.shape
        normed, mean, scale = torch.native_group_norm(maps, weight, bias, batch, channels, height * width, groups, eps)
        ctx.save_for_backward(maps, weight, mean, scale)
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, push: Tensor) -> tuple[Tensor, None, None, None, None]:
        maps, weight, mean, scale = ctx.saved_tensors
        batch, channels, height, width = maps.shape
        groups, beside = mean.shape[1], gcd(height * width, max(ROW // channels, 1))
        # (batch, pixels / beside, beside x channels), which channels last copies nothing
        x, dy = (values.permute(0, 2, 3, 1).reshape(batch, -1, beside * channels) for values in (maps, push))
        ones = torch.ones(batch, 1, x.shape[1], dtype=x.dtype)
        by_group = (batch, groups, channels // groups)
        gain = weight.float().view(1, *by_group[1:])
        sums, products = (
            (ones @ values).float().view(batch, beside, channels).sum(1).view(by_group).mul(gain).sum(2)
            for values in (dy, dy * x)
        )
        count = height * width * by_group[2]
        mean, scale = mean.float(), scale.float()
        of_x = scale**3 * (mean * sums - products) / count
        rest = -mean * of_x - scale * sums / count
        spread = [value[..., None].expand(by_group) for value in (of_x, rest)]
        a, b, c = (
            values.reshape(batch, 1, channels).repeat(1, 1, beside).to(x.dtype)
            for values in (gain * scale[..., None], *spread)
        )
        back = torch.addcmul(torch.addcmul(c, x, b), dy, a)
        return back.reshape(batch, height, width, channels).permute(0, 3, 1, 2), None, None, None, None
