"""Textual inversion: words that stand for learned vectors in the text encoder (Gal et al., 2022).

A word is added to the tokenizer, its vectors to the end of the encoder's table; `text` puts the rows in the word's
place. Read are diffusers' layout (one entry named by its word), the WebUI's pickle (`string_to_param`) and its
safetensors (`emb_params`), the last two named by their file, and embeddings that are bundled in a LoRA's file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken
from torch import Tensor, nn

from backend.models.sd15.files.weight_file import read_pickle, read_weights, require_finite
from backend.models.sources import EmbeddingSource
from shared.errors import ModelError
from shared.files.weight_header import is_safetensors, some_names
from shared.models.recognition import weight_kinds
from shared.models.table import FAMILY_OF_PROMPT_WIDTH

_WEBUI_PICKLE, _WEBUI_SAFE = "string_to_param", "emb_params"
_CLIP = "clip_l"  # the encoder that Stable Diffusion 1.5 has, as trainers for several families name it
_BUNDLE = "bundle_emb."  # in a LoRA's file: bundle_emb.WORD.string_to_param.*, or bundle_emb.WORD.emb_params


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A word and the vectors (count, width) that it stands for; `place` says where they come from."""

    word: str
    vectors: Tensor
    place: str


def read_embedding(source: EmbeddingSource) -> Embedding:
    """Read an embedding's file; its word is the one that is given, else the file's. Raises ModelError."""
    path = source.path
    values: Mapping[str, Any] = read_weights(path) if is_safetensors(path) else read_pickle(path)
    webui = values.get(_WEBUI_PICKLE)
    if isinstance(webui, Mapping):
        vectors, word = next(iter(webui.values()), None), path.stem
    elif _WEBUI_SAFE in values:
        vectors, word = values[_WEBUI_SAFE], path.stem
    elif _CLIP in values and len(values) == 1:
        vectors, word = values[_CLIP], path.stem
    else:
        tensors = {str(key): value for key, value in values.items() if isinstance(value, Tensor)}
        word, vectors = next(iter(tensors.items())) if len(tensors) == 1 else ("", None)
    if not isinstance(vectors, Tensor) or vectors.ndim not in (1, 2) or not vectors.numel():
        names = sorted(map(str, values))
        kind = weight_kinds(names).name or "not a textual inversion embedding"
        raise ModelError(
            "model.embedding", f"{path} is {kind}; it holds {some_names(names) or 'nothing'}.", "Choose another file."
        )
    require_finite(path, {word: vectors})
    return Embedding(source.token or word, _rows(vectors), f"The embedding {path}")


def split_bundle(path: Path, weights: Mapping[str, Tensor]) -> tuple[tuple[Embedding, ...], dict[str, Tensor]]:
    """The embeddings bundled in a LoRA's file, and its other weights. Raises ModelError for one that cannot be used."""
    bundled, others = [], {}
    for name, value in weights.items():
        word, _, entry = name.removeprefix(_BUNDLE).partition(".")
        if not name.startswith(_BUNDLE):
            others[name] = value
        elif entry.partition(".")[0] in (_WEBUI_PICKLE, _WEBUI_SAFE, _CLIP) and value.ndim in (1, 2) and value.numel():
            bundled.append(Embedding(word, _rows(value), f'The embedding "{word}" in {path}'))
        else:
            raise ModelError(
                "model.embedding",
                f'The embedding "{word}" in {path} is not for Stable Diffusion 1.5: it contains {entry or "nothing"}.',
                "Use a LoRA without it.",
            )
    return tuple(bundled), others


def add_embeddings(embeddings: Iterable[Embedding], tokenizer: Any, text_encoder: Any) -> dict[int, tuple[int, ...]]:
    """Add each embedding's word and vectors to both; returns the rows that each new token stands for.

    Raises ModelError for vectors of another width, and for a word that is taken.
    """
    rows: dict[int, tuple[int, ...]] = {}
    for embedding in embeddings:
        table = _table(text_encoder)
        count, width = embedding.vectors.shape
        if width != table.shape[1]:
            made_for = FAMILY_OF_PROMPT_WIDTH.get(width, "another model")
            raise ModelError(
                "model.embedding",
                f"{embedding.place} has vectors of width {width}; this model's text encoder has {table.shape[1]}: it "
                f"is made for {made_for}.",
                "Use one made for this model.",
            )
        token = _add_word(tokenizer, embedding)
        rows[token] = tuple(range(table.shape[0], table.shape[0] + count))
        _set_table(text_encoder, torch.cat((table, embedding.vectors.to(table))))
    return rows


def _rows(vectors: Tensor) -> Tensor:
    return vectors.detach().reshape(-1, vectors.shape[-1]).float()


def _add_word(tokenizer: Any, embedding: Embedding) -> int:
    """The id of a new word. Raises ModelError for one that the tokenizer has."""
    word = embedding.word
    taken = {known.removesuffix("</w>").lower() for known in tokenizer.get_vocab()}
    if not word.strip() or word.lower() in taken:
        raise ModelError(
            "model.embedding_word",
            f'{embedding.place} cannot use the word "{word}", which the tokenizer already has.',
            "Give it another word.",
        )
    tokenizer.add_tokens([AddedToken(word, single_word=True, normalized=True)])
    token: int = tokenizer.convert_tokens_to_ids(word)
    return token


def _table(text_encoder: Any) -> Tensor:
    embedding: nn.Embedding = text_encoder.get_input_embeddings()
    return embedding.weight.detach()


def _set_table(text_encoder: Any, table: Tensor) -> None:
    text_encoder.set_input_embeddings(nn.Embedding(len(table), table.shape[1], _weight=table))
    text_encoder.config.vocab_size = len(table)
