"""Prompts as the UNet takes them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.diffusion.components import Components


@dataclass(frozen=True, slots=True, eq=False)
class PromptEmbeds:
    """A prompt and its negative, encoded. `cut` is the end of the prompt that the text encoder has no room for."""

    positive: Tensor  # (1, tokens, channels)
    negative: Tensor  # (1, tokens, channels)
    cut: str = ""


@torch.no_grad()
def encode_prompt(components: Components, prompt: str, negative_prompt: str = "") -> PromptEmbeds:
    """Encode a prompt with the model's CLIP text encoder: its last hidden state, as Stable Diffusion 1.5 uses it.

    A prompt longer than the encoder's context is cut there, and `cut` says what was lost.
    """
    positive, cut = _encode(components, prompt)
    negative, _ = _encode(components, negative_prompt)
    return PromptEmbeds(positive, negative, cut)


def _encode(components: Components, text: str) -> tuple[Tensor, str]:
    tokenizer = components.tokenizer
    length = components.text_length
    padded = tokenizer(text, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
    whole = tokenizer(text, truncation=False, verbose=False).input_ids
    cut = tokenizer.decode(whole[length - 1 : -1]).strip() if len(whole) > length else ""
    mask = None
    if getattr(components.text_encoder.config, "use_attention_mask", False):
        mask = padded.attention_mask.to(components.device)
    hidden: Tensor = components.text_encoder(padded.input_ids.to(components.device), attention_mask=mask)[0]
    return hidden, cut
