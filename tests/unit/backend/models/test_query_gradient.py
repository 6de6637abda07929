"""Attention whose way back goes to the queries alone: torch's own values and gradient, and the written-out ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from backend.models.sd15 import query_gradient
from backend.models.sd15.query_gradient import attention
from tests.reference.attention import attention_to_queries

Attention = Callable[[Tensor, Tensor, Tensor], Tensor]


def drawn(tokens: int, anchor: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Queries, keys, values and what is pushed back, of 2 halves and 3 heads of width 5."""
    rng = np.random.default_rng(tokens + anchor)
    sizes = (tokens, anchor, anchor, tokens)
    queries, keys, values, push = (torch.from_numpy(rng.standard_normal((2, 3, n, 5))).to(dtype) for n in sizes)
    return queries.requires_grad_(), keys, values, push


def there_and_back(attend: Attention, queries: Tensor, keys: Tensor, values: Tensor, push: Tensor) -> list[Tensor]:
    attended = attend(queries, keys, values)
    return [attended.detach(), torch.autograd.grad(attended, queries, push)[0]]


@pytest.mark.parametrize(("tokens", "anchor"), [(1, 1), (7, 4), (12, 9)])
@pytest.mark.parametrize("block", [1, 100, 10_000])
def test_values_and_gradient_are_the_written_out_ones(
    tokens: int, anchor: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_gradient, "BLOCK_VALUES", block)
    queries, keys, values, push = drawn(tokens, anchor)
    found = there_and_back(attention, queries, keys, values, push)
    expected = attention_to_queries(queries.detach().numpy(), keys.numpy(), values.numpy(), push.numpy())
    for ours, twin in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), twin, rtol=0, atol=1e-13)


def test_half_precision_is_as_close_as_its_rounding() -> None:
    queries, keys, values, push = drawn(64, 48)
    _, exact = there_and_back(F.scaled_dot_product_attention, queries, keys, values, push)
    half = [tensor.detach().bfloat16() for tensor in (queries, keys, values, push)]
    _, found = there_and_back(attention, half[0].requires_grad_(), *half[1:])
    assert (found.double() - exact).norm() < 0.01 * exact.norm()


def test_gradients_of_keys_and_values_are_torchs_own_where_they_are_wanted() -> None:
    queries, keys, values, push = drawn(6, 5)
    keys.requires_grad_()
    grads = [
        torch.autograd.grad(attend(queries, keys, values), (queries, keys), push)
        for attend in (attention, F.scaled_dot_product_attention)
    ]
    for ours, theirs in zip(*grads, strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(attention(queries, keys, values), F.scaled_dot_product_attention(queries, keys, values))


def test_it_gives_no_second_derivative() -> None:
    queries, keys, values, push = drawn(3, 3)
    (first,) = torch.autograd.grad(attention(queries, keys, values), queries, push, create_graph=True)
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.autograd.grad(first.sum(), queries)
