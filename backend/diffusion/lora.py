"""LoRA files, merged into the weights: W + scale x alpha / rank x up @ down (Hu et al., 2021, section 4.1).

Merged once when a model is loaded, a LoRA costs nothing at sampling and every method sees plain layers. Read are
kohya's layout (`lora_unet_down_blocks_0_..._to_q.lora_down.weight`, convolutions included), that of peft
(`unet.down_blocks.0...to_q.lora_A.weight`) and the two that diffusers wrote before it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from backend.diffusion.file_kind import require_kind
from backend.diffusion.model_folder import weight_faults
from backend.diffusion.model_sources import LoraSource
from backend.diffusion.original_layout import TEXT_LEVEL
from backend.diffusion.weight_file import json_object, read_metadata, read_weights
from shared.errors import ModelError
from shared.weight_kind import LORA

_DOWN, _UP, _ALPHA = "down", "up", "alpha"
_ENDINGS = (
    (".lora_down.weight", _DOWN),
    (".lora_up.weight", _UP),
    (".alpha", _ALPHA),
    (".lora_A.weight", _DOWN),
    (".lora_B.weight", _UP),
    (".lora.down.weight", _DOWN),
    (".lora.up.weight", _UP),
    (".lora_linear_layer.down.weight", _DOWN),
    (".lora_linear_layer.up.weight", _UP),
    ("_lora.down.weight", _DOWN),
    ("_lora.up.weight", _UP),
)
_METADATA = "lora_adapter_metadata"
# diffusers' first layout calls the projections of every attention so, those of CLIP too.
_FIRST_NAMES = {"q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v", "out_proj": "to_out"}


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer that a LoRA may change, and its name in peft's metadata."""

    weight: Tensor
    model: str
    name: str


def merge_lora(lora: LoraSource, unet: nn.Module, text_encoder: nn.Module) -> None:
    """Add a LoRA to a model's weights, in float32; with scale 0 they stay as they are, bit for bit.

    Raises ModelError for a file that is no LoRA, and with the list of what in it does not match this model.
    """
    weights = read_weights(lora.path)
    require_kind(lora.path, weights.keys(), LORA)
    scales = _metadata_scales(lora.path)
    merges = list(_matched(lora.path, weights, _layers_by_name(unet, text_encoder)))
    if lora.scale == 0.0:
        return
    for layer, parts in merges:
        rank = parts[_DOWN].shape[0]
        factor = float(parts[_ALPHA]) / rank if _ALPHA in parts else scales.factor(layer)
        change = parts[_UP].flatten(1).float() @ parts[_DOWN].flatten(1).float()
        # A new tensor, not a change in place: a weight may still be the model's file, mapped into memory.
        layer.weight.data = layer.weight.detach() + lora.scale * factor * change.reshape(layer.weight.shape)


def _matched(
    path: Path, weights: Mapping[str, Tensor], layers: Mapping[str, _Layer]
) -> Iterator[tuple[_Layer, dict[str, Tensor]]]:
    """The layers that a file changes, each with its matrices. Raises ModelError with the list of what does not fit."""
    found: dict[str, dict[str, Tensor]] = {}
    unknown: list[str] = []
    for name, value in weights.items():
        stem, role = _split(name)
        if role and stem in layers:
            found.setdefault(stem, {})[role] = value
        else:
            unknown.append(name)
    halves = [stem for stem, parts in found.items() if not (_DOWN in parts and _UP in parts)]
    misshapen = [stem for stem, parts in found.items() if stem not in halves and not _fits(parts, layers[stem].weight)]
    faults = weight_faults([f"the other half of {stem}" for stem in halves], unknown, misshapen)
    if faults:
        raise ModelError(
            "model.lora",
            f"The LoRA {path} does not fit this model: of {len(weights)} weights {faults}.",
            "Use one made for Stable Diffusion 1.5.",
        )
    return ((layers[stem], parts) for stem, parts in found.items())


def _split(name: str) -> tuple[str, str]:
    """A weight's layer and its role, both empty where the name ends like none of a LoRA's."""
    for ending, role in _ENDINGS:
        if name.endswith(ending):
            return name.removesuffix(ending), role
    return "", ""


def _fits(parts: Mapping[str, Tensor], weight: Tensor) -> bool:
    """Whether up @ down has the weight's shape; a convolution's `down` has the kernel, its `up` is 1x1."""
    up, down = parts[_UP], parts[_DOWN]
    return (
        up.ndim >= 2
        and down.ndim >= 2
        and up.numel() > 0
        and down.numel() > 0
        and up.shape[0] == weight.shape[0]
        and up[0].numel() == down.shape[0]
        and down[0].numel() == weight[0].numel()
        and (_ALPHA not in parts or parts[_ALPHA].numel() == 1)
    )


def _layers_by_name(unet: nn.Module, text_encoder: nn.Module) -> dict[str, _Layer]:
    """Every linear and convolution layer of both models, under each name that a file may have for it."""
    found: dict[str, _Layer] = {}
    for name, weight in _weights(unet):
        layer = _Layer(weight, "unet", name)
        first = name.removesuffix(".0")  # to_out.0
        parent, _, last = first.rpartition(".")
        for alias in (
            f"lora_unet_{name.replace('.', '_')}",
            f"unet.{name}",
            name,
            f"unet.{parent}.processor.{last}",
            f"{parent}.processor.{last}",
        ):
            found[alias] = layer
    for name, weight in _weights(text_encoder):
        level = name if name.startswith(TEXT_LEVEL) else TEXT_LEVEL + name
        layer = _Layer(weight, "text_encoder", level)
        parent, _, last = level.rpartition(".")
        for alias in (
            f"lora_te_{level.replace('.', '_')}",
            f"text_encoder.{level}",
            f"text_encoder.{name}",
            f"text_encoder.{parent}.{_FIRST_NAMES.get(last, last)}",
        ):
            found[alias] = layer
    return found


def _weights(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for name, child in module.named_modules():
        if isinstance(child, nn.Linear | nn.Conv2d):
            yield name, child.weight


@dataclass(frozen=True, slots=True)
class _Scales:
    """What peft's metadata says of alpha and rank; a file without any means alpha = rank."""

    values: Mapping[str, Any]

    def factor(self, layer: _Layer) -> float:
        """alpha / rank of a layer (alpha / sqrt(rank) where the file says that it is rank-stabilised)."""
        rank = self._of(layer, "r", "rank_pattern")
        alpha = self._of(layer, "lora_alpha", "alpha_pattern")
        if rank is None or alpha is None:
            return 1.0
        return alpha / (math.sqrt(rank) if self.values.get(f"{layer.model}.use_rslora") else rank)

    def _of(self, layer: _Layer, key: str, patterns: str) -> float | None:
        """peft's rule: the first pattern that the layer's name ends with, else the value for all."""
        value: Any = self.values.get(f"{layer.model}.{key}")
        named = self.values.get(f"{layer.model}.{patterns}")
        for pattern, special in (named if isinstance(named, dict) else {}).items():
            if re.fullmatch(rf"(.*\.)?{re.escape(pattern.lstrip('^'))}", layer.name):
                value = special
                break
        return float(value) if isinstance(value, int | float) and value > 0 else None


def _metadata_scales(path: Path) -> _Scales:
    text = read_metadata(path).get(_METADATA)
    if text is None:
        return _Scales({})
    values = json_object(text)
    if values is None:
        raise ModelError("model.lora", f"{path} says nothing readable of its scale ({_METADATA}).", "Save it again.")
    return _Scales(values)
