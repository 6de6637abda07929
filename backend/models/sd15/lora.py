"""LoRA files and their relatives, merged into the weights when a model is loaded.

Merged once, a LoRA costs nothing at sampling and every method sees plain layers. Read are kohya's layout
(`lora_unet_down_blocks_0_..._to_q.lora_down.weight`), that of peft (`unet.down_blocks.0...to_q.lora_A.weight`), the two
that diffusers wrote before it, and LyCORIS' forms in kohya's layout; `layer_change` has the arithmetic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

import backend.models.sd15.layer_change as change
from backend.models.sd15.files.folder import weight_faults
from backend.models.sd15.files.original_layout import TEXT_LEVEL
from backend.models.sd15.files.weight_file import (
    json_object,
    read_metadata,
    read_weights,
    require_finite,
    require_kind,
)
from backend.models.sd15.layer_change import LayerChange
from backend.models.sd15.textual_inversion import Embedding, split_bundle
from backend.models.sources import LoraSource
from shared.errors import ModelError
from shared.models.sd15 import LORA
from shared.models.table import FAMILY_OF_PROMPT_WIDTH

# How a weight's name ends, and what that weight is for its layer.
_ENDINGS = (
    (".lora_down.weight", change.DOWN),
    (".lora_up.weight", change.UP),
    (".lora_mid.weight", change.CORE),
    (".alpha", change.ALPHA),
    (".lora_A.weight", change.DOWN),
    (".lora_B.weight", change.UP),
    (".lora_A.default.weight", change.DOWN),
    (".lora_B.default.weight", change.UP),
    (".lora.down.weight", change.DOWN),
    (".lora.up.weight", change.UP),
    (".lora_linear_layer.down.weight", change.DOWN),
    (".lora_linear_layer.up.weight", change.UP),
    ("_lora.down.weight", change.DOWN),
    ("_lora.up.weight", change.UP),
    (".hada_w1_a", change.LEFT_A),
    (".hada_w1_b", change.LEFT_B),
    (".hada_w2_a", change.RIGHT_A),
    (".hada_w2_b", change.RIGHT_B),
    (".hada_t1", change.LEFT_CORE),
    (".hada_t2", change.RIGHT_CORE),
    (".lokr_w1", change.OUTER),
    (".lokr_w1_a", change.OUTER_A),
    (".lokr_w1_b", change.OUTER_B),
    (".lokr_w2", change.INNER),
    (".lokr_w2_a", change.INNER_A),
    (".lokr_w2_b", change.INNER_B),
    (".lokr_t2", change.INNER_CORE),
    (".diff", change.DIFFERENCE),
    (".diff_b", change.BIAS_DIFFERENCE),
    (".w_norm", change.DIFFERENCE),
    (".b_norm", change.BIAS_DIFFERENCE),
    (".dora_scale", change.MAGNITUDE),
    (".lora_magnitude_vector", change.ROW_MAGNITUDE),
    (".lora_magnitude_vector.weight", change.ROW_MAGNITUDE),
)
_METADATA = "lora_adapter_metadata"
# diffusers' first layout calls the projections of every attention so, those of CLIP too.
_FIRST_NAMES = {"q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v", "out_proj": "to_out"}
_CHANGED = nn.Linear | nn.Conv2d | nn.Embedding | nn.GroupNorm | nn.LayerNorm
_READS_PROMPT = re.compile(r"attn2\.to_[kv]$")  # such a layer's inputs are as wide as the text encoder's outputs


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer that a LoRA may change, and its name in peft's metadata."""

    module: nn.Module
    model: str
    name: str

    @property
    def weight(self) -> Tensor:
        """Its weight, out of the graph."""
        return self.module.get_parameter("weight").detach()

    @property
    def bias(self) -> Tensor | None:
        """Its bias, where it has one."""
        bias: Tensor | None = getattr(self.module, "bias", None)
        return None if bias is None else bias.detach()


def merge_lora(lora: LoraSource, unet: nn.Module, text_encoder: nn.Module) -> tuple[Embedding, ...]:
    """Add a LoRA to a model's weights, in float32; with scale 0 they stay as they are, bit for bit.

    Returns the textual inversion embeddings that are bundled in the file; none with scale 0.
    Raises ModelError for a file that is no LoRA, and with the list of what in it does not match this model.
    """
    weights = read_weights(lora.path)
    require_kind(lora.path, weights.keys(), LORA)
    require_finite(lora.path, weights)
    bundled, own = split_bundle(lora.path, weights)
    scales = _metadata_scales(lora.path)
    merges = _matched(lora.path, own, _layers_by_name(unet, text_encoder))
    if lora.scale == 0.0:
        return ()
    for layer, made in merges:
        # New tensors, not a change in place: a weight may still be the model's file, mapped into memory.
        layer.module.weight.data = made.weight(layer.weight, lora.scale, scales.factor(layer))
        if layer.bias is not None and change.BIAS_DIFFERENCE in made.parts:
            layer.module.bias.data = made.bias(layer.bias, lora.scale)
    return bundled


