"""A residual block that adds its shortcut as its last convolution is made."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

from backend.models.sd15.fused.products import convolution_add


class FusedResnetBlock(ResnetBlock2D):  # type: ignore[misc]  # diffusers is untyped
    """diffusers' residual block without resampling, equal up to rounding, forwards and backwards."""

    @staticmethod
    def fits(block: Any) -> bool:
        """Whether the block is of the kind that UNets and decoders of Stable Diffusion have."""
        return (
            block.upsample is None
            and block.downsample is None
            and block.output_scale_factor == 1
            and isinstance(block.nonlinearity, nn.SiLU)
            and (block.time_emb_proj is None or block.time_embedding_norm in ("default", "scale_shift"))
        )

    def forward(self, input_tensor: Tensor, temb: Tensor | None = None, *args: Any, **kwargs: Any) -> Tensor:
        """(batch, channels, h, w) and its embedded timesteps (batch, width) -> (batch, channels', h, w)."""
        hidden = self.conv1(_silu(self.norm1(input_tensor)))
        hidden = self.dropout(_silu(self._timed_norm(hidden, temb)))
        shortcut = input_tensor if self.conv_shortcut is None else self.conv_shortcut(input_tensor)
        return convolution_add(hidden, self.conv2, shortcut)

    def _timed_norm(self, hidden: Tensor, temb: Tensor | None) -> Tensor:
        """The second norm, with the timestep before it or around it."""
        if temb is None or self.time_emb_proj is None:
            normed: Tensor = self.norm2(hidden)
            return normed
        temb = self.time_emb_proj(temb if self.skip_time_act else F.silu(temb))[:, :, None, None]
        if self.time_embedding_norm == "default":
            normed = self.norm2(hidden + temb)
        else:
            scale, shift = temb.chunk(2, dim=1)
            normed = torch.addcmul(shift, self.norm2(hidden), 1 + scale)
        return normed


def _silu(values: Tensor) -> Tensor:
    """SiLU of values that nothing else reads."""
    return F.silu(values, inplace=not torch.is_grad_enabled())
