"""GEGLU whose two products and their product are made in two passes."""

from __future__ import annotations

from typing import Any

from diffusers.models.activations import GEGLU
from torch import Tensor

from backend.diffusion.fused.products import gated_linear


class FusedGEGLU(GEGLU):  # type: ignore[misc]  # diffusers is untyped
    """diffusers' GEGLU, equal up to rounding, forwards and backwards."""

    def forward(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """(..., channels) -> (..., width)."""
        return gated_linear(hidden_states, self.proj.weight, self.proj.bias)
