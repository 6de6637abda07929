"""A linear layer whose bias is added as the product is made."""

from __future__ import annotations

from torch import Tensor, nn

from backend.diffusion.fused.products import linear


class FusedLinear(nn.Linear):
    """torch's linear layer, equal up to rounding, forwards and backwards."""

    def forward(self, input: Tensor) -> Tensor:
        """(..., channels) -> (..., width)."""
        return linear(input, self.weight, self.bias)
