"""Linear layers whose bias, or whose gate, is applied as the product is made."""

from __future__ import annotations

from typing import Any

from diffusers.models.activations import GEGLU
from torch import Tensor, nn

from backend.models.sd15.fused.products import gated_linear, linear


class FusedLinear(nn.Linear):
    """torch's linear layer, equal up to rounding, forwards and backwards."""

    def forward(self, input: Tensor) -> Tensor:
        """(..., channels) -> (..., width)."""
        return linear(input, self.weight, self.bias)


class FusedGEGLU(GEGLU):  # type: ignore[misc]  # diffusers is untyped
    """diffusers' GEGLU, equal up to rounding, forwards and backwards."""

    def forward(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """(..., channels) -> (..., width)."""
        return gated_linear(hidden_states, self.proj.weight, self.proj.bias)
