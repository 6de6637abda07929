"""Attention processors: self-attention that reads other frames' keys and values, and attention to the prompt.

What a layer reads, and what the step keeps for it, travel with each call as a context (`loop.attending`), so that a
processor has no state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor, nn

from backend.loop.attending import Attend, AttentionContext, KeysValues, LastFrame, Layer, Source, TokenMask
from backend.models.sd15.query_gradient import attention
from shared.errors import ModelError


class SelfAttention:
    """A self-attention processor for one layer; without a context it is diffusers' own."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self._plain = AttnProcessor2_0()

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        context: AttentionContext | None = None,
    ) -> Tensor:
        """Attend; `hidden_states` is (halves x frames, tokens, channels), the first half without the prompt."""
        reads = () if context is None else context.reads(self.layer)
        if context is None or not reads:
            plain: Tensor = self._plain(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
            return plain
        read = LayerSources(attn, hidden_states, context, self.layer)
        if len(reads) == 1 and reads[0].frame_zero_alone:
            return _attended(attn, hidden_states, *read.frame_zero())
        return _output(attn, read.mixture(reads))


@dataclass(frozen=True, slots=True, eq=False)
class LayerSources:
    """The keys and values that a layer reads in one call, computed, kept and looked up as the context says."""

    attn: Any
    hidden: Tensor  # (halves x frames, tokens, channels)
    context: AttentionContext
    layer: Layer

    def frame_zero(self) -> KeysValues:
        """Frame 0's, (halves, heads, tokens, head width); recorded by the step's first call, whose batch begins with
        it, and only read afterwards."""
        memory = self.context.memory
        if self.context.frames[0] == 0 and self.layer not in memory.first:
            if torch.is_grad_enabled():
                raise RuntimeError("frame 0's keys and values are recorded without gradients only")
            memory.first[self.layer] = self._projected(self.hidden[:: len(self.context.frames)])
        return memory.first[self.layer]

    def mixture(self, reads: tuple[Attend, ...]) -> Tensor:
        """What all softmaxes give together, (halves x frames, heads, tokens, head width)."""
        queries = _heads(self.attn, self.attn.to_q(self.hidden), self.attn.norm_q)
        own = self._projected(self.hidden)
        found = {source: self._of(source, own) for attend in reads for source in attend.sources}
        self._remember(own)
        parts = [self._one(attend, queries, [found[source] for source in attend.sources]) for attend in reads]
        return torch.stack(parts).sum(dim=0)

    def _one(self, attend: Attend, queries: Tensor, sources: list[KeysValues]) -> Tensor:
        keys, values = (torch.cat(each, dim=2) for each in zip(*sources, strict=True))
        mask = self._key_mask(attend, [one.shape[2] for one, _ in sources])
        attended = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask) * attend.weight
        if attend.queries is None:
            return attended
        taken = attend.queries(self.context.frames, queries.shape[2]).to(queries.device)
        return attended * self._every_half(taken)[:, None, :, None]

    def _key_mask(self, attend: Attend, tokens: list[int]) -> Tensor | None:
        """(halves x frames, 1, 1, keys) bool; a frame that would see nothing sees everything."""
        if attend.keys is None:
            return None
        frames = self.context.frames
        shown = [
            _mask_of(attend.keys, source, frames, count) for source, count in zip(attend.sources, tokens, strict=True)
        ]
        seen = torch.cat(shown, dim=1).to(self.hidden.device)
        seen = seen | ~seen.any(dim=1, keepdim=True)
        return self._every_half(seen)[:, None, None]

    def _of(self, source: Source, own: KeysValues) -> KeysValues:
        """(halves x frames, heads, tokens, head width) each."""
        match source:
            case Source.OWN:
                return own
            case Source.FIRST:
                return self._for_every_frame(self.frame_zero())
            case Source.BANK:
                return self._for_every_frame(self.context.memory.bank[self.layer])
            case Source.PREVIOUS:
                return self._shifted(own)

    def _shifted(self, own: KeysValues) -> KeysValues:
        """Of each frame the one before it, a constant; its own where that one neither runs here nor ran last."""
        frames, last = self.context.frames, self.context.last.get(self.layer)
        rows = [max(row - 1, 0) if frames[max(row - 1, 0)] == frame - 1 else row for row, frame in enumerate(frames)]
        keys, values = (self._by_half(one)[:, rows] for one in own)
        if last is not None and last.frame == frames[0] - 1:
            keys[:, 0], values[:, 0] = last.keys, last.values
        return keys.flatten(0, 1), values.flatten(0, 1)

    def _remember(self, own: KeysValues) -> None:
        """Keep the last frame's for the next call, where some layer reads the frame before."""
        if any(Source.PREVIOUS in attend.sources for attend in self.context.reads(self.layer)):
            keys, values = (self._by_half(one)[:, -1].clone() for one in own)
            self.context.memory.last[self.layer] = LastFrame(self.context.frames[-1], keys, values)

    def _by_half(self, rows: Tensor) -> Tensor:
        """(halves x frames, ...) -> (halves, frames, ...), a constant."""
        return rows.detach().reshape(self.context.halves, -1, *rows.shape[1:])

    def _projected(self, hidden: Tensor) -> KeysValues:
        attn = self.attn
        return _heads(attn, attn.to_k(hidden), attn.norm_k), _heads(attn, attn.to_v(hidden))

    def _for_every_frame(self, one: KeysValues) -> KeysValues:
        keys, values = (each.repeat_interleave(len(self.context.frames), dim=0) for each in one)
        return keys, values

    def _every_half(self, mask: Tensor) -> Tensor:
        return mask.repeat(self.context.halves, 1)