def _matched(
    path: Path, weights: Mapping[str, Tensor], layers: Mapping[str, _Layer]
) -> list[tuple[_Layer, LayerChange]]:
    """The layers that a file changes, and how. Raises ModelError with the list of what does not fit."""
    found: dict[str, dict[str, Tensor]] = {}
    unknown: list[str] = []
    for name, value in weights.items():
        stem, role = _split(name)
        if role and stem in layers:
            found.setdefault(stem, {})[role] = value
        else:
            unknown.append(name)
    # An alpha alone changes nothing: some trainers write it for layers that they leave out.
    changes = {stem: LayerChange.of(parts) for stem, parts in found.items() if parts.keys() != {change.ALPHA}}
    fitting = [(layers[stem], made) for stem, made in changes.items() if made is not None]
    incomplete = [f"the other half of {stem}" for stem, made in changes.items() if made is None]
    misshapen = [
        stem for stem, made in changes.items() if made and not made.fits(layers[stem].weight, layers[stem].bias)
    ]
    faults = weight_faults(incomplete, unknown, misshapen)
    if faults:
        raise _misfit(
            path, f"of {len(weights)} weights {faults}", _other_width([(found[s], layers[s]) for s in misshapen])
        )
    return fitting


def _other_width(misshapen: list[tuple[Mapping[str, Tensor], _Layer]]) -> str:
    """What the widths of prompts tell where they are not the model's; empty where they tell nothing."""
    for parts, layer in misshapen:
        if change.DOWN in parts and parts[change.DOWN].ndim == 2 and _READS_PROMPT.search(layer.name):
            width, own = parts[change.DOWN].shape[1], layer.weight.shape[1]
            if width != own:
                family = FAMILY_OF_PROMPT_WIDTH.get(width, "another model")
                return f"it is made for {family}, whose prompts are {width} wide; this model's are {own}"
    return ""


def _misfit(path: Path, faults: str, reason: str) -> ModelError:
    return ModelError(
        "model.lora",
        f"The LoRA {path} does not fit this model: {reason or faults}.",
        "Use one made for this model." if reason else "Use a LoRA without these weights, or one made for this model.",
    )


def _split(name: str) -> tuple[str, str]:
    """A weight's layer and its role, both empty where the name ends like none of a LoRA's."""
    for ending, role in _ENDINGS:
        if name.endswith(ending):
            return name.removesuffix(ending), role
    return "", ""


def _layers_by_name(unet: nn.Module, text_encoder: nn.Module) -> dict[str, _Layer]:
    """Every layer of both models that a file may change, under each name that a file may have for it."""
    found: dict[str, _Layer] = {}
    for name, module in _changeable(unet):
        layer = _Layer(module, "unet", name)
        first = name.removesuffix(".0")  # to_out.0
        parent, _, last = first.rpartition(".")
        for alias in (
            f"lora_unet_{name.replace('.', '_')}",
            f"unet.{name}",
            name,
            f"base_model.model.{name}",
            f"unet.{parent}.processor.{last}",
            f"{parent}.processor.{last}",
        ):
            found[alias] = layer
    for name, module in _changeable(text_encoder):
        level = name if name.startswith(TEXT_LEVEL) else TEXT_LEVEL + name
        layer = _Layer(module, "text_encoder", level)
        parent, _, last = level.rpartition(".")
        for alias in (
            f"lora_te_{level.replace('.', '_')}",
            f"lora_te1_{level.replace('.', '_')}",
            f"text_encoder.{level}",
            f"text_encoder.{name}",
            f"base_model.model.{level}",
            f"text_encoder.{parent}.{_FIRST_NAMES.get(last, last)}",
        ):
            found[alias] = layer
    return found


def _changeable(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, module in model.named_modules():
        if isinstance(module, _CHANGED) and isinstance(module.weight, Tensor):
            yield name, module


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
        raise ModelError("model.lora", f"The scale in {path} cannot be read ({_METADATA}).", "Save it again.")
    return _Scales(values)
