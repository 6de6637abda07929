"""The attributes of diffusers' and transformers' modules that this family uses, for they come without types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor, nn

Configuration = Any
"""A module's configuration: diffusers makes its attributes from the file that it read."""


class Network(Protocol):
    """A module with a configuration."""

    config: Configuration

    @property
    def is_gradient_checkpointing(self) -> bool: ...

    def named_modules(self) -> Iterator[tuple[str, nn.Module]]: ...

    def modules(self) -> Iterator[nn.Module]: ...

    def parameters(self) -> Iterator[nn.Parameter]: ...

    def state_dict(self) -> dict[str, Tensor]: ...

    def enable_gradient_checkpointing(self) -> None: ...

    def disable_gradient_checkpointing(self) -> None: ...


class AttentionNetwork(Network, Protocol):
    """A network whose attention processors can be named and exchanged."""

    @property
    def attn_processors(self) -> Mapping[str, Any]: ...

    def set_attn_processor(self, processor: Any) -> None: ...

    def get_submodule(self, target: str) -> Any: ...


class UNet(AttentionNetwork, Protocol):
    """diffusers' UNet2DConditionModel."""

    def __call__(
        self,
        sample: Tensor,
        timestep: int,
        *,
        encoder_hidden_states: Tensor,
        cross_attention_kwargs: Mapping[str, Any],
        down_block_additional_residuals: Sequence[Tensor],
        mid_block_additional_residual: Tensor,
        return_dict: bool,
    ) -> tuple[Tensor, ...]: ...


class ControlNet(AttentionNetwork, Protocol):
    """diffusers' ControlNetModel."""

    controlnet_cond_embedding: nn.Module

    def __call__(
        self,
        sample: Tensor,
        timestep: int,
        *,
        encoder_hidden_states: Tensor,
        controlnet_cond: Tensor,
        conditioning_scale: float,
        cross_attention_kwargs: Mapping[str, Any],
        return_dict: bool,
    ) -> tuple[Sequence[Tensor], Tensor]: ...


class Decoded(Protocol):
    """What an autoencoder's `decode` gives."""

    sample: Tensor


class Autoencoder(Network, Protocol):
    """diffusers' AutoencoderKL."""

    decoder: Any  # `crop_decode` checks its kind before it reads its blocks
    post_quant_conv: nn.Module | None

    def decode(self, z: Tensor) -> Decoded: ...

    def encode(self, x: Tensor) -> Any: ...


class TinyAutoencoder(Protocol):
    """diffusers' AutoencoderTiny."""

    config: Configuration
    decoder: Any

    def decode(self, x: Tensor) -> Decoded: ...


class TextEncoder(Protocol):
    """transformers' CLIPTextModel."""

    config: Configuration

    def get_input_embeddings(self) -> Any: ...

    def __call__(self, input_ids: Tensor, *, attention_mask: Tensor | None = None) -> Sequence[Tensor]: ...


class Tokenizer(Protocol):
    """transformers' CLIP tokenizer."""

    model_max_length: int
    bos_token_id: int
    eos_token_id: int
    pad_token_id: int

    def __len__(self) -> int: ...

    def get_vocab(self) -> dict[str, int]: ...

    def get_added_vocab(self) -> dict[str, int]: ...

    def __call__(
        self, text: str, *, truncation: bool = ..., verbose: bool = ..., return_offsets_mapping: bool = ...
    ) -> Any: ...
