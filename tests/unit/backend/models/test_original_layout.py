"""Original-layout checkpoints: names against a table written by hand, files written and loaded back, refusals."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel

from backend.contract.values import SampleSettings, Segment
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import Components, load_components
from backend.models.sd15.files.classes import build_empty_like
from backend.models.sd15.files.original_layout import (
    autoencoder_names,
    controlnet_names,
    text_encoder_names,
    unet_names,
)
from backend.models.sd15.files.single_file import built_in_config
from backend.models.sd15.text import encode_prompt
from shared.errors import ModelError
from shared.models.files import ModelFiles
from shared.models.sd15 import CONTROLNET
from tests.helpers.original_layout import original_name, original_weights
from tests.helpers.sd15_models import (
    PARTS,
    assert_same_weights,
    checkpoint_weights,
    sd15_components,
    sd15_modules,
    write_folder,
    write_original,
)
from tests.helpers.tiny_models import torch_module
from tests.helpers.tiny_shot import engine, random_depth

SETTINGS = SampleSettings(steps=2, guidance_scale=3.0, controlnet_scale=1.0, seed=1, height=32, width=48)
NAMES = {
    "text_encoder": text_encoder_names,
    "vae": autoencoder_names,
    "unet": unet_names,
    "controlnet": controlnet_names,
}

# Stable Diffusion 1.5 and its ControlNets as published.
PARAMETERS = {"unet": 859_520_964, "vae": 83_653_863, "text_encoder": 123_060_480, "controlnet": 361_279_120}
KNOWN = {
    "unet": {
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768),
        "model.diffusion_model.input_blocks.3.0.op.weight": (320, 320, 3, 3),
        "model.diffusion_model.input_blocks.4.0.skip_connection.weight": (640, 320, 1, 1),
        "model.diffusion_model.middle_block.2.out_layers.3.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.2.1.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.5.2.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.8.2.conv.weight": (640, 640, 3, 3),
        "model.diffusion_model.output_blocks.11.0.skip_connection.weight": (320, 640, 1, 1),
        "model.diffusion_model.output_blocks.11.1.proj_out.weight": (320, 320, 1, 1),
        "model.diffusion_model.out.2.weight": (4, 320, 3, 3),
    },
    "vae": {
        "first_stage_model.encoder.mid.attn_1.q.bias": (512,),
        "first_stage_model.encoder.down.2.block.0.nin_shortcut.weight": (512, 256, 1, 1),
        "first_stage_model.decoder.up.0.block.0.nin_shortcut.weight": (128, 256, 1, 1),
        "first_stage_model.decoder.up.3.upsample.conv.weight": (512, 512, 3, 3),
        "first_stage_model.encoder.conv_out.weight": (8, 512, 3, 3),
        "first_stage_model.post_quant_conv.weight": (4, 4, 1, 1),
    },
    "text_encoder": {
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": (49408, 768),
        "cond_stage_model.transformer.text_model.encoder.layers.11.mlp.fc2.bias": (768,),
        "cond_stage_model.transformer.text_model.final_layer_norm.weight": (768,),
    },
    "controlnet": {
        "control_model.input_hint_block.0.weight": (16, 3, 3, 3),
        "control_model.input_hint_block.14.weight": (320, 256, 3, 3),
        "control_model.zero_convs.11.0.weight": (1280, 1280, 1, 1),
        "control_model.middle_block_out.0.weight": (1280, 1280, 1, 1),
        "control_model.time_embed.0.weight": (1280, 320),
    },
}


@pytest.fixture(scope="module")
def full_size() -> dict[str, Any]:
    """Stable Diffusion 1.5 from the sizes that ship with the project, without memory for its weights."""
    with init_empty_weights(include_buffers=False):
        unet = UNet2DConditionModel.from_config(built_in_config("unet"))
        vae = AutoencoderKL.from_config(built_in_config("vae"))
        text_encoder = CLIPTextModel(CLIPTextConfig(**built_in_config("text_encoder")))
    return {"unet": unet, "vae": vae, "text_encoder": text_encoder, "controlnet": build_empty_like(CONTROLNET, unet)}


@pytest.fixture(scope="module")
def modules() -> dict[str, Any]:
    return sd15_modules()


@pytest.fixture(scope="module")
def other() -> dict[str, Any]:
    return sd15_modules(seed=1)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, modules: dict[str, Any]) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    write_original(folder, modules)
    return folder


@pytest.fixture
def written(tmp_path: Path, originals: Path) -> tuple[Path, ModelFiles]:
    """A checkpoint of the test's own, to spoil, and its ControlNet."""
    shutil.copytree(originals, tmp_path, dirs_exist_ok=True)
    return tmp_path / "checkpoint.safetensors", ModelFiles(str(tmp_path / "control.safetensors"))


