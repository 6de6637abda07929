"""Textual inversion: its vectors stand where its word stands, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from backend.models.sd15.components import Components, load_components
from backend.models.sd15.text import encode_prompt
from shared.errors import ModelError
from shared.models.files import EmbeddingFile, LoraFile, ModelFiles
from tests.helpers.tiny_models import TEXT_WIDTH, tiny_components, write_tiny_model

VECTORS = torch.randn(3, TEXT_WIDTH, generator=torch.Generator().manual_seed(5))
PLAIN = "a red robot on the moon"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    write_tiny_model(folder)
    return folder


def load(model: Path, *embeddings: EmbeddingFile, **files: Any) -> Components:
    return load_components(str(model), "cpu", "float32", files=ModelFiles(embeddings=embeddings, **files))


def by_hand(components: Components, words: list[int | Tensor]) -> Tensor:
    """The encoder's output for tokens and vectors, laid into its table's output by hand."""
    encoder, tokenizer = components.text_encoder, components.tokenizer
    ids = [tokenizer.bos_token_id, *(0 if isinstance(word, Tensor) else word for word in words), tokenizer.eos_token_id]
    ids += [tokenizer.pad_token_id] * (components.text_length - len(ids))

    def put(_module: Any, _inputs: Any, output: Tensor) -> Tensor:
        for place, word in enumerate(words, 1):
            if isinstance(word, Tensor):
                output[0, place] = word
        return output

    handle = encoder.get_input_embeddings().register_forward_hook(put)
    with torch.no_grad():
        hidden: Tensor = encoder(torch.tensor([ids]))[0]
    handle.remove()
    return hidden


def write(kind: str, path: Path, vectors: Tensor) -> Path:
    contents: dict[str, Any] = {
        "webui.pt": {"string_to_token": {"*": 265}, "string_to_param": {"*": vectors}, "name": "another", "step": 9},
        "webui.safetensors": {"emb_params": vectors},
        "webui.SAFETENSORS": {"clip_l": vectors},
        "diffusers.bin": {"<sks>": vectors},
        "diffusers.safetensors": {"<sks>": vectors},
    }
    file = path / kind.replace("webui", "SKS-thing")
    if file.suffix.lower() == ".safetensors":
        save_file(contents[kind], file)
    else:
        torch.save(contents[kind], file)
    return file


KINDS = {
    "webui.pt": "sks-thing",
    "webui.safetensors": "sks-thing",
    "webui.SAFETENSORS": "sks-thing",
    "diffusers.bin": "<sks>",
    "diffusers.safetensors": "<sks>",
}


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_stand_where_the_word_stands(model: Path, tmp_path: Path, kind: str) -> None:
    components = load(model, EmbeddingFile(str(write(kind, tmp_path, VECTORS))))
    ids = components.tokenizer("a robot").input_ids[1:-1]
    expected = by_hand(tiny_components(), [ids[0], *VECTORS, ids[1]])
    embeds = encode_prompt(components, f"a {KINDS[kind]} robot", f"a {KINDS[kind].upper()} robot")
    torch.testing.assert_close(embeds.positive, expected, rtol=0, atol=1e-6)
    assert torch.equal(embeds.positive, embeds.negative)


def test_one_vector_may_have_no_first_axis(model: Path, tmp_path: Path) -> None:
    components = load(model, EmbeddingFile(str(write("diffusers.bin", tmp_path, VECTORS[0]))))
    (token,) = components.tokenizer("robot").input_ids[1:-1]
    embeds = encode_prompt(components, "<sks> robot")
    torch.testing.assert_close(embeds.positive, by_hand(tiny_components(), [VECTORS[0], token]), rtol=0, atol=1e-6)


def test_prompts_without_the_word_are_untouched(model: Path, tmp_path: Path) -> None:
    components = load(model, EmbeddingFile(str(write("webui.pt", tmp_path, VECTORS)), "dance"))
    baseline = encode_prompt(tiny_components(), PLAIN, "blurry")
    embeds = encode_prompt(components, PLAIN, "blurry")
    assert torch.equal(embeds.positive, baseline.positive) and torch.equal(embeds.negative, baseline.negative)
    # "dancing" holds neither the word itself nor an entry for it.
    inside = encode_prompt(components, "a dancing robot")
    assert torch.equal(inside.positive, encode_prompt(tiny_components(), "a dancing robot").positive)
    assert not torch.equal(encode_prompt(components, f"{PLAIN} dance").positive, baseline.positive)


def test_an_embedding_that_does_not_fit_in_whole_is_cut_in_whole(model: Path, tmp_path: Path) -> None:
    components = load(model, EmbeddingFile(str(write("webui.pt", tmp_path, VECTORS)), "sks"))
    words = "a red robot dancing on the moon a"  # 8 of 10 places
    embeds = encode_prompt(components, f"{words} sks robot")
    assert embeds.cut == "sks robot"
    assert torch.equal(embeds.positive, encode_prompt(tiny_components(), words).positive)


def test_two_embeddings(model: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.pt", tmp_path / "second.pt"
    torch.save({"<one>": VECTORS[:2]}, first)
    torch.save({"<two>": VECTORS[2:]}, second)
    components = load(model, EmbeddingFile(str(first)), EmbeddingFile(str(second)))
    embeds = encode_prompt(components, "<two> <one>")
    expected = by_hand(tiny_components(), [VECTORS[2], VECTORS[0], VECTORS[1]])
    torch.testing.assert_close(embeds.positive, expected, rtol=0, atol=1e-6)
    with pytest.raises(ModelError, match='second.pt cannot use the word "<ONE>"'):
        load(model, EmbeddingFile(str(first)), EmbeddingFile(str(second), "<ONE>"))


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "another width": (
        {"<x>": torch.zeros(1, 5)},
        "",
        f"vectors of width 5; this model's text encoder has {TEXT_WIDTH}",
    ),
    "two entries": ({"clip_g": torch.zeros(1, 5), "clip_l": torch.zeros(1, 5)}, "", "it holds clip_g, clip_l"),
    "no numbers": ({"<x>": VECTORS * float("nan")}, "", r"x\.pt holds weights that are not finite \(<x>\)"),
    "no vectors": ({"string_to_param": {"*": 3}}, "", "is not a textual inversion embedding"),
    "a word of the tokenizer": ({"<x>": VECTORS}, "robot", 'cannot use the word "robot"'),
    "a taken letter": ({"<x>": VECTORS}, "A", 'cannot use the word "A"'),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused(model: Path, tmp_path: Path, case: str) -> None:
    content, token, said = REFUSED[case]
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(ModelError, match=said):
        load(model, EmbeddingFile(str(tmp_path / "x.pt"), token))


def test_files_that_are_not_there_are_all_named(model: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot find the LoRA /no/lora, the embedding /no/embedding\."):
        load(model, EmbeddingFile("/no/embedding"), loras=(LoraFile("/no/lora"),))
