"""The classes that load the family's parts, by the names that its declaration has for them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from accelerate import init_empty_weights
from diffusers import AutoencoderKL, AutoencoderTiny, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer, PreTrainedModel

from shared.models.spec import Part

CLASSES: Mapping[str, type[Any]] = MappingProxyType(
    {
        "CLIPTokenizer": CLIPTokenizer,
        "CLIPTextModel": CLIPTextModel,
        "AutoencoderKL": AutoencoderKL,
        "UNet2DConditionModel": UNet2DConditionModel,
        "DDIMScheduler": DDIMScheduler,
        "ControlNetModel": ControlNetModel,
        "AutoencoderTiny": AutoencoderTiny,
    }
)


def class_of(part: Part) -> type[Any]:
    """The class that loads a part."""
    return CLASSES[part.classes[0]]


def build_empty(part: Part, config: Mapping[str, Any]) -> Any:
    """A part of these sizes without any memory for its weights. Raises what the class does on sizes that cannot be."""
    loader = class_of(part)
    with init_empty_weights(include_buffers=False):
        if issubclass(loader, PreTrainedModel):
            return loader(loader.config_class(**config))
        return loader.from_config(config)


def build_empty_like(part: Part, other: Any) -> Any:
    """A part without any memory for its weights, of the sizes of the part that it belongs to: a UNet's ControlNet, its
    depth embedded as Stable Diffusion's are."""
    with init_empty_weights(include_buffers=False):
        return class_of(part).from_unet(other, load_weights_from_unet=False)
