"""Training that goes on from a model that is exported already."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.transformers.transformer_2d import Transformer2DModel

from backend.make.training.models import Sizes, build_unet
from backend.models.sd15.files.classes import class_of
from shared.errors import InputError
from shared.models.sd15 import CONTROLNET, TEXT_ENCODER, UNET, VAE

# The networks that are taken as they are, and the stage in whose folder each lies.
_STAGES = ((VAE, "autoencoder"), (TEXT_ENCODER, "diffusion"), (CONTROLNET, "diffusion"))
_UNET = f"diffusion/{UNET.name}"


def adopt_model(model: Path, root: Path, sizes: Sizes) -> None:
    """Lay the networks of an exported model, in float32, where the stages look for theirs; what is there is kept.

    Raises InputError where its UNet has another shape than `sizes` says.
    """
    for part, stage in _STAGES:
        place = root / stage / part.name
        if not place.exists():
            class_of(part).from_pretrained(model / part.name, torch_dtype=torch.float32).save_pretrained(place)
    if not (root / _UNET).exists():
        theirs = UNet2DConditionModel.from_pretrained(model / UNET.name, torch_dtype=torch.float32)
        widened_unet(theirs, sizes).save_pretrained(root / _UNET)


@torch.no_grad()
def widened_unet(theirs: UNet2DConditionModel, sizes: Sizes) -> UNet2DConditionModel:
    """The UNet of today with their weights; attention that theirs lacks changes nothing until it is trained.

    Raises InputError where anything else differs.
    """
    unet = build_unet(sizes)
    added = {name for name, module in unet.named_modules() if isinstance(module, Transformer2DModel)}
    added -= {name for name, _ in theirs.named_modules()}
    for name in added:
        unet.get_submodule(name).proj_out.weight.zero_()
        unet.get_submodule(name).proj_out.bias.zero_()
    mine, given = unet.state_dict(), theirs.state_dict()
    kept = {key for key in mine if not any(key.startswith(f"{name}.") for name in added)}
    wrong = sorted(kept ^ given.keys() | {key for key in kept & given.keys() if mine[key].shape != given[key].shape})
    if wrong:
        raise InputError(
            "training.shape",
            f"{len(wrong)} weights of the UNet to start from do not fit the one to train, for example {wrong[0]}.",
            "Start from a model exported by this version of `latentman train`.",
        )
    unet.load_state_dict(mine | given)
    return unet