def load(model: Path, files: ModelFiles | None = None) -> Components:
    return load_components(str(model), "cpu", "float32", files=files)


def latents_of(components: Components) -> torch.Tensor:
    depth = random_depth(1, SETTINGS.width)[:, : SETTINGS.height]
    prompt = encode_prompt(components, "a red robot")
    return engine(components, Text2VideoZero(), depth, SETTINGS, prompt).sample(Segment(0, 1)).latents


@pytest.mark.parametrize("part", PARTS)
def test_the_sizes_that_ship_are_stable_diffusion_1_5(full_size: dict[str, Any], part: str) -> None:
    module = full_size[part]
    assert sum(parameter.numel() for parameter in module.parameters()) == PARAMETERS[part]
    shapes = {
        original_name(part, name, module.config): tuple(value.shape) for name, value in module.state_dict().items()
    }
    assert {name: shapes.get(name) for name in KNOWN[part]} == KNOWN[part]


@pytest.mark.parametrize("part", PARTS)
def test_every_name_at_full_size_both_ways(full_size: dict[str, Any], part: str) -> None:
    module = full_size[part]
    table = {name: original_name(part, name, module.config) for name in module.state_dict()}
    assert len(set(table.values())) == len(table)
    assert NAMES[part](table.values(), module.config) == table


def test_files_in_the_original_layout_load_back(written: tuple[Path, ModelFiles], modules: dict[str, Any]) -> None:
    loaded = load(*written)
    assert_same_weights(loaded, modules)
    assert {value.device.type for value in torch_module(loaded.text_encoder).buffers()} == {"cpu"}
    latents = latents_of(loaded)
    assert latents.shape == (1, 6, 4, 6)
    assert torch.equal(latents, latents_of(sd15_components(sd15_modules())))
    assert loaded.scheduler(4).timesteps.tolist() == [751, 501, 251, 1]


def test_pickled_weights_load_the_same(
    written: tuple[Path, ModelFiles], modules: dict[str, Any], tmp_path: Path
) -> None:
    checkpoint, control = tmp_path / "model.ckpt", tmp_path / "control.pth"
    torch.save({"state_dict": checkpoint_weights(modules), "epoch": 3}, checkpoint)
    torch.save(original_weights("controlnet", modules["controlnet"]), control)
    assert_same_weights(load(checkpoint, ModelFiles(controlnet=str(control))), modules)


def test_half_precision_files_become_full(written: tuple[Path, ModelFiles], modules: dict[str, Any]) -> None:
    checkpoint, files = written
    halves = {key: value.half() for key, value in checkpoint_weights(modules).items()}
    save_file(halves, checkpoint)
    loaded = load(checkpoint, files)
    assert {value.dtype for value in loaded.unet.parameters()} == {torch.float32}
    unet: Any = loaded.unet
    weight = unet.conv_in.weight
    assert torch.equal(weight, modules["unet"].conv_in.weight.half().float())


def bare(weights: dict[str, Any]) -> dict[str, Any]:
    return {re.sub(r"^(control_model|first_stage_model)\.", "", name): value for name, value in weights.items()}


