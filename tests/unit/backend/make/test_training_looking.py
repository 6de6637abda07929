"""Where frame 1's attention is told to look, against the same said token by token."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from backend.make.training.judging.looking import FARTHEST_M, MOST_ASKED, SPREAD_M, Guide

PAIRS, SIDE, WIDTH = 2, 8, 5


def _figure(seed: int, size: int = SIDE) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    label = torch.from_numpy(rng.integers(0, 3, (2 * PAIRS, size, size)))
    rest = torch.from_numpy(rng.uniform(-0.3, 0.3, (2 * PAIRS, 3, size, size)).astype(np.float32))
    return label, rest


def _missed(
    label: NDArray[Any], rest: NDArray[Any], queries: NDArray[Any], keys: NDArray[Any], side: int, stride: int = 1
) -> float:
    """Cross entropy of every `stride`th token."""
    step = label.shape[-1] // side
    cells = [(step // 2 + step * row, step // 2 + step * column) for row in range(side) for column in range(side)]
    total, seen = 0.0, 0
    for pair in range(PAIRS):
        for token, (row, column) in enumerate(cells):
            if token % stride or label[PAIRS + pair, row, column] == 0:
                continue
            body = [k for k, (r, c) in enumerate(cells) if label[pair, r, c] > 0]
            apart = [np.linalg.norm(rest[PAIRS + pair, :, row, column] - rest[pair, :, *cells[k]]) for k in body]
            if not body or min(apart) >= FARTHEST_M:
                continue
            aim = np.exp([-(d**2) / (2 * SPREAD_M**2) for d in apart])
            scores = np.exp(keys[pair] @ queries[pair, token] / np.sqrt(WIDTH))
            chance = scores / scores.sum()
            total -= sum(a / aim.sum() * np.log(chance[k]) for a, k in zip(aim, body, strict=True))
            seen += 1
    assert seen > 3
    return total / seen


def test_missed_attention_is_the_cross_entropy_with_where_the_points_lie() -> None:
    label, rest = _figure(1)
    rng = np.random.default_rng(2)
    guide, expected = Guide(label, rest), []
    for side in (8, 4):
        queries, keys = (rng.normal(size=(PAIRS, side * side, WIDTH)) for _ in range(2))
        guide.compare(torch.from_numpy(queries), torch.from_numpy(keys))
        expected.append(_missed(label.numpy(), rest.numpy().astype(np.float64), queries, keys, side))
    assert float(guide.loss()) == pytest.approx(np.mean(expected), rel=1e-4)


def test_of_a_large_layer_every_fifth_query_is_asked_and_every_key_answers() -> None:
    label, rest = _figure(4, 32)
    assert 32 * 32 / 5 < MOST_ASKED < 32 * 32 / 3  # so that of odd strides 5 is the smallest
    rng = np.random.default_rng(5)
    queries, keys = (rng.normal(size=(PAIRS, 32 * 32, WIDTH)) for _ in range(2))
    guide = Guide(label, rest)
    guide.compare(torch.from_numpy(queries), torch.from_numpy(keys))
    expected = _missed(label.numpy(), rest.numpy().astype(np.float64), queries, keys, 32, stride=5)
    assert float(guide.loss()) == pytest.approx(expected, rel=1e-4)


def test_background_and_hidden_points_ask_for_nothing() -> None:
    label, rest = _figure(3)
    label[PAIRS:] = 0
    queries, keys = torch.randn(PAIRS, SIDE**2, WIDTH, requires_grad=True), torch.randn(PAIRS, SIDE**2, WIDTH)
    guide = Guide(label, rest)
    guide.compare(queries, keys)
    torch.autograd.backward(guide.loss())
    assert float(guide.loss().detach()) == 0 and queries.grad is not None and not queries.grad.any()
