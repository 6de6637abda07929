"""An attention layer that calls its processor at once."""

from __future__ import annotations

from typing import Any

from diffusers.models.attention_processor import Attention
from torch import Tensor


class FusedAttention(Attention):  # type: ignore[misc]  # diffusers is untyped
    """diffusers' attention, the same in each value.

    diffusers' own looks its processor's parameters up at every call, to drop what it does not know; for a small model
    that is a fiftieth of a step. Here what a processor does not know is an error.
    """

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **cross_attention_kwargs: Any,
    ) -> Tensor:
        """(batch, tokens, channels) -> the same, or maps where the processor takes them."""
        attended: Tensor = self.processor(
            self,
            hidden_states,
            encoder_hidden_states=encoder_hidden_states,
            attention_mask=attention_mask,
            **cross_attention_kwargs,
        )
        return attended
