"""A spatial transformer whose first and last layer work on tokens, which channels last in memory are the map itself."""

from __future__ import annotations

from typing import Any

from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor

from backend.models.sd15.fused.products import linear, linear_add


class FusedTransformer(Transformer2DModel):  # type: ignore[misc]  # diffusers is untyped
    """diffusers' transformer of maps, equal up to rounding, forwards and backwards; its blocks are its own.

    diffusers' last layer first copies the tokens to a map with channels first, and its convolution copies them back.
    """

    @staticmethod
    def fits(model: Any) -> bool:
        """Whether the model takes maps."""
        return bool(model.is_input_continuous)

    def _operate_on_continuous_inputs(self, hidden_states: Tensor) -> tuple[Tensor, int]:
        weight = self.proj_in.weight.flatten(1)
        return linear(_tokens(self.norm(hidden_states)), weight, self.proj_in.bias), len(weight)

    def _get_output_for_continuous_inputs(
        self, hidden_states: Tensor, residual: Tensor, batch_size: int, height: int, width: int, inner_dim: int
    ) -> Tensor:
        weight = self.proj_out.weight.flatten(1)
        tokens = linear_add(hidden_states, weight, self.proj_out.bias, _tokens(residual))
        return tokens.reshape(batch_size, height, width, -1).permute(0, 3, 1, 2)


def _tokens(maps: Tensor) -> Tensor:
    """(batch, channels, h, w) -> (batch, h w, channels); channels last it copies nothing."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)
