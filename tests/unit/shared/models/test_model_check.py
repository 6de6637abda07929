"""A model looked at file by file: what is there, missing, written in part or of another kind, in words."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.errors import ModelError
from shared.files.weight_header import read_weight_header, size_text
from shared.models.check import FileCheck, FileState, check_model_files
from shared.models.files import EmbeddingFile, LoraFile, ModelFiles
from shared.models.recognition import weight_kinds

EMBEDDED = Path(__file__).resolve().parents[4] / "backend" / "embedded"
NAMES = {
    "checkpoint": "model.diffusion_model.input_blocks.0.0.weight",
    "controlnet": "control_model.input_hint_block.0.weight",
    "vae": "first_stage_model.decoder.conv_in.weight",
    "lora": "lora_unet_down.lora_down.weight",
    "xl": "conditioner.embedders.0.weight",
}


def safetensors(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Path:
    """A real .safetensors file: float32 zeros of these shapes."""
    table, place = {}, 0
    for name, shape in shapes.items():
        size = 4
        for side in shape:
            size *= side
        table[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [place, place + size]}
        place += size
    head = json.dumps(table).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(head).to_bytes(8, "little") + head + bytes(place))
    return path


def kind_of(folder: Path, kind: str) -> Path:
    return safetensors(folder / f"{kind}.safetensors", {NAMES[kind]: (320, 4, 3, 3)})


def checkpoint(folder: Path) -> tuple[Path, ModelFiles]:
    """A whole model of files: the checkpoint, its vocabulary, a ControlNet."""
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "tokenizer" / "vocab.json").write_text('{"a": 0}')
    (folder / "tokenizer" / "merges.txt").write_text("a b")
    return kind_of(folder, "checkpoint"), ModelFiles(controlnet=str(kind_of(folder, "controlnet")))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder in diffusers' layout that is all there."""
    return Path(shutil.copytree(EMBEDDED, tmp_path / "model"))


def rows(model: Path | str, files: ModelFiles | None = None) -> dict[str, FileCheck]:
    return {row.name: row for row in check_model_files(str(model), files)}


def faults(model: Path | str, files: ModelFiles | None = None) -> dict[str, str]:
    return {row.name: f"{row.state.value}: {row.text}" for row in rows(model, files).values() if not row.usable}


def test_every_file_of_the_embedded_model_is_whole() -> None:
    found = rows(EMBEDDED)
    assert {row.state for row in found.values()} == {FileState.WHOLE}
    wanted = {f"{part}/config.json" for part in ("unet", "vae", "text_encoder", "controlnet", "tiny_vae")}
    wanted |= {f"{part}/diffusion_pytorch_model.safetensors" for part in ("unet", "vae", "controlnet", "tiny_vae")}
    wanted |= {"text_encoder/model.safetensors", "tokenizer/tokenizer.json", "scheduler/scheduler_config.json"}
    assert set(found) == wanted
    size = (EMBEDDED / "unet" / "diffusion_pytorch_model.safetensors").stat().st_size
    assert found["unet/diffusion_pytorch_model.safetensors"].text == f"{size / 1e6:.0f} MB"


@pytest.mark.parametrize("kept", [0, 5, 3000, 20_000_000])
def test_a_file_that_was_written_in_part_is_told_by_its_size(model: Path, kept: int) -> None:
    weights = model / "unet" / "diffusion_pytorch_model.safetensors"
    whole = weights.stat().st_size
    os.truncate(weights, kept)
    (name, text), *others = faults(model).items()
    assert name == "unet/diffusion_pytorch_model.safetensors" and not others
    assert text.startswith("incomplete: ")
    if kept == 20_000_000:
        assert f"It is incomplete: 20 MB of {whole / 1e6:.0f} MB." in text


def test_what_is_missing_is_named_with_its_place(model: Path) -> None:
    (model / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    (model / "unet" / "config.json").unlink()
    (model / "tokenizer" / "tokenizer.json").unlink()
    found = faults(model)
    assert set(found) == {"vae/ weights", "unet/config.json", "tokenizer"}
    assert all(text.startswith("missing: There is n") and str(model) in text for text in found.values())


def test_a_download_that_has_not_ended_is_told(model: Path) -> None:
    weights = model / "vae" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name(f"{weights.name}.crdownload"))
    assert "download is not finished" in faults(model)["vae/ weights"]


def test_parts_in_each_others_place_are_told(model: Path) -> None:
    shutil.rmtree(model / "unet")
    shutil.copytree(model / "vae", model / "unet")
    found = faults(model)
    assert "It describes AutoencoderKL instead of UNet2DConditionModel." in found["unet/config.json"]
    weights = "unet/diffusion_pytorch_model.safetensors"
    assert found[weights] == "wrong kind: It is an autoencoder, not a UNet in diffusers' layout."


@pytest.mark.parametrize(
    ("changed", "text"),
    [({"in_channels": 17}, "an inpainting model"), ({"cross_attention_dim": 1024}, "the text encoder gives 160")],
)
def test_a_unet_of_another_stable_diffusion_is_told(model: Path, changed: dict[str, int], text: str) -> None:
    path = model / "unet" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    found = faults(model)["unet/config.json"]
    assert found.startswith("wrong kind: ") and text in found


