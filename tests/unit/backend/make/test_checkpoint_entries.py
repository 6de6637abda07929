"""Checkpoints as people have them: entries beside the weights, names in capitals, models of another sort."""

from __future__ import annotations

import dataclasses
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from backend.models.sd15.components import Components, load_components
from shared.errors import InputError, ModelError
from shared.models.files import ModelFiles
from tests.helpers.sd15_models import (
    assert_same_weights,
    checkpoint_weights,
    sd15_modules,
    write_folder,
    write_original,
)


@pytest.fixture(scope="module")
def modules() -> dict[str, Any]:
    return sd15_modules()


@pytest.fixture
def written(tmp_path: Path, modules: dict[str, Any]) -> tuple[Path, ModelFiles]:
    """A checkpoint of the test's own and its ControlNet."""
    return write_original(tmp_path, modules)


def load(model: Path, files: ModelFiles | None = None) -> Components:
    return load_components(str(model), "cpu", "float32", files=files)


def test_a_folders_text_encoder_may_hold_all_of_clip(modules: dict[str, Any], tmp_path: Path) -> None:
    write_folder(tmp_path / "model", modules)
    file = tmp_path / "model" / "text_encoder" / "model.safetensors"
    extra = {"text_projection.weight": torch.eye(8), "logit_scale": torch.tensor(4.6), "vision_model.x": torch.ones(2)}
    save_file(load_file(file) | extra, file, {"format": "pt"})
    assert_same_weights(load(tmp_path / "model"), modules)


@pytest.mark.parametrize("suffix", [".SAFETENSORS", ".CKPT"])
def test_a_suffix_in_capitals_is_the_same(
    written: tuple[Path, ModelFiles], modules: dict[str, Any], tmp_path: Path, suffix: str
) -> None:
    checkpoint = tmp_path / f"MODEL{suffix}"
    if suffix == ".CKPT":
        torch.save({"state_dict": checkpoint_weights(modules)}, checkpoint)
    else:
        save_file(checkpoint_weights(modules), checkpoint)
    config = written[1].config or str(written[0].parent)
    assert_same_weights(load(checkpoint, dataclasses.replace(written[1], config=config)), modules)


DECORATION = (
    "cond_stage_model.logit_scale",
    "cond_stage_model.transformer.logit_scale",
    "cond_stage_model.transformer.text_projection.weight",
    "cond_stage_model.transformer.text_model.text_projection.weight",
    "cond_stage_model.transformer.visual_projection.weight",
    "model_ema.diffusion_modelinput_blocks00weight",
    "first_stage_model.loss.logvar",
    "first_stage_model.model_ema.decay",
    "posterior_log_variance_clipped",
)


@pytest.mark.parametrize("name", DECORATION)
def test_what_savers_and_trainings_leave_in_a_checkpoint_changes_nothing(
    written: tuple[Path, ModelFiles], modules: dict[str, Any], name: str
) -> None:
    checkpoint, files = written
    save_file({**checkpoint_weights(modules), name: torch.ones(8, 8)}, checkpoint)
    assert_same_weights(load(checkpoint, files), modules)


def test_an_entry_that_nobody_knows_is_told(
    written: tuple[Path, ModelFiles], modules: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint, files = written
    save_file({**checkpoint_weights(modules), "refiner.weight": torch.ones(2)}, checkpoint)
    load(checkpoint, files)
    assert [record.getMessage() for record in caplog.records] == [
        f"{checkpoint}: not used of this file: refiner.weight"
    ]


@pytest.mark.parametrize(("channels", "sort"), [(13, "an inpainting model"), (12, "a model that edits pictures")])
def test_a_unet_of_another_sort_is_called_so(written: tuple[Path, ModelFiles], channels: int, sort: str) -> None:
    checkpoint, files = written

    wider = {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(4, channels, 3, 3)}
    save_file(load_file(checkpoint) | wider, checkpoint)
    with pytest.raises(ModelError, match=rf"takes {channels} channels instead of 6: {sort}\."):
        load(checkpoint, files)


def test_numbers_that_are_none_are_named_by_their_part(written: tuple[Path, ModelFiles]) -> None:
    checkpoint, files = written
    weights = load_file(checkpoint)
    name = "model.diffusion_model.out.2.bias"
    save_file(weights | {name: torch.full_like(weights[name], float("nan"))}, checkpoint)
    with pytest.raises(ModelError, match=r"unet: weights are not finite \(conv_out\.bias\)"):
        load(checkpoint, files)


def test_a_part_that_is_not_in_the_file_is_said_to_be_missing(written: tuple[Path, ModelFiles]) -> None:
    checkpoint, files = written
    unet = {name: value for name, value in load_file(checkpoint).items() if name.startswith("model.diffusion_model.")}
    save_file(unet, checkpoint)
    with pytest.raises(ModelError) as failure:
        load(checkpoint, files)
    none = "the file only has other parts of a model"
    assert f"text_encoder: {none}" in str(failure.value) and f"vae: {none}" in str(failure.value)
    assert "weights" not in str(failure.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.safetensors",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            r"only a pointer to the weights \(Git LFS\). Run: git lfs pull",
        ),
        ("a.safetensors", b"<!DOCTYPE html><html></html>", "It is a web page"),
        ("a.safetensors", b"", "It is empty"),
        ("a.ckpt", None, "It is a zip archive without weights"),
    ],
)
def test_what_is_no_file_of_weights_is_called_what_it_is(
    written: tuple[Path, ModelFiles], name: str, content: bytes | None, said: str
) -> None:
    path = written[0].parent / name
    if content is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "hello")
    else:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=rf"{re.escape(str(path))} cannot be read\. .*{said}"):
        load(path, written[1])


def test_another_sort_of_model_is_called_so_before_anything_is_missed_beside_it(tmp_path: Path) -> None:
    save_file({"conditioner.embedders.0.weight": torch.zeros(1)}, tmp_path / "xl.safetensors")
    with pytest.raises(ModelError, match=r"xl\.safetensors is a Stable Diffusion XL checkpoint"):
        load(tmp_path / "xl.safetensors", ModelFiles())


def test_more_steps_than_the_models_offset_leaves_are_refused(written: tuple[Path, ModelFiles]) -> None:
    loaded = load(*written)
    assert int(loaded.scheduler(999).timesteps.max()) < 1000
    with pytest.raises(InputError, match="1000 steps are too many"):
        loaded.scheduler(1000)
