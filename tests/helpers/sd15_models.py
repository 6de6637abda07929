"""Stable Diffusion 1.5's architecture with random weights, tiny or whole: in memory and as files in both layouts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from backend.models.sd15.components import Components, assemble
from backend.models.sd15.files.single_file import built_in_config
from shared.models.files import ModelFiles
from tests.helpers.original_layout import original_weights
from tests.helpers.tiny_models import tiny_tokenizer

CHECKPOINT_PARTS = ("unet", "vae", "text_encoder")
PARTS = (*CHECKPOINT_PARTS, "controlnet")
Sizes = Mapping[str, Mapping[str, Any]]
FULL: Sizes = {"unet": {}, "vae": {}, "text_encoder": {}}
TINY: Sizes = {
    "unet": {
        "block_out_channels": (4, 8, 12, 12),
        "cross_attention_dim": 8,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
        "in_channels": 6,
        "out_channels": 6,
    },
    "vae": {"block_out_channels": (4, 4, 8, 8), "norm_num_groups": 4, "latent_channels": 6},
    "text_encoder": {
        "vocab_size": 128,
        "hidden_size": 8,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 12,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 1,
    },
}


def sd15_modules(sizes: Sizes = TINY, seed: int = 0, std: float = 0.2) -> dict[str, Any]:
    """The five modules with normal random weights, ControlNet's zero convolutions too.

    Tiny ones have every level, 6 latent channels and a twelve-token prompt; the picture's side is eight latent cells'.
    """
    config = {name: {**built_in_config(name), **own} for name, own in sizes.items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet2DConditionModel.from_config(config["unet"])
        modules: dict[str, Any] = {
            "tokenizer": tiny_tokenizer(),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**config["text_encoder"])),
            "vae": AutoencoderKL.from_config(config["vae"]),
            "unet": unet,
            "controlnet": ControlNetModel.from_unet(unet, load_weights_from_unet=False),
        }
        modules["tokenizer"].model_max_length = modules["text_encoder"].config.max_position_embeddings
        for name in PARTS:
            modules[name].eval()
            for parameter in modules[name].parameters():
                torch.nn.init.normal_(parameter, std=std)
    return modules


def sd15_components(modules: dict[str, Any]) -> Components:
    """The modules, assembled in float32 on the CPU."""
    cpu = torch.device("cpu")
    return assemble(**modules, scheduler_config=built_in_config("scheduler"), device=cpu, dtype=torch.float32)


def assert_same_weights(loaded: Components, modules: dict[str, Any]) -> None:
    """Every weight of every part, by name and bit for bit."""
    for name in PARTS:
        expected, got = modules[name].state_dict(), getattr(loaded, name).state_dict()
        assert got.keys() == expected.keys()
        for key in expected:
            assert torch.equal(got[key], expected[key]), f"{name} {key}"


def checkpoint_weights(modules: dict[str, Any]) -> dict[str, Tensor]:
    """What an original-layout checkpoint of the modules holds, with what trainings leave in one."""
    found: dict[str, Tensor] = {}
    for name in CHECKPOINT_PARTS:
        found |= original_weights(name, modules[name])
    positions = torch.arange(modules["text_encoder"].config.max_position_embeddings)[None]
    found["cond_stage_model.transformer.text_model.embeddings.position_ids"] = positions
    found["alphas_cumprod"] = torch.linspace(1, 0, 1000)
    found["model_ema.decay"] = torch.tensor(0.9999)
    return found


def write_sizes(folder: Path, modules: dict[str, Any]) -> None:
    """What a checkpoint of other sizes than Stable Diffusion 1.5's needs beside it: tokenizer/ and each config.json."""
    modules["tokenizer"].save_pretrained(str(folder / "tokenizer"))
    for name in CHECKPOINT_PARTS:
        if name == "text_encoder":
            modules[name].config.save_pretrained(str(folder / name))
        else:
            modules[name].save_config(str(folder / name))


def write_folder(folder: Path, modules: dict[str, Any]) -> None:
    """Save the modules as a folder in diffusers' layout."""
    for name, module in modules.items():
        module.save_pretrained(str(folder / name))
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(built_in_config("scheduler")), "utf-8")


def write_original(folder: Path, modules: dict[str, Any]) -> tuple[Path, ModelFiles]:
    """Save a checkpoint and a ControlNet as original-layout .safetensors files; returns how a job names them."""
    write_sizes(folder, modules)
    checkpoint, controlnet = folder / "checkpoint.safetensors", folder / "control.safetensors"
    save_file(checkpoint_weights(modules), checkpoint)
    save_file(original_weights("controlnet", modules["controlnet"]), controlnet)
    return checkpoint, ModelFiles(controlnet=str(controlnet))