def old_attention(weights: dict[str, Any]) -> dict[str, Any]:
    """An autoencoder's names as diffusers had them before its attention was rewritten."""
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    table = {re.escape(new): name for new, name in old.items()}
    found = {}
    for name, value in weights.items():
        for new, before in table.items():
            name = re.sub(rf"(attentions\.0)\.{new}\.", rf"\1.{before}.", name)
        found[name] = value.contiguous()
    return found


def controlnet_layouts(modules: dict[str, Any]) -> dict[str, dict[str, Any]]:
    original = original_weights("controlnet", modules["controlnet"])
    return {
        "v1.1": original,
        "v1.1 bare": bare(original),
        "v1.0 with all of Stable Diffusion": original | checkpoint_weights(modules),
        "diffusers": {name: value.contiguous() for name, value in modules["controlnet"].state_dict().items()},
    }


def autoencoder_layouts(modules: dict[str, Any]) -> dict[str, dict[str, Any]]:
    original = original_weights("vae", modules["vae"])
    names = modules["vae"].state_dict()
    return {
        "from a checkpoint": original,
        "bare": bare(original) | {"loss.logvar": torch.zeros(1), "model_ema.decay": torch.ones(1)},
        "diffusers": {name: value.contiguous() for name, value in names.items()},
        "early diffusers": old_attention(names),
    }


@pytest.mark.parametrize("layout", ["v1.1", "v1.1 bare", "v1.0 with all of Stable Diffusion", "diffusers"])
def test_controlnets_of_every_layout(
    written: tuple[Path, ModelFiles], modules: dict[str, Any], tmp_path: Path, layout: str
) -> None:
    control = tmp_path / "other.safetensors"
    save_file(controlnet_layouts(modules)[layout], control)
    assert_same_weights(load(written[0], ModelFiles(controlnet=str(control))), modules)


@pytest.mark.parametrize("layout", ["from a checkpoint", "bare", "diffusers", "early diffusers"])
def test_a_separate_autoencoder_of_every_layout(
    written: tuple[Path, ModelFiles], modules: dict[str, Any], other: dict[str, Any], tmp_path: Path, layout: str
) -> None:
    checkpoint, files = written
    save_file(autoencoder_layouts(other)[layout], tmp_path / "vae.safetensors")
    # The checkpoint need not have one then.
    save_file({k: v for k, v in load_file(checkpoint).items() if not k.startswith("first_stage_model.")}, checkpoint)
    loaded = load(checkpoint, ModelFiles(controlnet=files.controlnet, vae=str(tmp_path / "vae.safetensors")))
    assert_same_weights(loaded, modules | {"vae": other["vae"]})


def test_a_folder_with_parts_from_elsewhere(modules: dict[str, Any], other: dict[str, Any], tmp_path: Path) -> None:
    write_folder(tmp_path / "model", modules)
    other["vae"].save_pretrained(str(tmp_path / "vae"))
    control = tmp_path / "control.safetensors"
    save_file(original_weights("controlnet", other["controlnet"]), control)
    loaded = load(tmp_path / "model", ModelFiles(controlnet=str(control), vae=str(tmp_path / "vae")))
    assert_same_weights(loaded, modules | {"vae": other["vae"], "controlnet": other["controlnet"]})


def test_a_folder_as_the_libraries_wrote_it_in_2022(modules: dict[str, Any], tmp_path: Path) -> None:
    write_folder(tmp_path, modules)
    text = tmp_path / "text_encoder" / "model.safetensors"
    weights = {f"text_model.{name}": value for name, value in load_file(text).items()}
    save_file(weights | {"text_model.embeddings.position_ids": torch.arange(12)[None]}, text, {"format": "pt"})
    vae = tmp_path / "vae" / "diffusion_pytorch_model.safetensors"
    save_file(old_attention(load_file(vae)), vae, {"format": "pt"})
    assert_same_weights(load(tmp_path), modules)


