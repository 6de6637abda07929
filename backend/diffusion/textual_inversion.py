"""Textual inversion: words that stand for learned vectors in the text encoder (Gal et al., 2022).

A word is added to the tokenizer, its vectors to the end of the encoder's table; `text` puts the rows in the word's
place. Read are diffusers' layout (one entry named by its word), the WebUI's pickle (`string_to_param`) and its
safetensors (`emb_params`), the last two named by their file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken
from torch import Tensor, nn

from backend.diffusion.model_sources import EmbeddingSource
from backend.diffusion.weight_file import read_pickle, read_weights, some_names
from shared.errors import ModelError

_WEBUI_PICKLE, _WEBUI_SAFE = "string_to_param", "emb_params"


def add_embeddings(
    embeddings: tuple[EmbeddingSource, ...], tokenizer: Any, text_encoder: Any
) -> dict[int, tuple[int, ...]]:
    """Add each embedding's word and vectors to both; returns the rows that each new token stands for.

    Raises ModelError for a file that holds no embedding, vectors of another width, and a word that is taken.
    """
    rows: dict[int, tuple[int, ...]] = {}
    for embedding in embeddings:
        word, vectors = _read(embedding.path)
        word = embedding.token or word
        table = _table(text_encoder)
        if vectors.shape[1] != table.shape[1]:
            raise ModelError(
                "model.embedding",
                f"The embedding {embedding.path} has vectors of width {vectors.shape[1]}; this model's text encoder "
                f"has {table.shape[1]}.",
                "Use one made for Stable Diffusion 1.5.",
            )
        token = _add_word(tokenizer, word, embedding.path)
        rows[token] = tuple(range(table.shape[0], table.shape[0] + len(vectors)))
        _set_table(text_encoder, torch.cat((table, vectors.to(table))))
    return rows


def _read(path: Path) -> tuple[str, Tensor]:
    """The file's word and its vectors (count, width)."""
    values: Mapping[str, Any] = read_weights(path) if path.suffix == ".safetensors" else read_pickle(path)
    webui = values.get(_WEBUI_PICKLE)
    if isinstance(webui, Mapping):
        vectors, word = next(iter(webui.values()), None), path.stem
    elif _WEBUI_SAFE in values:
        vectors, word = values[_WEBUI_SAFE], path.stem
    else:
        tensors = {str(key): value for key, value in values.items() if isinstance(value, Tensor)}
        word, vectors = next(iter(tensors.items())) if len(tensors) == 1 else ("", None)
    if not isinstance(vectors, Tensor) or vectors.ndim not in (1, 2) or not vectors.numel():
        raise ModelError(
            "model.embedding",
            f"{path} is no textual inversion embedding for Stable Diffusion 1.5; it holds "
            f"{some_names(sorted(map(str, values))) or 'nothing'}.",
            "Give the right file.",
        )
    return word, vectors.detach().reshape(-1, vectors.shape[-1]).float()


def _add_word(tokenizer: Any, word: str, path: Path) -> int:
    """The id of a new word. Raises ModelError for one that the tokenizer has."""
    taken = {known.removesuffix("</w>").lower() for known in tokenizer.get_vocab()}
    if not word.strip() or word.lower() in taken:
        raise ModelError(
            "model.embedding_word",
            f'The embedding {path} cannot stand for "{word}", a word that the tokenizer has.',
            "Give it a token of its own.",
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
