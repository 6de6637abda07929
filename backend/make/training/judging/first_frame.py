"""Self-attention whose keys and values come from the first half of the batch, as the methods use it."""

from __future__ import annotations

import torch.nn.functional as functional
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor

from backend.make.training.judging.looking import Guide


class FirstFrameSwitch:
    """Whether self-attention of the second half of the batch reads the first half instead of itself."""

    def __init__(self) -> None:
        self.on = False
        self.guide: Guide | None = None  # told of every self-attention's first head while `on`


class PairedAttention:
    """Attention processor: with the switch on, frame 1 of each pair attends to frame 0 (Text2Video-Zero, eq. 9)."""

    def __init__(self, switch: FirstFrameSwitch) -> None:
        self._switch = switch

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """Tokens (batch, n, width) to tokens."""
        if encoder_hidden_states is not None:  # queries stay at zero (models.py), so that the prompt's mean is read
            mean = attn.to_v(encoder_hidden_states.mean(1, keepdim=True))
            read: Tensor = attn.to_out[1](attn.to_out[0](mean))
            return read.expand(-1, hidden_states.shape[1], -1)
        source = hidden_states[: len(hidden_states) // 2] if self._switch.on else hidden_states
        key, value = attn.to_k(source), attn.to_v(source)
        if len(source) < len(hidden_states):
            key, value = key.repeat(2, 1, 1), value.repeat(2, 1, 1)
        query, key, value = (
            t.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for t in (attn.to_q(hidden_states), key, value)
        )
        if self._switch.on and self._switch.guide is not None:
            half = len(hidden_states) // 2
            self._switch.guide.compare(query[half:, 0], key[:half, 0])
        mixed = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        out: Tensor = attn.to_out[1](attn.to_out[0](mixed))
        return out


def pair_attention(unet: UNet2DConditionModel) -> FirstFrameSwitch:
    """Install PairedAttention everywhere in the UNet and return its switch."""
    switch = FirstFrameSwitch()
    unet.set_attn_processor(PairedAttention(switch))
    return switch
