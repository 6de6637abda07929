"""LoRA files: each layout against W + s x alpha / rank x up @ down by hand, off means untouched, misfits are named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.loaders.lora_conversion_utils import _convert_non_diffusers_lora_to_diffusers
from safetensors.torch import save_file
from torch import Tensor

from backend.models.sd15.lora import merge_lora
from backend.models.sources import LoraSource
from shared.errors import ModelError
from tests.helpers.tiny_models import tiny_modules

RANK, ALPHA, SCALE = 2, 3.0, 0.7
ATTENTION = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"
TO_Q, TO_OUT = f"{ATTENTION}.to_q", f"{ATTENTION}.to_out.0"
Q_PROJ = "encoder.layers.1.self_attn.q_proj"
PROJ_IN = "down_blocks.0.attentions.0.proj_in"  # a 1x1 convolution
CONV = "up_blocks.0.resnets.1.conv1"  # a 3x3 convolution
LINEAR = {"unet": (TO_Q, TO_OUT), "text_encoder": (Q_PROJ,)}
ALL = {"unet": (TO_Q, TO_OUT, PROJ_IN, CONV), "text_encoder": (Q_PROJ,)}

Matrices = dict[tuple[str, str], tuple[Tensor, Tensor]]


def matrices(modules: dict[str, Any], layers: dict[str, tuple[str, ...]]) -> Matrices:
    """Random (down, up) of each layer."""
    generator = torch.Generator().manual_seed(4)
    found: Matrices = {}
    for model, names in layers.items():
        for name in names:
            weight = modules[model].get_submodule(name).weight
            down = torch.randn((RANK, *weight.shape[1:]), generator=generator)
            up = torch.randn((weight.shape[0], RANK, *(1,) * (weight.ndim - 2)), generator=generator)
            found[model, name] = (down, up)
    return found


def by_hand(weight: Tensor, down: Tensor, up: Tensor, factor: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """W + factor x up @ down, a number at a time."""
    result = weight.detach().double().numpy().copy()
    flat, lower, upper = result.reshape(len(result), -1), down.flatten(1).double(), up.flatten(1).double()
    for row in range(flat.shape[0]):
        for column in range(flat.shape[1]):
            flat[row, column] += factor * sum(float(upper[row, k] * lower[k, column]) for k in range(RANK))
    return result


def kohya(found: Matrices) -> dict[str, Tensor]:
    prefix = {"unet": "lora_unet_", "text_encoder": "lora_te_text_model_"}
    file: dict[str, Tensor] = {}
    for (model, name), (down, up) in found.items():
        stem = prefix[model] + name.replace(".", "_")
        file |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up, f"{stem}.alpha": torch.tensor(ALPHA)}
    return file


def peft(found: Matrices) -> dict[str, Tensor]:
    prefix = {"unet": "unet.", "text_encoder": "text_encoder.text_model."}
    file: dict[str, Tensor] = {}
    for (model, name), (down, up) in found.items():
        file |= {f"{prefix[model]}{name}.lora_A.weight": down, f"{prefix[model]}{name}.lora_B.weight": up}
    return file


def peft_itself(found: Matrices) -> dict[str, Tensor]:
    """As peft's own `save_pretrained` and `state_dict` name them, with the adapter's name."""
    prefix = {"unet": "base_model.model.", "text_encoder": "base_model.model.text_model."}
    file: dict[str, Tensor] = {}
    for (model, name), (down, up) in found.items():
        stem = f"{prefix[model]}{name}"
        file |= {f"{stem}.lora_A.default.weight": down, f"{stem}.lora_B.default.weight": up}
    return file


def diffusers_0_20(found: Matrices) -> dict[str, Tensor]:
    file: dict[str, Tensor] = {}
    for (model, name), (down, up) in found.items():
        stem = f"unet.{name}.lora" if model == "unet" else f"text_encoder.text_model.{name}.lora_linear_layer"
        file |= {f"{stem}.down.weight": down, f"{stem}.up.weight": up}
    return file


def diffusers_0_14(found: Matrices) -> dict[str, Tensor]:
    stems = {
        TO_Q: f"unet.{ATTENTION}.processor.to_q_lora",
        TO_OUT: f"unet.{ATTENTION}.processor.to_out_lora",
        Q_PROJ: "text_encoder.text_model.encoder.layers.1.self_attn.to_q_lora",
    }
    file: dict[str, Tensor] = {}
    for (_, name), (down, up) in found.items():
        file |= {f"{stems[name]}.down.weight": down, f"{stems[name]}.up.weight": up}
    return file


def renamed_by_diffusers(found: Matrices) -> dict[str, Tensor]:
    """kohya's file as diffusers itself reads it, alpha folded in."""
    renamed, alphas = _convert_non_diffusers_lora_to_diffusers(kohya(found))
    assert set(alphas.values()) == {ALPHA}
    return {
        name: (value * (ALPHA / RANK) if name.endswith((".up.weight", ".lora_B.weight")) else value).contiguous()
        for name, value in renamed.items()
    }


