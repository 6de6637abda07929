"""Model folders: what loads, what is refused and how that is said; prompts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionControlNetPipeline
from safetensors.torch import load_file, save_file

from backend.contract.values import SampleSettings, Segment
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import assemble, load_components, resolve_device, resolve_dtype
from backend.models.sd15.text import encode_prompt
from shared.errors import InputError, ModelError
from shared.models.files import ModelFiles
from tests.helpers.tiny_models import (
    tiny_components,
    tiny_modules,
    tiny_scheduler_config,
    torch_module,
    write_tiny_model,
)
from tests.helpers.tiny_shot import engine, random_depth

SETTINGS = SampleSettings(steps=2, guidance_scale=3.0, controlnet_scale=1.0, seed=1, height=16, width=16)
PROMPT = "a red robot dancing on the moon"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tiny_model(tmp_path)
    return tmp_path


def edit_json(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), "utf-8")


def remove_all(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def latents_of(components: Any) -> torch.Tensor:
    depth = random_depth(1, 16)
    prompt = encode_prompt(components, PROMPT)
    return engine(components, Text2VideoZero(), depth, SETTINGS, prompt).sample(Segment(0, 1)).latents


def test_a_saved_model_loads_and_gives_the_same(folder: Path) -> None:
    loaded = load_components(str(folder), "cpu", "float32")
    assert torch.equal(latents_of(loaded), latents_of(tiny_components()))
    modules = (loaded.text_encoder, loaded.vae, loaded.unet, loaded.controlnet)
    parameters = [parameter for module in modules for parameter in torch_module(module).parameters()]
    assert not any(parameter.requires_grad for parameter in parameters)
    assert {parameter.dtype for parameter in parameters} == {torch.float32}


def test_pickled_weights_load_without_running_code(folder: Path) -> None:
    expected = latents_of(load_components(str(folder), "cpu", "float32"))
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()
    assert torch.equal(latents_of(load_components(str(folder), "cpu", "float32")), expected)


def test_half_precision_files_load(folder: Path) -> None:
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    halved = {key: value.half() for key, value in load_file(weights).items()}
    save_file(halved, folder / "vae" / "diffusion_pytorch_model.fp16.safetensors", {"format": "pt"})
    weights.unlink()
    loaded = load_components(str(folder), "cpu", "float32")
    assert {parameter.dtype for parameter in loaded.vae.parameters()} == {torch.float32}
    expected = torch.cat([value.float().flatten() for _, value in sorted(halved.items())])
    got = torch.cat([value.flatten() for _, value in sorted(loaded.vae.state_dict().items())])
    assert torch.equal(got, expected)


def test_a_controlnet_may_lie_elsewhere(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (folder / "controlnet").rename(elsewhere)
    with pytest.raises(ModelError, match="lacks controlnet"):
        load_components(str(folder), "cpu", "float32")
    loaded = load_components(str(folder), "cpu", "float32", files=ModelFiles(controlnet=str(elsewhere)))
    assert torch.equal(latents_of(loaded), latents_of(tiny_components()))


def remove_key(folder: Path) -> None:
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    del weights["conv_in.bias"]
    save_file(weights, path, {"format": "pt"})


def reshape_key(folder: Path) -> None:
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    save_file({**load_file(path), "decoder.conv_out.bias": torch.zeros(5)}, path, {"format": "pt"})


def add_key(folder: Path) -> None:
    path = folder / "controlnet" / "diffusion_pytorch_model.safetensors"
    save_file({**load_file(path), "lora.weight": torch.zeros(5)}, path, {"format": "pt"})


def truncate(folder: Path) -> None:
    path = folder / "text_encoder" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100])


FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (remove_key, r"unet: 1 weights missing \(conv_in\.bias\)"),
    (reshape_key, r"vae: 1 weights of the wrong shape \(decoder\.conv_out\.bias\)"),
    (add_key, r"controlnet: 1 weights unknown \(lora\.weight\)"),
    (truncate, r"text_encoder: SafetensorError"),
    (lambda f: (f / "unet" / "config.json").write_text("{"), r"unet: config\.json is missing"),
    (lambda f: edit_json(f / "vae" / "config.json", _class_name="VQModel"), r"vae: holds a VQModel"),
    (lambda f: (f / "unet" / "diffusion_pytorch_model.safetensors").unlink(), r"unet: no weights"),
    (lambda f: (f / "scheduler" / "scheduler_config.json").unlink(), r"scheduler_config\.json is missing"),
    (
        lambda f: edit_json(f / "scheduler" / "scheduler_config.json", prediction_type="flow"),
        r"prediction_type 'flow' is not one of epsilon, v_prediction, sample",
    ),
    (
        lambda f: remove_all(f / "tokenizer"),
        r"tokenizer: neither tokenizer\.json nor vocab",
    ),
]


@pytest.mark.parametrize(("spoil", "said"), FAULTS)
def test_a_faulty_folder_is_refused_in_words(folder: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(folder)
    with pytest.raises(ModelError, match=said):
        load_components(str(folder), "cpu", "float32")


def test_all_faults_are_told_at_once(folder: Path) -> None:
    remove_key(folder)
    reshape_key(folder)
    with pytest.raises(ModelError, match=r"(?s)vae: 1.*unet: 1"):
        load_components(str(folder), "cpu", "float32")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model .*nowhere"):
        load_components(str(tmp_path / "nowhere"), "cpu", "float32")
    with pytest.raises(ModelError, match="lacks tokenizer .*, text_encoder .*, vae .*, unet .*, controlnet"):
        load_components(str(tmp_path), "cpu", "float32")


def test_parts_that_do_not_fit_each_other_are_refused() -> None:
    modules = tiny_modules()
    modules["unet"].register_to_config(cross_attention_dim=32)
    modules["controlnet"].register_to_config(block_out_channels=(8, 32))
    config = tiny_scheduler_config()
    with pytest.raises(ModelError, match="UNet takes prompts of width 32.*ControlNet's blocks"):
        assemble(**modules, scheduler_config=config, device=torch.device("cpu"), dtype=torch.float32)


def test_another_schedulers_file_is_sampled_by_ddim() -> None:
    config = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
    modules = tiny_modules()
    components = assemble(**modules, scheduler_config=config, device=torch.device("cpu"), dtype=torch.float32)
    scheduler = components.scheduler(4)
    assert isinstance(scheduler, DDIMScheduler)
    assert scheduler.timesteps.tolist() == [751, 501, 251, 1]
    assert not scheduler.config.clip_sample
    assert not scheduler.config.set_alpha_to_one


def test_prompts_are_encoded_as_diffusers_does() -> None:
    components = tiny_components()
    ours = encode_prompt(components, PROMPT, "blurry")
    pipeline = StableDiffusionControlNetPipeline(
        **tiny_modules(),
        scheduler=DDIMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    positive, negative = pipeline.encode_prompt(PROMPT, "cpu", 1, True, "blurry")
    np.testing.assert_allclose(ours.positive, positive.detach(), atol=1e-6)
    np.testing.assert_allclose(ours.negative, negative.detach(), atol=1e-6)
    assert ours.cut == ""


def test_the_cut_end_of_a_long_prompt_is_told() -> None:
    components = tiny_components()
    ours = encode_prompt(components, f"{PROMPT} on the red moon dancing robot")
    assert ours.positive.shape == (1, 12, 16)
    assert ours.cut == "moon dancing robot"


def test_devices_and_precisions_have_names() -> None:
    cpu = torch.device("cpu")
    assert resolve_device("cpu") == cpu
    assert resolve_dtype("float16", cpu) == torch.float16
    assert resolve_dtype(torch.float64, cpu) == torch.float64
    assert resolve_dtype("auto", cpu) in (torch.float32, torch.bfloat16)
    with pytest.raises(InputError, match="no device"):
        resolve_device("abacus")
    with pytest.raises(InputError, match="float32, bfloat16, float16"):
        resolve_dtype("int8", cpu)
