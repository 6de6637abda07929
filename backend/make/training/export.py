"""The trained networks as a folder in diffusers' layout, in half precision."""

from __future__ import annotations

import filecmp
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ControlNetModel, StableDiffusionControlNetPipeline, UNet2DConditionModel
from transformers import CLIPTextModel

from backend.make.training.models import build_sampling_scheduler
from backend.make.training.prompts import all_words
from backend.make.training.vocabulary import build_tokenizer
from backend.models.sources import EMBEDDED_FOLDER
from backend.motion.embedded.model import EMBEDDED_FOLDER as EMBEDDED_MOTION
from shared.models.sd15 import CONTROLNET, TEXT_ENCODER, TINY_VAE, UNET, VAE


def export_model(vae_folder: Path, diffusion_folder: Path, target: Path = EMBEDDED_FOLDER) -> None:
    """Write the pipeline beside `target`, then put it in its place."""
    half = {"dtype": torch.float16}
    pipeline = StableDiffusionControlNetPipeline(
        vae=AutoencoderKL.from_pretrained(vae_folder, **half),
        text_encoder=CLIPTextModel.from_pretrained(diffusion_folder / TEXT_ENCODER.name, dtype=torch.float16),
        tokenizer=build_tokenizer(all_words()),
        unet=UNet2DConditionModel.from_pretrained(diffusion_folder / UNET.name, **half),
        controlnet=ControlNetModel.from_pretrained(diffusion_folder / CONTROLNET.name, **half),
        scheduler=build_sampling_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    partial, old = target.with_name(target.name + ".partial"), target.with_name(target.name + ".old")
    for folder in (partial, old):
        shutil.rmtree(folder, ignore_errors=True)
    pipeline.save_pretrained(partial, safe_serialization=True)
    _forget_places(partial)
    _keep_tiny_decoder(target, partial)
    if (target / EMBEDDED_MOTION.name).is_dir():  # the motion model is another one, which lies beside the parts
        shutil.copytree(target / EMBEDDED_MOTION.name, partial / EMBEDDED_MOTION.name)
    for path in partial.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)  # safetensors writes files that only their owner can read
    if target.exists():
        target.rename(old)
    partial.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def export_tiny_decoder(source: Path, target: Path = EMBEDDED_FOLDER) -> None:
    """Put the tiny decoder of a training's folder, or of another model's, into the model folder `target`."""
    place, partial = target / TINY_VAE.name, target / f"{TINY_VAE.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source / TINY_VAE.name, partial)
    for path in partial.iterdir():
        path.chmod(0o644)
    shutil.rmtree(place, ignore_errors=True)
    partial.rename(place)


def _keep_tiny_decoder(before: Path, after: Path) -> None:
    """A tiny decoder belongs to its autoencoder: it goes along as long as that one's weights stay what they were."""
    weights = Path(VAE.name) / "diffusion_pytorch_model.safetensors"
    if (before / TINY_VAE.name).is_dir() and filecmp.cmp(before / weights, after / weights, shallow=False):
        export_tiny_decoder(before, after)


def _forget_places(folder: Path) -> None:
    """Take out of the configurations where the networks lay on the machine that trained them."""
    for path in folder.glob("*/config.json"):
        config = {name: value for name, value in json.loads(path.read_text()).items() if name != "_name_or_path"}
        path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def size_bytes(folder: Path) -> int:
    """Bytes of all weights in a model folder."""
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