def merged(path: Path, scale: float = SCALE) -> dict[str, Any]:
    modules = tiny_modules()
    merge_lora(LoraSource(path, scale), modules["unet"], modules["text_encoder"])
    return modules


def assert_merged(modules: dict[str, Any], found: Matrices, factor: float) -> None:
    """Changed layers are as by hand, all others as they were, bit for bit."""
    before = tiny_modules()
    for model in ("unet", "text_encoder"):
        changed = {f"{name}.weight": pair for (owner, name), pair in found.items() if owner == model}
        for key, value in modules[model].state_dict().items():
            old = before[model].state_dict()[key]
            if key in changed:
                np.testing.assert_allclose(value, by_hand(old, *changed[key], factor), rtol=1e-5, atol=1e-6)
                assert not torch.equal(value, old)
            else:
                assert torch.equal(value, old), key


def test_kohyas_layout_with_convolutions(tmp_path: Path) -> None:
    found = matrices(tiny_modules(), ALL)
    save_file(kohya(found), tmp_path / "lora.safetensors")
    assert_merged(merged(tmp_path / "lora.safetensors"), found, SCALE * ALPHA / RANK)


LAYOUTS: list[tuple[Callable[[Matrices], dict[str, Tensor]], float]] = [
    (kohya, ALPHA / RANK),
    (peft, 1.0),
    (peft_itself, 1.0),
    (diffusers_0_20, 1.0),
    (diffusers_0_14, 1.0),
    (renamed_by_diffusers, ALPHA / RANK),
]


@pytest.mark.parametrize(("layout", "factor"), LAYOUTS)
def test_every_layout(tmp_path: Path, layout: Callable[[Matrices], dict[str, Tensor]], factor: float) -> None:
    found = matrices(tiny_modules(), LINEAR)
    save_file(layout(found), tmp_path / "lora.safetensors")
    assert_merged(merged(tmp_path / "lora.safetensors"), found, SCALE * factor)


def test_a_pickled_lora_is_the_same(tmp_path: Path) -> None:
    found = matrices(tiny_modules(), LINEAR)
    torch.save(peft(found), tmp_path / "pytorch_lora_weights.bin")
    assert_merged(merged(tmp_path / "pytorch_lora_weights.bin"), found, SCALE)


@pytest.mark.parametrize(("stabilised", "divisor"), [(False, RANK), (True, RANK**0.5)])
def test_pefts_metadata_says_alpha(tmp_path: Path, stabilised: bool, divisor: float) -> None:
    found = matrices(tiny_modules(), {"unet": (TO_Q, TO_OUT)})
    told = {
        "unet.r": RANK,
        "unet.lora_alpha": 8,
        "unet.alpha_pattern": {"to_out.0": 1.0},
        "unet.use_rslora": stabilised,
    }
    save_file(peft(found), tmp_path / "lora.safetensors", {"lora_adapter_metadata": json.dumps(told)})
    unet = merged(tmp_path / "lora.safetensors", 1.0)["unet"]
    for name, alpha in ((TO_Q, 8.0), (TO_OUT, 1.0)):
        before = tiny_modules()["unet"].get_submodule(name).weight
        expected = by_hand(before, *found["unet", name], alpha / divisor)
        np.testing.assert_allclose(unet.get_submodule(name).weight.detach(), expected, rtol=1e-5, atol=1e-6)


def test_metadata_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    file = peft(matrices(tiny_modules(), LINEAR))
    save_file(file, tmp_path / "lora.safetensors", {"lora_adapter_metadata": "{r: 4"})
    with pytest.raises(ModelError, match="The scale in .* cannot be read"):
        merged(tmp_path / "lora.safetensors")


