"""Prompts as the UNet takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.models.sd15.components import Components
from shared.jobs.keyed_prompts import PromptKey, PromptMix, prompt_mixes


@dataclass(frozen=True, slots=True, eq=False)
class PromptEmbeds:
    """Prompts and their negative, encoded. `cut` is the end of a prompt that the text encoder has no room for.

    `mixes` says for each frame of the shot which prompts it has; where it is empty, all frames have the one prompt.
    """

    positive: Tensor  # (prompts, tokens, channels)
    negative: Tensor  # (1, tokens, channels)
    cut: str = ""
    mixes: tuple[PromptMix, ...] = ()


@torch.no_grad()
def encode_prompt(components: Components, prompt: str, negative_prompt: str = "") -> PromptEmbeds:
    """Encode a prompt with the model's CLIP text encoder: its last hidden state, as Stable Diffusion 1.5 uses it.

    A prompt longer than the encoder's context is cut there, and `cut` says what was lost.
    """
    positive, cut = _encode(components, prompt)
    negative, _ = _encode(components, negative_prompt)
    return PromptEmbeds(positive, negative, cut)


@torch.no_grad()
def encode_keyed_prompts(
    components: Components, keys: Sequence[PromptKey], frames: Sequence[int], negative_prompt: str = ""
) -> PromptEmbeds:
    """Encode the prompts that these frames of the scene need, each once, as `encode_prompt` does.

    The frames' own embeddings are mixed when they are needed, so that memory is that of the prompts.
    """
    prompts, mixes = prompt_mixes(keys, frames)
    if len(prompts) == 1:
        return encode_prompt(components, prompts[0], negative_prompt)
    encoded = [_encode(components, prompt) for prompt in prompts]
    negative, _ = _encode(components, negative_prompt)
    cut = "; ".join(cut for _, cut in encoded if cut)
    return PromptEmbeds(torch.cat([hidden for hidden, _ in encoded]), negative, cut, mixes)


def _encode(components: Components, text: str) -> tuple[Tensor, str]:
    tokenizer = components.tokenizer
    whole = tokenizer(text, truncation=False, verbose=False, return_offsets_mapping=True)
    tokens: list[int] = whole.input_ids[:-1]
    rows, kept = _fitting(tokens, components.text_length - 1, components.embedding_rows)
    rows.append(tokenizer.eos_token_id)
    padding = components.text_length - len(rows)
    mask = None
    if getattr(components.text_encoder.config, "use_attention_mask", False):
        mask = torch.tensor([[1] * len(rows) + [0] * padding], device=components.device)
    ids = torch.tensor([rows + [tokenizer.pad_token_id] * padding], device=components.device)
    hidden: Tensor = components.text_encoder(ids, attention_mask=mask)[0]
    cut = text[whole.offset_mapping[kept][0] :].strip() if kept < len(tokens) else ""
    return hidden, cut


def _fitting(tokens: list[int], room: int, embedding_rows: Mapping[int, tuple[int, ...]]) -> tuple[list[int], int]:
    """The encoder's rows of the first tokens that fit, an embedding's all or none, and how many tokens that are."""
    rows: list[int] = []
    for count, token in enumerate(tokens):
        own = embedding_rows.get(token, (token,))
        if len(rows) + len(own) > room:
            return rows, count
        rows.extend(own)
    return rows, len(tokens)
