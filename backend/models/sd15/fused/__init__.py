"""Layers of diffusers' models exchanged for ones that do the same with less around it, mostly fewer passes over memory.

`fuse` changes a model's layers in place, `plain_layers` gives diffusers' own back for a while. Weights keep their
names; results and gradients are equal up to rounding. They are quicker on CPUs; no GPU has been measured.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Protocol

from diffusers.models.activations import GEGLU
from diffusers.models.attention_processor import Attention
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.upsampling import Upsample2D
from torch import nn

from backend.models.sd15.fused.attention import FusedAttention
from backend.models.sd15.fused.linear import FusedGEGLU, FusedLinear
from backend.models.sd15.fused.norm import FusedGroupNorm
from backend.models.sd15.fused.residual_block import FusedResnetBlock
from backend.models.sd15.fused.transformer import FusedTransformer
from backend.models.sd15.fused.upsampling import FusedUpsample

# A fused layer is a subclass with the same attributes. It may have `fits`, which layers of the plain class it can
# stand for, and `prepare`, what such a layer needs beforehand.
FUSED: Mapping[type[nn.Module], Any] = MappingProxyType(
    {
        Attention: FusedAttention,
        GEGLU: FusedGEGLU,
        nn.GroupNorm: FusedGroupNorm,
        nn.Linear: FusedLinear,
        ResnetBlock2D: FusedResnetBlock,
        Transformer2DModel: FusedTransformer,
        Upsample2D: FusedUpsample,
    }
)
_PLAIN: Mapping[type[nn.Module], Any] = MappingProxyType({fused: plain for plain, fused in FUSED.items()})


class HasModules(Protocol):
    """A module, or what is used as one."""

    def modules(self) -> Iterator[nn.Module]: ...


def fuse(model: HasModules, kinds: Collection[type[nn.Module]] = tuple(FUSED)) -> int:
    """Exchange the layers of these plain classes, in place, before the model is moved; returns how many."""
    found = [module for module in model.modules() if type(module) in kinds and _fits(module)]
    for module in found:
        fused = FUSED[type(module)]
        if hasattr(fused, "prepare"):
            fused.prepare(module)
        module.__class__ = fused
    return len(found)


@contextmanager
def plain_layers(*models: HasModules) -> Iterator[None]:
    """Inside, the models' layers are diffusers' own."""
    found = [(module, type(module)) for model in models for module in model.modules() if type(module) in _PLAIN]
    for module, fused in found:
        module.__class__ = _PLAIN[fused]
    try:
        yield
    finally:
        for module, fused in found:
            module.__class__ = fused


def _fits(module: nn.Module) -> bool:
    fused = FUSED[type(module)]
    return not hasattr(fused, "fits") or fused.fits(module)