def test_the_sizes_may_lie_elsewhere(written: tuple[Path, ModelFiles], modules: dict[str, Any], tmp_path: Path) -> None:
    checkpoint, files = written
    moved = tmp_path / "files" / checkpoint.name
    moved.parent.mkdir()
    checkpoint.rename(moved)
    with pytest.raises(ModelError, match=r"lacks tokenizer .*contains no tokenizer: put CLIP's \(vocab\.json"):
        load(moved, files)
    loaded = load(moved, ModelFiles(controlnet=files.controlnet, config=str(tmp_path)))
    assert_same_weights(loaded, modules)


def test_a_vocabulary_and_merges_are_tokenizer_enough(written: tuple[Path, ModelFiles], tmp_path: Path) -> None:
    folder = tmp_path / "tokenizer"
    told = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps(told["vocab"]), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(map(" ".join, told["merges"])) + "\n", "utf-8")
    embeds = encode_prompt(load(*written), "a red robot")
    assert torch.equal(embeds.positive, encode_prompt(sd15_components(sd15_modules()), "a red robot").positive)


def spoil(path: Path, change: Any) -> None:
    weights = load_file(path)
    change(weights)
    save_file(weights, path)


def test_half_of_the_weights_missing_is_told_with_names_and_numbers(written: tuple[Path, ModelFiles]) -> None:
    checkpoint, files = written

    def halve(weights: dict[str, Any]) -> None:
        for name in [name for name in weights if name.startswith("model.diffusion_model.")][::2]:
            del weights[name]

    spoil(checkpoint, halve)
    with pytest.raises(ModelError, match=r"unet: 343 weights missing \(conv_\w+\.\w+, .*, .* and 340 more\)\.$"):
        load(checkpoint, files)


def test_a_whole_block_missing_is_that_block_alone(written: tuple[Path, ModelFiles]) -> None:
    checkpoint, files = written

    def cut(weights: dict[str, Any]) -> None:
        for name in [name for name in weights if name.startswith("model.diffusion_model.input_blocks.2.")]:
            del weights[name]

    spoil(checkpoint, cut)
    with pytest.raises(ModelError, match=r"unet: 36 weights missing \(down_blocks\.0\.attentions\.1\.[^)]*\)\.$"):
        load(checkpoint, files)


def test_every_part_at_fault_is_told_at_once(written: tuple[Path, ModelFiles]) -> None:
    checkpoint, files = written

    def change(weights: dict[str, Any]) -> None:
        weights["model.diffusion_model.label_emb.0.0.weight"] = torch.zeros(2)
        weights["model.diffusion_model.input_blocks.0.0.weight"] = torch.zeros(4, 9, 3, 3)
        del weights["model.diffusion_model.output_blocks.2.1.conv.bias"]
        del weights["first_stage_model.decoder.up.3.upsample.conv.bias"]
        weights["cond_stage_model.transformer.text_model.extra"] = torch.zeros(1)

    spoil(checkpoint, change)
    with pytest.raises(ModelError) as caught:
        load(checkpoint, files)
    for said in (
        "unet: 1 weights missing (up_blocks.0.upsamplers.0.conv.bias), "
        "1 weights unknown (model.diffusion_model.label_emb.0.0.weight), "
        "1 weights of the wrong shape (model.diffusion_model.input_blocks.0.0.weight [4, 9, 3, 3] for [4, 6, 3, 3])",
        "vae: 1 weights missing (decoder.up_blocks.0.upsamplers.0.conv.bias)",
        "text_encoder: 1 weights unknown (cond_stage_model.transformer.text_model.extra)",
    ):
        assert said in caught.value.message


