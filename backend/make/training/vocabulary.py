"""A CLIP tokenizer of our own: each word of the grammar is one token, other words fall apart into pieces."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer

from backend.make.training.models import MAX_TOKENS

START, END, WORD_END = "<|startoftext|>", "<|endoftext|>", "</w>"


def build_tokenizer(words: Iterable[str]) -> CLIPTokenizer:
    """Byte-pair encoding whose merges are built so that each of `words` (one word each) ends as a single token."""
    letters = sorted(ByteLevel.alphabet())
    merges: list[tuple[str, str]] = []
    rank: dict[tuple[str, str], int] = {}
    for word in words:
        pieces = encode_word(word, rank)
        while len(pieces) > 1:
            # A later merge never disturbs an earlier word: that one is whole before the later rank is reached.
            pair = (pieces[0], pieces[1])
            rank[pair] = len(merges)
            merges.append(pair)
            pieces = encode_word(word, rank)
    tokens = [
        *letters,
        *(letter + WORD_END for letter in letters),
        *dict.fromkeys(a + b for a, b in merges),
        START,
        END,
    ]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=MAX_TOKENS)


def encode_word(word: str, rank: dict[tuple[str, str], int]) -> list[str]:
    """Byte-pair encoding of one word of ASCII letters (Sennrich et al. 2016, algorithm 1)."""
    pieces = [*word[:-1], word[-1] + WORD_END]
    while len(pieces) > 1:
        pairs = [(rank.get(pair, len(rank)), k) for k, pair in enumerate(zip(pieces, pieces[1:], strict=False))]
        best, at = min(pairs)
        if best == len(rank):
            break
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
    return pieces
