"""Checkpoints in the published layout: which weights are taken, and what is said of files that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.models.mdm.arguments import arguments_of, read_arguments
from backend.models.mdm.checkpoint import checkpoint_file, load_checkpoint
from shared.errors import ModelError
from shared.motion.models.table import motion_family_of
from tests.helpers.tiny_mdm import (
    DIP_ARGUMENTS,
    ENCODER_ARGUMENTS,
    WIDTH,
    published_weights,
    random_network,
    write_checkpoint,
)

FILE = "model000200000.pt"


def rewritten(folder: Path, change: Any) -> Path:
    """A checkpoint whose weights were changed in place by `change`."""
    write_checkpoint(folder)
    weights = torch.load(folder / FILE, weights_only=True)
    change(weights)
    torch.save(weights, folder / FILE)
    return folder


def refused(folder: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        load_checkpoint(folder)
    return caught.value


def test_the_weights_of_the_file_are_the_networks(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(write_checkpoint(tmp_path))
    wanted = random_network(ENCODER_ARGUMENTS).state_dict()
    assert checkpoint.network.state_dict().keys() == wanted.keys()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in checkpoint.network.state_dict().items())
    assert not checkpoint.network.training
    assert checkpoint.file == tmp_path / FILE
    # The positions are computed: those of a file, of whatever length, are not read.
    assert len(checkpoint.network.sequence_pos_encoder.pe) == 260


@pytest.mark.parametrize("averaged", [True, False])
def test_averaged_weights_are_taken_where_the_training_meant_them(tmp_path: Path, averaged: bool) -> None:
    write_checkpoint(tmp_path, DIP_ARGUMENTS)
    (tmp_path / "args.json").write_text(json.dumps({**DIP_ARGUMENTS, "use_ema": averaged}))
    got = load_checkpoint(tmp_path).network.state_dict()
    wanted = random_network(DIP_ARGUMENTS, 0 if averaged else 1).state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in got.items())


def test_missing_averaged_weights_are_told(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, {**ENCODER_ARGUMENTS})
    (tmp_path / "args.json").write_text(json.dumps({**ENCODER_ARGUMENTS, "use_ema": True}))
    weights = torch.load(tmp_path / FILE, weights_only=True)
    torch.save({"model": weights}, tmp_path / FILE)
    assert "has no averaged weights" in load_checkpoint(tmp_path).notes[0]


def test_half_precision_the_text_encoder_and_goals_do_no_harm(tmp_path: Path) -> None:
    def change(weights: dict[str, torch.Tensor]) -> None:
        for name in list(weights):
            weights[name] = weights[name].half()
        weights["clip_model.token_embedding.weight"] = torch.zeros(4, 4)
        weights["embed_target_cond.mlp.0.weight"] = torch.zeros(4, 4)
        weights["sequence_pos_encoder.pe"] = torch.zeros(7, 1, WIDTH)

    checkpoint = load_checkpoint(rewritten(tmp_path, change))
    assert next(checkpoint.network.parameters()).dtype == torch.float32
    assert "follows the text alone" in checkpoint.notes[0]


def test_missing_and_surplus_weights_are_named(tmp_path: Path) -> None:
    def change(weights: dict[str, torch.Tensor]) -> None:
        weights["embed_words.weight"] = weights.pop("embed_text.weight")

    error = refused(rewritten(tmp_path, change))
    assert error.code == "model.weights"
    assert "has no embed_text.weight" in error.message
    assert "has embed_words.weight, which the network does not know" in error.message


def test_weights_of_another_size_are_named(tmp_path: Path) -> None:
    def change(weights: dict[str, torch.Tensor]) -> None:
        weights["output_process.poseFinal.bias"] = torch.zeros(251)

    error = refused(rewritten(tmp_path, change))
    assert "output_process.poseFinal.bias has shape (251,)" in error.message


def test_a_file_that_would_run_code_is_not_opened(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    witness = tmp_path / "ran"

    class Bad:
        def __reduce__(self) -> Any:
            return Path.touch, (witness,)

    torch.save({"model": Bad()}, tmp_path / FILE)
    assert refused(tmp_path).code == "model.unreadable"
    assert not witness.exists()


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    write_checkpoint(tmp_path)
    (tmp_path / FILE).write_bytes(content)
    assert refused(tmp_path).code == "model.unreadable"


@pytest.mark.parametrize("content", [{"model": 3}, {"weights": {"a": 1}}, [1, 2]])
def test_a_file_of_something_else_is_told(tmp_path: Path, content: Any) -> None:
    write_checkpoint(tmp_path)
    torch.save(content, tmp_path / FILE)
    assert refused(tmp_path).code == "model.unreadable"


def test_a_folder_stands_for_its_longest_training(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    for name in ("model000050000.pt", "opt000900000.pt", "model_old.pt"):
        (tmp_path / name).write_bytes(b"")
    assert checkpoint_file(tmp_path) == tmp_path / FILE
    assert checkpoint_file(tmp_path / "model000050000.pt") == tmp_path / "model000050000.pt"
    with pytest.raises(ModelError, match="no checkpoint of MDM"):
        checkpoint_file(tmp_path / "..")


def test_old_arguments_leave_out_what_was_the_only_way_then(tmp_path: Path) -> None:
    old = {"dataset": "humanml", "layers": 8, "latent_dim": 512, "diffusion_steps": 1000, "cond_mode": "text"}
    arguments = arguments_of(old, tmp_path)
    assert (arguments.shape.form, arguments.text_encoder, arguments.steps) == ("trans_enc", "clip", 1000)
    assert arguments.guidable
    assert arguments.small_variance
    assert not arguments.averaged
    assert not arguments.shape.mask_frames
    assert arguments.shape.longest == 5000
    assert arguments.predicted_frames == 0


def test_a_context_without_a_length_to_predict_predicts_as_much() -> None:
    raw = {**DIP_ARGUMENTS, "pred_len": 0}
    assert arguments_of(raw, Path("args.json")).predicted_frames == 20
    assert arguments_of(DIP_ARGUMENTS, Path("args.json")).predicted_frames == 40


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dataset": "kit"}, "21 joints"),
        ({"dataset": "humanact12"}, "reads no text"),
        ({"dataset": "uestc"}, "reads no text"),
        ({"arch": "gru"}, "GRU"),
        ({"unconstrained": True}, "without texts"),
        ({"cond_mode": "no_cond"}, "without texts"),
        ({"dataset": "mine"}, "dataset is 'mine'"),
        ({"layers": "8"}, "layers is '8', not a whole number"),
        ({"latent_dim": 10**9}, "latent_dim"),
        ({"latent_dim": 18}, "the 4 heads"),
        ({"noise_schedule": "linear"}, "too few for noise_schedule linear"),
        ({"use_ema": 1}, "use_ema is 1, not true or false"),
        ({"text_encoder_type": "bert"}, "only works with arch trans_dec"),
        ({"arch": "trans_dec", "emb_policy": "concat"}, "only works with text_encoder_type bert"),
    ],
)
def test_other_models_and_broken_arguments_are_told(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError) as caught:
        arguments_of({**ENCODER_ARGUMENTS, **change}, Path("args.json"))
    assert said in caught.value.message


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff"])
def test_a_file_of_arguments_that_is_none_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "args.json").write_bytes(content)
    with pytest.raises(ModelError, match="not MDM's arguments"):
        read_arguments(tmp_path / "args.json")
    with pytest.raises(ModelError, match="cannot be read"):
        read_arguments(tmp_path / "missing.json")


def test_a_checkpoint_is_recognised_by_its_arguments(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "humanml_trans_enc_512")
    assert motion_family_of(folder).name == "mdm"
    assert motion_family_of(folder / FILE).name == "mdm"
    (tmp_path / "args.json").write_text("{}")
    (tmp_path / "clip.npy").write_bytes(b"")
    for place, said in ((tmp_path, "not a motion model"), (tmp_path / "clip.npy", "not a"), (tmp_path / "x", "no mot")):
        with pytest.raises(ModelError, match=said):
            motion_family_of(place)


def test_the_published_positions_are_those_that_are_computed() -> None:
    weights = published_weights(random_network(ENCODER_ARGUMENTS))
    row = weights["sequence_pos_encoder.pe"][3, 0]
    assert row[0] == pytest.approx(0.14112, abs=1e-5)  # sin 3
    assert row[1] == pytest.approx(-0.98999, abs=1e-5)  # cos 3
