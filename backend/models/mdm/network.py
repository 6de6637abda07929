"""MDM's network: from a noisy motion, a step and a text to the clean motion. Its weights have the published names.

Tevet et al., "Human Motion Diffusion Model", 2022, figure 2. The encoder form puts step and text into one token before
the frames. The decoder form attends to the text; DiP is one with clean frames before the noisy ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

Form = Literal["trans_enc", "trans_dec"]
TextPolicy = Literal["add", "concat"]


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """What fixes a network's weights; the defaults are the published HumanML3D model's."""

    form: Form = "trans_enc"
    features: int = 263
    width: int = 512
    layers: int = 8
    heads: int = 4
    feedforward: int = 1024
    text_width: int = 512  # CLIP ViT-B/32's; DistilBERT's is 768
    step_token: bool = False  # decoder form: the step is a token before the frames too (`emb_trans_dec`)
    text_policy: TextPolicy = "add"  # decoder form: the step is added to the text's tokens, or goes before them
    mask_frames: bool = False  # frames beyond a motion's length are not attended to
    context_frames: int = 0  # DiP: clean frames before the noisy ones
    longest: int = 5000  # tokens and steps that have a position
    dropout: float = 0.1
    token_on_frames: bool = False  # encoder form, not MDM's: step and text are added to every frame too


@dataclass(frozen=True, slots=True, eq=False)
class TextTokens:
    """A batch of encoded texts: CLIP gives one token a text, DistilBERT one a word piece."""

    tokens: Tensor  # (tokens, batch, text width)
    padding: Tensor | None = None  # (batch, tokens), true where there is no token


class MDM(nn.Module):
    """The network. Names of modules are those of the published checkpoints."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.input_process = _Linear("poseEmbedding", shape.features, shape.width)
        self.sequence_pos_encoder = PositionalEncoding(shape.width, shape.dropout, shape.longest)
        self.embed_timestep = _StepEmbedding(shape.width, self.sequence_pos_encoder)
        self.embed_text = nn.Linear(shape.text_width, shape.width)
        sizes = (shape.width, shape.heads, shape.feedforward, shape.dropout, nn.functional.gelu)
        if shape.form == "trans_enc":
            self.seqTransEncoder = nn.TransformerEncoder(
                nn.TransformerEncoderLayer(*sizes), shape.layers, enable_nested_tensor=False
            )
        else:
            self.seqTransDecoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(*sizes), shape.layers)
        self.output_process = _Linear("poseFinal", shape.width, shape.features)

    def forward(
        self,
        x: Tensor,  # (batch, frames, features) noisy
        steps: Tensor,  # (batch,) integer
        text: TextTokens,
        *,
        without_text: Tensor | None = None,  # (batch,) true: as if there were no text
        padding: Tensor | None = None,  # (batch, frames) true: beyond the motion's length
        prefix: Tensor | None = None,  # (batch, context frames, features) clean
    ) -> Tensor:
        """The clean motion, (batch, frames, features)."""
        context = 0
        if prefix is not None:
            context = prefix.shape[1]
            x = torch.cat([prefix, x], dim=1)
        frames = self.input_process(x.transpose(0, 1))
        step = self.embed_timestep(steps)
        tokens = text.tokens
        if without_text is not None:  # a text of zeros: the layer's bias stays
            tokens = tokens * (~without_text).to(tokens.dtype)[None, :, None]
        words = self.embed_text(tokens)
        hidden = self._padded(padding, context, len(x)) if self.shape.mask_frames else None
        if self.shape.form == "trans_enc":
            token = words + step
            frames = frames + token if self.shape.token_on_frames else frames
            sequence = self.sequence_pos_encoder(torch.cat([token, frames]))
            output = self.seqTransEncoder(sequence, src_key_padding_mask=hidden)[1:]
        else:
            output = self._decoded(frames, step, words, text.padding, hidden)
        result: Tensor = self.output_process(output[context:]).transpose(0, 1)
        return result

    def _decoded(
        self, frames: Tensor, step: Tensor, words: Tensor, text_padding: Tensor | None, hidden: Tensor | None
    ) -> Tensor:
        token = self.shape.step_token
        sequence = self.sequence_pos_encoder(torch.cat([step, frames]) if token else frames)
        if self.shape.text_policy == "add":
            memory = words + step
        else:
            memory = torch.cat([step, words])
            if text_padding is not None:
                text_padding = torch.cat([torch.zeros_like(text_padding[:, :1]), text_padding], dim=1)
        output: Tensor = self.seqTransDecoder(
            sequence, memory, memory_key_padding_mask=text_padding, tgt_key_padding_mask=hidden
        )
        return output[1:] if token else output

    def _padded(self, padding: Tensor | None, context: int, batch: int) -> Tensor | None:
        """The padding with the tokens before the noisy frames, which are never padding."""
        if padding is None:
            return None
        before = context + (1 if self.shape.form == "trans_enc" or self.shape.step_token else 0)
        return torch.cat([torch.zeros((batch, before), dtype=torch.bool, device=padding.device), padding], dim=1)


class PositionalEncoding(nn.Module):
    """Sines and cosines of the place in the sequence, added; they are computed and never part of a checkpoint."""

    pe: Tensor

    def __init__(self, width: int, dropout: float, longest: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        angles = torch.arange(longest, dtype=torch.float)[:, None] * torch.exp(
            torch.arange(0, width, 2).float() * (-math.log(10000.0) / width)
        )
        pe = torch.stack([torch.sin(angles), torch.cos(angles)], dim=-1).reshape(longest, 1, -1)[..., :width]
        self.register_buffer("pe", pe, persistent=False)

    def forward(self, x: Tensor) -> Tensor:  # (tokens, batch, width)
        """The same with its places."""
        result: Tensor = self.dropout(x + self.pe[: len(x)])
        return result


class _StepEmbedding(nn.Module):
    """From a step's number to a token, (1, batch, width)."""

    def __init__(self, width: int, positions: PositionalEncoding) -> None:
        super().__init__()
        self.sequence_pos_encoder = positions
        self.time_embed = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, steps: Tensor) -> Tensor:
        token: Tensor = self.time_embed(self.sequence_pos_encoder.pe[steps]).transpose(0, 1)
        return token


class _Linear(nn.Module):
    """A linear layer under the name that the checkpoints give it."""

    def __init__(self, name: str, inputs: int, outputs: int) -> None:
        super().__init__()
        self._name = name
        self.add_module(name, nn.Linear(inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.get_submodule(self._name)(x)
        return result