def test_weights_in_several_files_are_all_looked_at(model: Path) -> None:
    folder = model / "unet"
    (folder / "diffusion_pytorch_model.safetensors").unlink()
    index = {"weight_map": {"conv_norm_out.weight": "one.safetensors", "conv_in.weight": "two.safetensors"}}
    (folder / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    safetensors(folder / "one.safetensors", {"conv_norm_out.weight": (4,)})
    assert set(faults(model)) == {"unet/two.safetensors"}
    assert rows(model)["unet/one.safetensors"].state is FileState.WHOLE


def test_a_broken_json_file_is_not_whole(model: Path) -> None:
    path = model / "vae" / "config.json"
    path.write_bytes(path.read_bytes()[:100])
    (model / "scheduler" / "scheduler_config.json").write_text("[]")
    found = faults(model)
    assert found["vae/config.json"].startswith("incomplete: It is not a complete JSON file.")
    assert found["scheduler/scheduler_config.json"] == "wrong kind: It contains no values."


def test_a_large_vocabulary_is_known_by_its_ends(tmp_path: Path) -> None:
    model, files = checkpoint(tmp_path)
    words = json.dumps({f"word{number}": number for number in range(10_000)}, indent=1)
    vocabulary = tmp_path / "tokenizer" / "vocab.json"
    vocabulary.write_text(f"{words}\n")
    assert faults(model, files) == {}
    vocabulary.write_text(words[:-3])
    assert faults(model, files)["tokenizer/vocab.json"].startswith("incomplete: ")


def test_a_checkpoint_needs_a_vocabulary_and_a_controlnet(tmp_path: Path) -> None:
    model, files = checkpoint(tmp_path / "whole")
    assert faults(model, files) == {}
    assert list(rows(model, files)) == [
        "checkpoint.safetensors",
        "tokenizer/vocab.json",
        "controlnet controlnet.safetensors",
    ]
    alone = faults(kind_of(tmp_path, "checkpoint"))
    assert set(alone) == {"tokenizer", "controlnet"}
    assert "Choose a depth ControlNet" in alone["controlnet"]


def test_files_in_each_others_place_are_told_by_what_they_are(tmp_path: Path) -> None:
    model, files = checkpoint(tmp_path)
    assert faults(files.controlnet, ModelFiles(str(model)))[Path(files.controlnet).name] == (
        "wrong kind: It is a ControlNet, not a Stable Diffusion 1.5 checkpoint."
    )
    turned = ModelFiles(files.controlnet, vae=str(kind_of(tmp_path, "lora")), loras=(LoraFile(files.controlnet),))
    found = faults(model, turned)
    assert found["vae lora.safetensors"].endswith("It is a LoRA, not an autoencoder.")
    assert found["LoRA controlnet.safetensors"].endswith("It is a ControlNet, not a LoRA.")
    assert "a Stable Diffusion XL checkpoint" in faults(kind_of(tmp_path, "xl"), files)["xl.safetensors"]


def test_a_tiny_autoencoder_is_looked_at_where_there_is_one(tmp_path: Path) -> None:
    model, files = checkpoint(tmp_path / "model")
    assert not [name for name in rows(model, files) if name.startswith("tiny_vae")]
    own = tmp_path / "model" / "tiny_vae"
    weights = safetensors(own / "diffusion_pytorch_model.safetensors", {"decoder.layers.0.weight": (64, 4, 3, 3)})
    (own / "config.json").write_text('{"_class_name": "AutoencoderTiny"}')
    assert faults(model, files) == {} and "tiny_vae/config.json" in rows(model, files)
    (own / "config.json").write_text('{"_class_name": "AutoencoderKL"}')
    assert "It describes AutoencoderKL instead of AutoencoderTiny." in faults(model, files)["tiny_vae/config.json"]
    named = dataclasses.replace(files, tiny_vae=str(weights))
    assert "Choose a folder in diffusers' layout" in faults(model, named)["tiny_vae"]


def test_an_inpainting_checkpoint_is_told_by_its_shapes(tmp_path: Path) -> None:
    _, files = checkpoint(tmp_path)
    model = safetensors(tmp_path / "inpaint.safetensors", {NAMES["checkpoint"]: (320, 9, 3, 3)})
    assert "9 channels instead of 4: an inpainting model" in faults(model, files)["inpaint.safetensors"]


def test_a_pickle_is_there_and_not_opened(tmp_path: Path) -> None:
    _, files = checkpoint(tmp_path)
    with zipfile.ZipFile(tmp_path / "model.ckpt", "w") as archive:
        archive.writestr("archive/data.pkl", b"cos\nsystem\n(S'false'\ntR.")
    row = rows(tmp_path / "model.ckpt", files)["model.ckpt"]
    assert row.state is FileState.UNSEEN and "a pickle" in row.text
    whole = (tmp_path / "model.ckpt").read_bytes()
    (tmp_path / "model.ckpt").write_bytes(whole[: len(whole) // 2])
    assert "cut off" in faults(tmp_path / "model.ckpt", files)["model.ckpt"]


def test_a_zipped_pickle_with_a_broken_table_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"x" * 100)
    path.write_bytes(path.read_bytes().replace(b"PK\x01\x02", b"PK\x00\x00"))
    with pytest.raises(ModelError, match="its header cannot be read"):
        read_weight_header(path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n", "Run: git lfs pull"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"\x00" * 64, "not a .safetensors file"),
        (b"\x08\x00\x00\x00\x00\x00\x00\x00{broken}", "its table cannot be read"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}", "contains no weights"),
        (b'\x0d\x00\x00\x00\x00\x00\x00\x00{"a": [1, 2]}', "its table cannot be read"),
    ],
)
def test_what_is_no_weights_is_told(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=text):
        read_weight_header(tmp_path / "x.safetensors")


def test_a_folder_of_checkpoints_is_no_model_itself(tmp_path: Path) -> None:
    for kind in ("checkpoint", "xl"):
        kind_of(tmp_path, kind)
    text = faults(tmp_path)[tmp_path.name]
    assert text.endswith("Add a file inside it instead: checkpoint.safetensors, xl.safetensors.")
    (tmp_path / "empty").mkdir()
    assert "not a model in diffusers' layout" in faults(tmp_path / "empty")["empty"]


def test_what_is_not_there_and_what_cannot_be_looked_up(tmp_path: Path) -> None:
    assert "There is no /nowhere/model on this machine." in faults("/nowhere/model")["model"]
    assert faults("m" * 900)
    files = ModelFiles(embeddings=(EmbeddingFile(str(tmp_path / "word.pt")),))
    assert faults(EMBEDDED, files)["embedding word.pt"].startswith("missing: There is no word.pt in")
    odd = ModelFiles(controlnet=str(tmp_path / "notes.txt"))
    assert "not a weight file" in faults(EMBEDDED, odd)["controlnet notes.txt"]


@pytest.mark.parametrize(
    ("size", "text"), [(12, "12 bytes"), (1_500, "2 kB"), (30_482_104, "30 MB"), (4_265_000_000, "4.3 GB")]
)
def test_sizes_are_read_easily(size: int, text: str) -> None:
    assert size_text(size) == text


KINDS_BY_NAME = {
    "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": "a LoRA for Stable Diffusion XL",
    "unet.down_blocks.1.attentions.0.transformer_blocks.1.attn1.to_q.lora_A.weight": "a LoRA for Stable Diffusion XL",
    "lora_unet_single_blocks_3_linear1.lora_down.weight": "a LoRA for Flux",
    "transformer.transformer_blocks.3.attn.to_q.lora_A.weight": "a LoRA for Stable Diffusion 3",
    "diffusion_model.blocks.7.self_attn.q.lora_A.weight": "a LoRA for a video model",
    "lora_unet_mid_block_attentions_0_proj_in.oft_blocks": "a LyCORIS file of the kind OFT",
    "down_blocks.0.motion_modules.0.temporal_transformer.norm.weight": "an AnimateDiff motion module",
    "model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight": "a Stable Diffusion 3 checkpoint",
    "double_blocks.0.img_attn.qkv.weight": "a Flux checkpoint",
    "cond_stage_model.model.ln_final.weight": "a Stable Diffusion 2 checkpoint",
    "add_embedding.linear_1.weight": "a UNet of Stable Diffusion XL",
    "ip_adapter.1.to_k_ip.weight": "an IP-Adapter",
    # What can be used.
    "lora_unet_mid_block_attentions_0_proj_in.hada_w1_a": "a LoRA",
    "lora_unet_mid_block_attentions_0_proj_in.lokr_w1": "a LoRA",
    "lora_unet_mid_block_resnets_0_norm1.w_norm": "a LoRA",
    "lora_unet_mid_block_resnets_0_conv1.diff": "a LoRA",
}


@pytest.mark.parametrize("name", KINDS_BY_NAME)
def test_a_file_is_told_from_its_names(name: str) -> None:
    assert weight_kinds([name]).name == KINDS_BY_NAME[name]


def test_what_savers_leave_in_a_checkpoint_is_passed_over_and_all_else_is_told(tmp_path: Path) -> None:
    names = {
        **dict.fromkeys(("cond_stage_model.logit_scale", "model_ema.decay", "betas", "sqrt_alphas_cumprod"), (1,)),
        "cond_stage_model.transformer.text_projection.weight": (8, 8),
        "control_model.zero_convs.0.0.weight": (1,),
        NAMES["checkpoint"]: (320, 4, 3, 3),
    }
    checkpoint(tmp_path)
    path = safetensors(tmp_path / "plain.SAFETENSORS", names)
    assert rows(path)["plain.SAFETENSORS"].text == size_text(path.stat().st_size)
    path = safetensors(tmp_path / "more.safetensors", {**names, "refiner.weight": (1,), "second_unet.bias": (1,)})
    assert rows(path)["more.safetensors"].text.endswith(" kB; not used: refiner.weight, second_unet.bias")
