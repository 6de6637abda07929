"""Names of weights in Stable Diffusion's original layout, by the names that diffusers' modules have.

The renaming is diffusers' own: its converters only move values from one name to another, so they are run on numbers
instead of weights, and the numbers tell which name became which. What a file lacks or has too much is then known by
name before any weight is touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

import torch
from diffusers.loaders.single_file_utils import (
    convert_controlnet_checkpoint,
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
)
from torch import Tensor

from shared.models.sd15 import CONTROLNET, TEXT_ENCODER, UNET, VAE
from shared.models.spec import Part

# transformers dropped the level that the files have.
TEXT_LEVEL = "text_model."

_Converter = Callable[[dict[str, Tensor], Mapping[str, Any]], Mapping[str, Tensor | None]]
# Early diffusers files name the autoencoder's attention otherwise; it was renamed in place since.
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_NO_INDEX = -1
_BLOCK = re.compile(r"(input_blocks|middle_block|output_blocks)\.(\d+)\.")


def prefix_of(part: Part) -> str:
    """What the names of a part's weights begin with in a checkpoint; empty for a part that lies in none."""
    return part.weights.prefix if part.weights else ""


def unet_names(names: Collection[str], config: Mapping[str, Any]) -> dict[str, str]:
    """Diffusers' name -> original name of each of a checkpoint's UNet weights."""
    return _renamed(names, prefix_of(UNET), lambda probe, sizes: convert_ldm_unet_checkpoint(probe, sizes), config)


def controlnet_names(names: Collection[str], config: Mapping[str, Any]) -> dict[str, str]:
    """Diffusers' name -> name in the file, of a ControlNet in any of its layouts (v1.0, v1.1, bare, diffusers')."""
    return _renamed(
        names, _prefix_in(names, CONTROLNET), lambda probe, sizes: convert_controlnet_checkpoint(probe, sizes), config
    )


def autoencoder_names(names: Collection[str], config: Mapping[str, Any]) -> dict[str, str]:
    """Diffusers' name -> name in the file, of an autoencoder's weights: in a checkpoint, by itself, or diffusers'."""
    if any(name.startswith("encoder.down_blocks.") for name in names):
        return {_new_attention_name(name): name for name in names}
    return _renamed(
        names, _prefix_in(names, VAE), lambda probe, sizes: convert_ldm_vae_checkpoint(probe, sizes), config
    )


def text_encoder_names(names: Collection[str], config: Mapping[str, Any]) -> dict[str, str]:
    """transformers' name -> original name of each of a checkpoint's CLIP weights."""
    found = _renamed(names, prefix_of(TEXT_ENCODER), lambda probe, _: convert_ldm_clip_checkpoint(probe), config)
    return {new.removeprefix(TEXT_LEVEL): old for new, old in found.items()}


Names = Callable[[Collection[str], Mapping[str, Any]], dict[str, str]]
NAMES: Mapping[str, Names] = MappingProxyType(
    {
        TEXT_ENCODER.name: text_encoder_names,
        VAE.name: autoencoder_names,
        UNET.name: unet_names,
        CONTROLNET.name: controlnet_names,
    }
)
"""How the weights of each part are renamed, by the part's name."""


def _prefix_in(names: Collection[str], part: Part) -> str:
    """The part's prefix where a file uses it."""
    prefix = prefix_of(part)
    return prefix if any(name.startswith(prefix) for name in names) else ""


def _renamed(names: Collection[str], prefix: str, convert: _Converter, config: Mapping[str, Any]) -> dict[str, str]:
    """New name -> old name under `prefix`, as `convert` moves them; names that it drops are absent."""
    own = [name for name in names if name.startswith(prefix)]
    # The converters slice what has more dimensions than a vector; a vector of one passes through them as it is.
    probe = {name: torch.tensor([float(index)]) for index, name in enumerate(own)}
    probe.update(dict.fromkeys(_block_stand_ins(own, prefix), torch.tensor([float(_NO_INDEX)])))
    while True:
        try:
            moved = convert(dict(probe), config)
        except KeyError as error:
            # A converter takes some weights for granted; a stand-in lets it go on to the end.
            absent = prefix + str(error.args[0])
            if absent in probe:
                raise
            probe[absent] = torch.tensor([float(_NO_INDEX)])
            continue
        numbers = {new: int(value.item()) for new, value in moved.items() if value is not None}
        return {new: own[number] for new, number in numbers.items() if number != _NO_INDEX}


def _block_stand_ins(own: list[str], prefix: str) -> list[str]:
    """A made-up weight in every block up to the last: the converters count blocks, and would shift where one lacks."""
    last: dict[str, int] = {}
    for name in own:
        if found := _BLOCK.match(name.removeprefix(prefix)):
            last[found[1]] = max(last.get(found[1], 0), int(found[2]))
    return [f"{prefix}{blocks}.{index}.0.none" for blocks, most in last.items() for index in range(most + 1)]


def _new_attention_name(name: str) -> str:
    """An autoencoder's weight by the name that it has today."""
    parts = name.split(".")
    if "attentions" in parts and parts[-2] in _OLD_ATTENTION:
        parts[-2] = _OLD_ATTENTION[parts[-2]]
    return ".".join(parts)