def test_scale_zero_leaves_every_bit(tmp_path: Path) -> None:
    save_file(kohya(matrices(tiny_modules(), ALL)), tmp_path / "lora.safetensors")
    modules, before = merged(tmp_path / "lora.safetensors", 0.0), tiny_modules()
    for model in ("unet", "text_encoder"):
        for key, value in before[model].state_dict().items():
            assert torch.equal(modules[model].state_dict()[key], value)


KOHYA_Q = f"lora_unet_{TO_Q.replace('.', '_')}"
MISFITS: list[tuple[dict[str, Tensor], str]] = [
    (
        {"lora_te_text_model_encoder_layers_9_mlp_fc1.lora_down.weight": torch.zeros(2, 3)},
        r"of 16 weights 1 weights unknown \(lora_te_text_model_encoder_layers_9_mlp_fc1\.lora_down\.weight\)",
    ),
    (
        {"lora_te2_text_model_encoder_layers_9_mlp_fc1.lora_down.weight": torch.zeros(2, 3)},
        r"is a LoRA for Stable Diffusion XL, not a LoRA for Stable Diffusion 1\.5\.",
    ),
    ({f"{KOHYA_Q}.oft_blocks": torch.zeros(2, 3)}, "is a LyCORIS file of the kind OFT, not a LoRA"),
    ({f"{KOHYA_Q}.rescale": torch.zeros(1)}, rf"1 weights unknown \({KOHYA_Q}\.rescale\)"),
    ({f"{KOHYA_Q}.dora_scale": torch.zeros(1)}, rf"1 weights of the wrong shape \({KOHYA_Q}\)"),
    ({f"{KOHYA_Q}.lora_up.weight": torch.zeros(9, RANK)}, rf"1 weights of the wrong shape \({KOHYA_Q}\)"),
    (
        {f"{KOHYA_Q}.lora_down.weight": torch.zeros(0, 8), f"{KOHYA_Q}.lora_up.weight": torch.zeros(8, 0)},
        rf"1 weights of the wrong shape \({KOHYA_Q}\)",
    ),
    ({f"{KOHYA_Q}.lora_down.weight": torch.zeros(5, 8)}, rf"1 weights of the wrong shape \({KOHYA_Q}\)"),
]


@pytest.mark.parametrize(("change", "said"), MISFITS)
def test_what_does_not_fit_is_named_and_nothing_is_changed(
    tmp_path: Path, change: dict[str, Tensor], said: str
) -> None:
    save_file(kohya(matrices(tiny_modules(), ALL)) | change, tmp_path / "lora.safetensors")
    modules = tiny_modules()
    with pytest.raises(ModelError, match=said):
        merge_lora(LoraSource(tmp_path / "lora.safetensors", 0.0), modules["unet"], modules["text_encoder"])
    for key, value in tiny_modules()["unet"].state_dict().items():
        assert torch.equal(modules["unet"].state_dict()[key], value)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_the_files_fault(tmp_path: Path, broken: float) -> None:
    file = kohya(matrices(tiny_modules(), ALL))
    file[f"{KOHYA_Q}.lora_up.weight"][0, 0] = broken
    save_file(file, tmp_path / "lora.safetensors")
    with pytest.raises(ModelError, match=rf"lora\.safetensors holds weights that are not finite \({KOHYA_Q}"):
        merged(tmp_path / "lora.safetensors")


def test_half_of_a_pair_is_refused(tmp_path: Path) -> None:
    file = kohya(matrices(tiny_modules(), ALL))
    del file[f"{KOHYA_Q}.lora_up.weight"]
    save_file(file, tmp_path / "lora.safetensors")
    with pytest.raises(ModelError, match=rf"1 weights missing \(the other half of {KOHYA_Q}\)"):
        merged(tmp_path / "lora.safetensors")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lora_unet_mid.oft_blocks", "is a LyCORIS file of the kind OFT, not a LoRA"),
        ("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", "is a LoRA for Flux, not a LoRA"),
        ("down_blocks.0.motion_modules.0.to_q.lora_A.weight", "is a LoRA for AnimateDiff's motion modules, not a LoRA"),
        ("model.diffusion_model.out.2.bias", r"is a Stable Diffusion 1\.5 checkpoint, not a LoRA"),
    ],
)
def test_files_of_another_kind(tmp_path: Path, name: str, said: str) -> None:
    save_file({name: torch.zeros(1)}, tmp_path / "lora.safetensors")
    with pytest.raises(ModelError, match=said):
        merged(tmp_path / "lora.safetensors")