def _mask_of(mask: TokenMask, source: Source, frames: tuple[int, ...], tokens: int) -> Tensor:
    """Which tokens of the frames that are read through `source` are seen, (frames, tokens)."""
    match source:
        case Source.OWN:
            return mask(frames, tokens)
        case Source.FIRST:
            return mask((0,), tokens).expand(len(frames), -1)
        case Source.PREVIOUS:
            return mask(tuple(max(frame - 1, 0) for frame in frames), tokens)
        case Source.BANK:
            return torch.ones(len(frames), tokens, dtype=torch.bool)


class TextAttention:
    """Attention to the prompts, whose keys and values are computed once where the frames of a half share them.

    Without a context it is diffusers' own.
    """

    def __init__(self) -> None:
        self._plain = AttnProcessor2_0()

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        context: AttentionContext | None = None,
    ) -> Tensor:
        """Attend to `encoder_hidden_states` (halves x frames, tokens, channels), equal for all frames of a half unless
        the context says that they are the frames' own."""
        if context is None or encoder_hidden_states is None or attention_mask is not None or attn.norm_cross:
            plain: Tensor = self._plain(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
            return plain
        frames = encoder_hidden_states.shape[0] // context.halves
        text = encoder_hidden_states[:: 1 if context.own_text else frames]
        keys, values = _heads(attn, attn.to_k(text), attn.norm_k), _heads(attn, attn.to_v(text))
        return _attended(attn, hidden_states, keys, values)


def attend_to_frame_zero(
    queries: Tensor,  # (halves x frames, heads, tokens, head width)
    keys: Tensor,  # (halves, heads, anchor tokens, head width), or of each row of the queries its own
    values: Tensor,  # as the keys
) -> Tensor:
    """softmax(Q K_0^T / sqrt(d)) V_0 for every frame (Text2Video-Zero, section 3.3.2, equation 7).

    The frames of a half share keys and values, so their queries are laid end to end instead of copying keys and
    values for each frame. Returns (halves x frames, heads, tokens, head width).
    """
    halves = keys.shape[0]
    _, heads, tokens, width = queries.shape
    joined = queries.reshape(halves, -1, heads, tokens, width).transpose(1, 2).reshape(halves, heads, -1, width)
    attended = attention(joined, keys, values)
    return attended.reshape(halves, heads, -1, tokens, width).transpose(1, 2).reshape(-1, heads, tokens, width)


def _attended(attn: Any, hidden: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """A layer's output for `hidden` (halves x frames, tokens, channels) with keys and values of each half or row."""
    return _output(attn, attend_to_frame_zero(_heads(attn, attn.to_q(hidden), attn.norm_q), keys, values))


def _output(attn: Any, attended: Tensor) -> Tensor:
    """(batch, heads, tokens, head width) -> the layer's output (batch, tokens, channels)."""
    output: Tensor = attn.to_out[1](attn.to_out[0](attended.transpose(1, 2).flatten(2)))
    return output if attn.rescale_output_factor == 1 else output / attn.rescale_output_factor


def self_attention_layers(model: Any) -> tuple[Layer, ...]:
    """The self-attention layers that `install_attention` has named, in the order in which they run."""
    processors: Mapping[str, Any] = model.attn_processors
    layers = [processor.layer for processor in processors.values() if isinstance(processor, SelfAttention)]
    return tuple(sorted(layers, key=lambda layer: (layer.block, layer.name)))


def install_attention(model: Any, kind: Literal["unet", "controlnet"]) -> None:
    """Give every attention of a UNet or ControlNet a processor that takes the context, in place.

    The model stays usable by diffusers' own pipelines. Raises ModelError for attention of a kind that Stable
    Diffusion's transformer blocks do not have, named by layer.
    """
    names: list[str] = sorted(model.attn_processors, key=_running_order)
    blocks: dict[str, int] = {}
    processors: dict[str, SelfAttention | TextAttention] = {}
    for name in names:
        path = name.removesuffix(".processor")
        block, _, part = path.rpartition(".")
        attn = model.get_submodule(path)
        _check_plain(attn, f"{kind}.{path}")
        if attn.is_cross_attention or part != "attn1":
            processors[name] = TextAttention()
        else:
            processors[name] = SelfAttention(Layer(kind, path, blocks.setdefault(block, len(blocks))))
    if processors:
        model.set_attn_processor(processors)


def _running_order(name: str) -> tuple[int, list[int]]:
    """Sort key: down blocks, the middle, up blocks; inside them by number (10 after 9)."""
    stage = ("down", "mid", "up").index(name.split("_", 1)[0])
    return stage, [int(part) for part in name.split(".") if part.isdigit()]


def _check_plain(attn: Any, name: str) -> None:
    special = [key for key in ("group_norm", "spatial_norm", "add_k_proj") if getattr(attn, key, None) is not None]
    if special or attn.residual_connection:
        raise ModelError(
            "model.attention",
            f"{name} is not a Stable Diffusion transformer block's attention ({', '.join(special) or 'residual'}).",
            "Use a model of the Stable Diffusion 1.5 family.",
        )


def _heads(attn: Any, projected: Tensor, norm: nn.Module | None = None) -> Tensor:
    """(batch, tokens, channels) -> (batch, heads, tokens, head width), normed where the layer has a norm."""
    batch, tokens, _ = projected.shape
    split = projected.reshape(batch, tokens, attn.heads, -1).transpose(1, 2)
    normed: Tensor = split if norm is None else norm(split)
    return normed
