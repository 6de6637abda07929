"""Parts of a model from one file of weights, in the original Stable Diffusion 1.5 layout or in diffusers'."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from backend.models.sd15.files.folder import read_config, weight_faults
from backend.models.sd15.files.original_layout import (
    AUTOENCODER_PREFIX,
    CONTROLNET_PREFIX,
    TEXT_PREFIX,
    UNET_PREFIX,
    autoencoder_names,
    controlnet_names,
    text_encoder_names,
    unet_names,
)
from backend.models.sd15.files.weight_file import first_line
from shared.models.weight_decoration import is_decoration

_BUILT_IN = Path(__file__).parent
_CONFIG_ERRORS = (ValueError, KeyError, TypeError, RuntimeError, AttributeError, IndexError)


@dataclass(frozen=True, slots=True)
class _Part:
    """How one part of a model is built, and which names its weights have in a file."""

    build: Callable[[Mapping[str, Any]], nn.Module]
    names: Callable[[Collection[str], Mapping[str, Any]], dict[str, str]]
    prefix: str  # of the part's weights in a whole checkpoint, where it lies in one


_PARTS: dict[str, _Part] = {
    "unet": _Part(lambda config: UNet2DConditionModel.from_config(config), unet_names, UNET_PREFIX),
    "vae": _Part(lambda config: AutoencoderKL.from_config(config), autoencoder_names, AUTOENCODER_PREFIX),
    "text_encoder": _Part(lambda config: CLIPTextModel(CLIPTextConfig(**config)), text_encoder_names, TEXT_PREFIX),
    "controlnet": _Part(lambda config: ControlNetModel.from_config(config), controlnet_names, CONTROLNET_PREFIX),
}


def built_in_config(name: str) -> dict[str, Any]:
    """Stable Diffusion 1.5's own values of `unet`, `vae`, `text_encoder` or `scheduler`."""
    values = read_config(_BUILT_IN / f"sd15_{name}.json")
    assert values is not None, name
    return values


def part_config(name: str, path: Path, problems: list[str]) -> dict[str, Any]:
    """A part's values from `path` where there is a file, else Stable Diffusion 1.5's own."""
    if not path.is_file():
        return built_in_config(name)
    values = read_config(path)
    if values is None:
        problems.append(f"{name}: {path} is not a JSON object")
        return built_in_config(name)
    return values


def empty_part(name: str, config: Mapping[str, Any], problems: list[str]) -> Any:
    """A part of these sizes without any memory for its weights; None and a line in `problems` where none can be."""
    try:
        with init_empty_weights(include_buffers=False):
            return _PARTS[name].build(config)
    except _CONFIG_ERRORS as error:
        problems.append(f"{name}: its config.json cannot be used ({first_line(error)})")
        return None


def empty_controlnet(unet: Any) -> Any:
    """The ControlNet that belongs to a UNet, empty: its encoder's sizes, depth embedded as Stable Diffusion's are."""
    with init_empty_weights(include_buffers=False):
        return ControlNetModel.from_unet(unet, load_weights_from_unet=False)


def fill_part(name: str, module: Any, weights: Mapping[str, Tensor], problems: list[str]) -> None:
    """Give an empty part its weights out of a file, in float32; what does not match goes to `problems` by name.

    A weight that the part lacks is called by its name in the file, one that the file lacks by diffusers' name.
    """
    part = _PARTS[name]
    others = tuple(other.prefix for other in _PARTS.values() if other is not part)
    if not any(key.startswith(part.prefix) for key in weights) and any(key.startswith(others) for key in weights):
        problems.append(f"{name}: the file has none, only other parts of a model")
        return
    try:
        found = part.names(weights.keys(), module.config if name != "text_encoder" else {})
    except _CONFIG_ERRORS as error:
        problems.append(f"{name}: its weights cannot be told apart as config.json has it ({first_line(error)})")
        return
    wanted = {key: value.shape for key, value in module.state_dict().items()}
    ready = {new: _as_wanted(weights[old], wanted[new]) for new, old in found.items() if new in wanted}
    used = {found[new] for new in ready}
    misshapen = [
        f"{found[new]} {list(weights[found[new]].shape)} for {list(wanted[new])}"
        for new, value in ready.items()
        if value.shape != wanted[new]
    ]
    unused = [old for old in _own_names(part, weights.keys()) if old not in used]
    unknown = [old for old in unused if not is_decoration(name, old.removeprefix(part.prefix))]
    faults = weight_faults(wanted.keys() - ready.keys(), unknown, misshapen)
    if faults:
        problems.append(f"{name}: {faults}")
        return
    # Copies: the file may be mapped into memory, and replaced while the model is in use.
    full = {key: value.to(torch.float32, copy=True).contiguous() for key, value in ready.items()}
    module.load_state_dict(full, strict=True, assign=True)


def _own_names(part: _Part, names: Collection[str]) -> list[str]:
    """The names of a file that belong to a part: those under its prefix, or all where nothing has it."""
    return [name for name in names if name.startswith(part.prefix)] or list(names)


def _as_wanted(value: Tensor, shape: torch.Size) -> Tensor:
    """The value; one that was a 1x1 convolution where it is a matrix today loses those sides."""
    while value.ndim > len(shape) and value.shape[-1] == 1:
        value = value[..., 0]
    return value
