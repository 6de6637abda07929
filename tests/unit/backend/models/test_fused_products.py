"""The joined kernels and their ways back in bfloat16 against the written-out ones, and when torch's own run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from backend.models.sd15.fused import products
from backend.models.sd15.fused.norm import FusedGroupNorm
from tests.reference import fused as written_out

ROUNDING = 2.0**-7  # bfloat16 has 8 digits of its own; a result is rounded two or three times
Way = Callable[[Tensor], Tensor]


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape)).bfloat16()


def exact(tensor: Tensor) -> NDArray[Any]:
    return tensor.detach().double().numpy()


def there_and_back(way: Way, hidden: Tensor, push: Tensor) -> tuple[Tensor, Tensor]:
    leaf = hidden.clone(memory_format=torch.preserve_format).requires_grad_()
    result = way(leaf)
    (gradient,) = torch.autograd.grad(result, leaf, push)
    return result.detach(), gradient


def assert_near(found: Tensor, expected: NDArray[Any]) -> None:
    """Within rounding, on average and at worst; a value is rounded by its own size, its summands by theirs."""
    error = np.abs(exact(found) - expected)
    scale = np.abs(expected).mean()
    assert found.shape == expected.shape
    assert error.mean() < ROUNDING * scale
    assert (error / (np.abs(expected) + scale)).max() < 4 * ROUNDING


def kernels(work: Callable[[], object]) -> set[str]:
    """Names of the operations that ran."""
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        work()
    return {event.key for event in seen.key_averages()}


def test_a_gated_product_and_its_way_back() -> None:
    hidden, push = drawn(1, 9, 12), drawn(2, 9, 7)
    weight, bias = drawn(3, 14, 12) / 4, drawn(4, 14)
    result, gradient = there_and_back(lambda x: products.gated_linear(x, weight, bias), hidden, push)
    expected, back = written_out.gated_linear(exact(hidden), exact(weight), exact(bias), exact(push))
    assert_near(result, expected)
    assert_near(gradient, back)


def test_a_convolution_with_its_sum_and_its_way_back() -> None:
    maps, other, push = (drawn(seed, 2, width, 5, 4) for seed, width in ((1, 6), (2, 8), (3, 8)))
    conv = nn.Conv2d(6, 8, 3, padding=1).bfloat16().requires_grad_(False)
    result, gradient = there_and_back(
        lambda x: products.convolution_add(x, conv, other),
        maps.to(memory_format=torch.channels_last),
        push,
    )
    assert conv.bias is not None
    values = (exact(x) for x in (maps, conv.weight, conv.bias, other, push))
    expected, back = written_out.convolution_add(*values)
    assert_near(result, expected)
    assert_near(gradient, back)


@pytest.mark.parametrize("bias", [True, False])
def test_a_product_with_its_sum_and_its_way_back(bias: bool) -> None:
    hidden, other, push, weight = drawn(1, 2, 5, 12), drawn(2, 2, 5, 7), drawn(3, 2, 5, 7), drawn(4, 7, 12)
    offset = drawn(5, 7) if bias else None
    shift = exact(offset) if offset is not None else 0
    plain = exact(hidden) @ exact(weight).T + shift
    for way, expected in (
        (lambda x: products.linear(x, weight, offset), plain),
        (lambda x: products.linear_add(x, weight, offset, other), plain + exact(other)),
    ):
        result, gradient = there_and_back(way, hidden, push)
        assert_near(result, expected)
        assert_near(gradient, exact(push) @ exact(weight))


def test_what_is_added_has_a_gradient_too() -> None:
    hidden, other, push = drawn(1, 3, 4), drawn(2, 3, 5).requires_grad_(), drawn(3, 3, 5)
    weight = drawn(4, 5, 4)
    (gradient,) = torch.autograd.grad(products.linear_add(hidden, weight, None, other), other, push)
    assert torch.equal(gradient, push)
    conv = nn.Conv2d(4, 5, 1).bfloat16().requires_grad_(False)
    maps, beside = drawn(5, 1, 4, 3, 3), drawn(6, 1, 5, 3, 3).requires_grad_()
    (gradient,) = torch.autograd.grad(products.convolution_add(maps, conv, beside), beside, torch.ones_like(beside))
    assert torch.equal(gradient, torch.ones_like(beside))


@pytest.mark.parametrize("channels", [16, 24, 60])
def test_the_large_group_norms_way_back(channels: int) -> None:
    norm = FusedGroupNorm(4, channels).bfloat16().requires_grad_(False)
    norm.weight.copy_(drawn(1, channels))
    norm.bias.copy_(drawn(2, channels))
    # Off zero: what the mean takes away must be taken away.
    maps, push = drawn(3, 2, channels, 32, 32) + 2, drawn(4, 2, channels, 32, 32) + 1
    last = maps.to(memory_format=torch.channels_last)
    result, gradient = there_and_back(norm, last, push.to(memory_format=torch.channels_last))
    expected, back = written_out.group_norm(exact(maps), exact(norm.weight), exact(norm.bias), 4, norm.eps, exact(push))
    assert_near(result, expected)
    assert_near(gradient, back)


@pytest.mark.parametrize(
    ("height", "channels", "dtype", "own"),
    [
        (32, 30, torch.bfloat16, True),
        (32, 32, torch.bfloat16, False),
        (31, 30, torch.bfloat16, False),
        (32, 30, torch.float32, False),
    ],
)
def test_which_group_norms_have_a_way_back_of_their_own(
    height: int, channels: int, dtype: torch.dtype, own: bool
) -> None:
    norm = FusedGroupNorm(2, channels).to(dtype).requires_grad_(False)
    maps = drawn(1, 1, channels, height, 32).to(dtype, memory_format=torch.channels_last)
    ran = kernels(lambda: there_and_back(norm, maps, torch.ones_like(maps)))
    assert ("aten::native_group_norm_backward" in ran) == (not own)


@pytest.mark.skipif(not products.AVAILABLE, reason="this CPU has no bfloat16 products")
def test_the_joined_kernels_run_where_they_can() -> None:
    hidden, weight, bias = drawn(1, 3, 4), drawn(2, 8, 4), drawn(3, 8)
    ran = kernels(lambda: products.linear(hidden, weight, bias))
    assert "mkldnn::_linear_pointwise" in ran and "aten::addmm" not in ran
    assert "aten::gelu" not in kernels(lambda: products.gated_linear(hidden, weight, bias))
    conv = nn.Conv2d(3, 2, 1).bfloat16().requires_grad_(False)
    maps, other = drawn(4, 1, 3, 2, 2), drawn(5, 1, 2, 2, 2)
    assert "aten::add" not in kernels(lambda: products.convolution_add(maps, conv, other))


def test_weights_that_learn_and_other_precisions_are_torchs() -> None:
    hidden, weight, bias = drawn(1, 3, 4), drawn(2, 8, 4), drawn(3, 8)
    learning = weight.clone().requires_grad_()
    torch.autograd.backward(products.gated_linear(hidden, learning, bias).sum())
    value, gate = weight.clone().requires_grad_().chunk(2)
    value.retain_grad()
    torch.autograd.backward((F.linear(hidden, value, bias[:4]) * F.gelu(F.linear(hidden, gate, bias[4:]))).sum())
    assert learning.grad is not None and value.grad is not None
    assert torch.equal(learning.grad[:4], value.grad)
    single = products.linear(hidden.float(), weight.float(), bias.float())
    assert torch.equal(single, F.linear(hidden.float(), weight.float(), bias.float()))
