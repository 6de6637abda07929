"""A method's temporal layers, run behind the UNet's transformer blocks while a context lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn

from backend.loop.model import TemporalLayers
from backend.models.sd15.modules import UNet


@contextmanager
def temporal_layers(unet: UNet, layers: TemporalLayers | None, halves: int) -> Iterator[None]:
    """Inside, `layers.after` follows each spatial transformer of the UNet; nothing changes without layers."""
    with ExitStack() as scope:
        for name, block in unet.named_modules():
            if layers is not None and isinstance(block, Transformer2DModel):
                scope.callback(_follow(block, layers, name, halves).remove)
        yield


def _follow(block: nn.Module, layers: TemporalLayers, name: str, halves: int) -> Any:
    def hook(_module: nn.Module, _inputs: Any, output: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        hidden = output[0]
        return (layers.after(name, hidden, hidden.shape[0] // halves), *output[1:])

    return block.register_forward_hook(hook)
