"""Stable Diffusion's original layout, written the slow and obvious way: diffusers' name -> original name, by a table.

The block numbers follow from the original UNet: one flat list of input blocks (the first convolution, then every
resnet of every level, a downsampling between levels), a middle, one flat list of output blocks.
"""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "controlnet_mid_block": "middle_block_out.0",
    "controlnet_cond_embedding.conv_in": "input_hint_block.0",
    "controlnet_cond_embedding.conv_out": "input_hint_block.14",
}
_AUTOENCODER_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def original_weights(part: str, module: Any) -> dict[str, Tensor]:
    """A module's weights as an original-layout file holds them."""
    found = {}
    for name, value in module.state_dict().items():
        original = original_name(part, name, module.config)
        found[original] = (
            value[..., None, None] if re.search(r"mid\.attn_1\.(q|k|v|proj_out)\.weight", original) else value
        )
    return {name: value.contiguous() for name, value in found.items()}


def original_name(part: str, name: str, config: Any) -> str:
    """One weight's name in an original-layout file."""
    if part == "text_encoder":
        return f"cond_stage_model.transformer.text_model.{name}"
    stem, _, kind = name.rpartition(".")  # kind: weight or bias
    if part == "vae":
        return f"first_stage_model.{_autoencoder(stem, len(config.block_out_channels))}.{kind}"
    prefix = {"unet": "model.diffusion_model", "controlnet": "control_model"}[part]
    return f"{prefix}.{_unet(stem, config)}.{kind}"


def _unet(stem: str, config: Any) -> str:
    if stem in _UNET_ENDS:
        return _UNET_ENDS[stem]
    if found := re.fullmatch(r"controlnet_down_blocks\.(\d+)", stem):
        return f"zero_convs.{found[1]}.0"
    if found := re.fullmatch(r"controlnet_cond_embedding\.blocks\.(\d+)", stem):
        return f"input_hint_block.{2 * (int(found[1]) + 1)}"
    per_level = config.layers_per_block + 1
    if found := re.fullmatch(r"down_blocks\.(\d+)\.downsamplers\.0\.conv", stem):
        return f"input_blocks.{(int(found[1]) + 1) * per_level}.0.op"
    if found := re.fullmatch(r"up_blocks\.(\d+)\.upsamplers\.0\.conv", stem):
        level = int(found[1])
        place = 2 if "CrossAttn" in config.up_block_types[level] else 1
        return f"output_blocks.{level * per_level + config.layers_per_block}.{place}.conv"
    found = re.fullmatch(r"(down_blocks|mid_block|up_blocks)(?:\.(\d+))?\.(resnets|attentions)\.(\d+)\.(.+)", stem)
    assert found is not None, stem
    where, level, kind, layer, rest = found[1], int(found[2] or 0), found[3], int(found[4]), found[5]
    rest = _RESNET[rest] if kind == "resnets" else rest
    place = 0 if kind == "resnets" else 1
    if where == "down_blocks":
        return f"input_blocks.{1 + level * per_level + layer}.{place}.{rest}"
    if where == "up_blocks":
        return f"output_blocks.{level * per_level + layer}.{place}.{rest}"
    return f"middle_block.{1 if kind == 'attentions' else 2 * layer}.{rest}"


def _autoencoder(stem: str, levels: int) -> str:
    stem = stem.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    if found := re.fullmatch(r"encoder\.down_blocks\.(\d+)\.resnets\.(\d+)\.(.+)", stem):
        return f"encoder.down.{found[1]}.block.{found[2]}.{found[3]}"
    if found := re.fullmatch(r"encoder\.down_blocks\.(\d+)\.downsamplers\.0\.conv", stem):
        return f"encoder.down.{found[1]}.downsample.conv"
    if found := re.fullmatch(r"decoder\.up_blocks\.(\d+)\.resnets\.(\d+)\.(.+)", stem):
        return f"decoder.up.{levels - 1 - int(found[1])}.block.{found[2]}.{found[3]}"
    if found := re.fullmatch(r"decoder\.up_blocks\.(\d+)\.upsamplers\.0\.conv", stem):
        return f"decoder.up.{levels - 1 - int(found[1])}.upsample.conv"
    if found := re.fullmatch(r"(encoder|decoder)\.mid_block\.resnets\.(\d+)\.(.+)", stem):
        return f"{found[1]}.mid.block_{int(found[2]) + 1}.{found[3]}"
    if found := re.fullmatch(r"(encoder|decoder)\.mid_block\.attentions\.0\.(.+)", stem):
        return f"{found[1]}.mid.attn_1.{_AUTOENCODER_ATTENTION[found[2]]}"
    return stem
