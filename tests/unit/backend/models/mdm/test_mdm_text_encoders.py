"""CLIP and DistilBERT from local folders, in the transformers library's layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import CLIPTextModelWithProjection

from backend.models.mdm.text_encoders import open_text_encoder
from shared.errors import ModelError
from tests.helpers.tiny_mdm import write_clip, write_distilbert
from tests.helpers.tiny_models import tiny_tokenizer


def test_clip_reads_20_tokens_and_zeros_behind_them(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "clip-vit-base-patch32")
    encoder = open_text_encoder("clip", [tmp_path])
    got = encoder.encode("a red robot")
    assert got.tokens.shape == (1, 1, 512)
    assert got.padding is None
    ids = [0, *tiny_tokenizer()("a red robot").input_ids[1:-1], 1]
    row = torch.tensor([ids + [0] * (77 - len(ids))])
    model = CLIPTextModelWithProjection.from_pretrained(str(folder)).eval()
    with torch.no_grad():
        torch.testing.assert_close(got.tokens[0], model(row).text_embeds)


def test_clip_cuts_a_long_text_and_says_what_is_lost(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip")
    encoder = open_text_encoder("clip", [tmp_path])
    whole = " ".join(["red"] * 20)
    assert encoder.cut(whole) == ""
    assert encoder.cut(f"{whole} robot on the moon") == "robot on the moon"
    torch.testing.assert_close(encoder.encode(f"{whole} robot").tokens, encoder.encode(whole).tokens)


def test_distilbert_gives_a_vector_a_word(tmp_path: Path) -> None:
    write_distilbert(tmp_path / "distilbert-base-uncased")
    encoder = open_text_encoder("bert", [tmp_path])
    got = encoder.encode("A red robot")  # uncased
    assert got.tokens.shape == (5, 1, 768)  # with the marks at both ends
    assert got.padding is not None
    assert not got.padding.any()
    torch.testing.assert_close(got.tokens, encoder.encode("a red robot").tokens)
    assert (got.tokens - encoder.encode("a red moon").tokens).abs().max() > 1e-3
    assert encoder.cut("a red robot") == ""
    assert encoder.cut(" ".join(["a"] * 14) + " moon") == "moon"


def test_the_named_folder_comes_first(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip")
    named = write_clip(tmp_path / "mine", projection=64)
    with pytest.raises(ModelError, match="64 numbers, not 512"):
        open_text_encoder("clip", [tmp_path], named)


def test_a_missing_encoder_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="needs CLIP ViT-B/32") as caught:
        open_text_encoder("clip", [tmp_path])
    assert caught.value.code == "model.text_encoder"
    assert "openai/clip-vit-base-patch32" in caught.value.hint


@pytest.mark.parametrize("left_out", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_folder_that_lacks_a_file_is_told(tmp_path: Path, left_out: str) -> None:
    folder = write_clip(tmp_path / "clip")
    for path in folder.glob("vocab.json"):
        path.unlink()
    (folder / left_out).unlink()
    with pytest.raises(ModelError, match=f"has no.*{left_out}"):
        open_text_encoder("clip", [tmp_path])


def test_another_model_is_told(tmp_path: Path) -> None:
    write_distilbert(tmp_path / "clip")
    with pytest.raises(ModelError, match="type 'distilbert', not CLIP"):
        open_text_encoder("clip", [tmp_path])
    write_distilbert(tmp_path / "distilbert", width=32)
    with pytest.raises(ModelError, match="32 numbers a word, not 768"):
        open_text_encoder("bert", [tmp_path])


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "clip")
    (folder / "model.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ")
    with pytest.raises(ModelError) as caught:
        open_text_encoder("clip", [tmp_path])
    assert str(folder) in caught.value.message
    (folder / "config.json").write_text(json.dumps({"model_type": "clip_text_model", "hidden_size": "many"}))
    with pytest.raises(ModelError, match="cannot be loaded"):
        open_text_encoder("clip", [tmp_path])
