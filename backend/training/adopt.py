"""Training that goes on from a model that is exported already."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from transformers import CLIPTextModel

_PLACES = (
    ("vae", AutoencoderKL, "autoencoder/vae"),
    ("text_encoder", CLIPTextModel, "diffusion/text_encoder"),
    ("unet", UNet2DConditionModel, "diffusion/unet"),
    ("controlnet", ControlNetModel, "diffusion/controlnet"),
)


def adopt_model(model: Path, root: Path) -> None:
    """Lay the networks of an exported model, in float32, where the stages look for theirs; what is there is kept."""
    for name, kind, place in _PLACES:
        if not (root / place).exists():
            kind.from_pretrained(model / name, torch_dtype=torch.float32).save_pretrained(root / place)
