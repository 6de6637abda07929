"""Cross-frame attention: self-attention whose keys and values come from the shot's frame 0, and the prompt's.

Which layers do so, and frame 0's keys and values of this step, travel with each call as a read-only context, so that
a processor has no state: any micro-batch, any order and gradient checkpointing's second run give the same result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import torch
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor, nn

from backend.loop.method import Layer
from backend.models.sd15.query_gradient import attention
from shared.errors import ModelError

KeysValues = tuple[Tensor, Tensor]
"""Keys and values of frame 0 in one layer: each (halves, heads, tokens, head width), without a graph."""


class AttentionContext(Protocol):
    """Read by every self-attention of one model call; the batch holds `halves` blocks of frames."""

    @property
    def halves(self) -> int: ...

    @property
    def own_text(self) -> bool: ...

    def with_own_text(self) -> AttentionContext:
        """The same for a batch whose frames have prompts of their own."""
        ...

    def reads(self, layer: Layer) -> bool:
        """Whether the layer uses frame 0's keys and values."""
        ...

    def anchor(self, layer: Layer, attn: Attention, hidden: Tensor) -> KeysValues:
        """Frame 0's keys and values; `hidden` is (halves x frames, tokens, channels)."""
        ...


@dataclass(frozen=True, slots=True)
class AnchorReader:
    """The context of a call whose batch does not hold frame 0: its keys and values are read from `cache`."""

    halves: int
    cache: Mapping[Layer, KeysValues]
    own_text: bool = False

    def reads(self, layer: Layer) -> bool:
        """Whether the layer's keys and values were recorded."""
        return layer in self.cache

    def anchor(self, layer: Layer, attn: Attention, hidden: Tensor) -> KeysValues:
        """The recorded keys and values."""
        return self.cache[layer]

    def with_own_text(self) -> AnchorReader:
        """The same for a batch whose frames have prompts of their own."""
        return replace(self, own_text=True)


@dataclass(frozen=True, slots=True)
class AnchorRecorder:
    """The context of a step's first call, whose batch starts with frame 0: keys and values go to `cache`.

    Runs without gradients, once a step; afterwards `cache` is only read.
    """

    halves: int
    layers: frozenset[Layer]
    cache: dict[Layer, KeysValues]
    own_text: bool = False

    def reads(self, layer: Layer) -> bool:
        """Whether the layer is to be recorded."""
        return layer in self.layers

    def anchor(self, layer: Layer, attn: Attention, hidden: Tensor) -> KeysValues:
        """Compute, keep and give frame 0's keys and values."""
        if torch.is_grad_enabled():
            raise RuntimeError("frame 0's keys and values are recorded without gradients only")
        first = hidden[:: hidden.shape[0] // self.halves]  # (halves, tokens, channels)
        recorded = _heads(attn, attn.to_k(first), attn.norm_k), _heads(attn, attn.to_v(first))
        self.cache[layer] = recorded
        return recorded

    def with_own_text(self) -> AnchorRecorder:
        """The same, into the same cache, for a batch whose frames have prompts of their own."""
        return replace(self, own_text=True)


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
        if context is None or not context.reads(self.layer):
            plain: Tensor = self._plain(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
            return plain
        keys, values = context.anchor(self.layer, attn, hidden_states)
        return _attended(attn, hidden_states, keys, values)


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


def attend_to_anchor(
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
    attended = attend_to_anchor(_heads(attn, attn.to_q(hidden), attn.norm_q), keys, values)
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