def test_a_controlnet_for_another_unet_is_refused(
    written: tuple[Path, ModelFiles], modules: dict[str, Any], tmp_path: Path
) -> None:
    with init_empty_weights(include_buffers=False):
        unet = UNet2DConditionModel.from_config(modules["unet"].config, cross_attention_dim=10)
    control = tmp_path / "wide.safetensors"
    wide = build_empty_like(CONTROLNET, unet).to_empty(device="cpu")
    save_file({name: torch.zeros_like(value) for name, value in original_weights("controlnet", wide).items()}, control)
    with pytest.raises(ModelError, match=r"controlnet: 14 weights of the wrong shape \(.*\[\d, 10\] for \[\d, 8\]"):
        load(written[0], ModelFiles(controlnet=str(control)))


class _Shell:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch ran-in-a-pickle",)


def test_a_pickle_that_runs_code_is_refused_unopened(
    written: tuple[Path, ModelFiles], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"a": torch.zeros(1)}, "b": _Shell()}, tmp_path / "evil.ckpt")
    for model, files in ((tmp_path / "evil.ckpt", written[1]), (written[0], ModelFiles(str(tmp_path / "evil.ckpt")))):
        with pytest.raises(ModelError, match=r"evil\.ckpt was not opened: it asks for posix\.system"):
            load(model, files)
    assert not (tmp_path / "ran-in-a-pickle").exists()


UNREADABLE = {
    "a text file by another name.safetensors": (b"hello", r"cannot be read\. It is cut off after 5 bytes"),
    "text.ckpt": (b"hello, this is no pickle", r"cannot be read|was not opened"),
    "empty.ckpt": (b"", "cannot be read"),
    "picture.png": (b"", "is not a weight file"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_files_that_are_no_weights(written: tuple[Path, ModelFiles], tmp_path: Path, name: str) -> None:
    content, said = UNREADABLE[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=said) as caught:
        load(tmp_path / name, written[1])
    assert "\n" not in caught.value.message


OTHER_KINDS = {
    "a Stable Diffusion XL checkpoint": ("conditioner.embedders.0.x", "model.diffusion_model.input_blocks.0.0.weight"),
    "a Stable Diffusion 2 checkpoint": ("cond_stage_model.model.x", "model.diffusion_model.input_blocks.0.0.weight"),
    "a LoRA": ("lora_unet_mid_block.lora_down.weight",),
    "a ControlNet": ("control_model.time_embed.0.weight",),
    "an autoencoder": ("decoder.conv_in.weight",),
    "holds 1 weights of an unknown kind (layer.weight)": ("layer.weight",),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_files_of_another_kind_are_called_by_their_name(
    written: tuple[Path, ModelFiles], tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "other.safetensors"
    save_file({name: torch.zeros(1) for name in OTHER_KINDS[kind]}, path)
    with pytest.raises(ModelError, match=re.escape(f"{kind}, not a Stable Diffusion 1.5 checkpoint")):
        load(path, written[1])


def test_a_checkpoint_in_a_controlnets_place_is_refused(written: tuple[Path, ModelFiles]) -> None:
    with pytest.raises(ModelError, match="is a Stable Diffusion 1.5 checkpoint, not a ControlNet"):
        load(written[0], ModelFiles(controlnet=str(written[0])))


def test_a_checkpoint_without_a_controlnet_is_refused(written: tuple[Path, ModelFiles]) -> None:
    with pytest.raises(ModelError, match=r"lacks controlnet .* Choose a depth ControlNet"):
        load(written[0])


def test_files_that_are_not_there_are_all_named(written: tuple[Path, ModelFiles]) -> None:
    with pytest.raises(ModelError, match="cannot find the ControlNet /no/control, the autoencoder /no/vae"):
        load(written[0], ModelFiles(controlnet="/no/control", vae="/no/vae"))


def test_a_config_of_other_sizes_does_not_fit(written: tuple[Path, ModelFiles], tmp_path: Path) -> None:
    config = tmp_path / "unet" / "config.json"
    config.write_text(
        json.dumps({**json.loads(config.read_text("utf-8")), "block_out_channels": [8, 8, 8, 8]}), "utf-8"
    )
    with pytest.raises(ModelError, match=r"unet: .*of the wrong shape \(model\.diffusion_model"):
        load(*written)
