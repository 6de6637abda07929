"""Counted operations: against those of a convolution, and what follows from them."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from backend.measure.bench.arithmetic import Arithmetic, _there_and_back, count_arithmetic


def test_a_convolution_takes_two_operations_a_weight_and_pixel_each_way() -> None:
    convolution = torch.nn.Conv2d(4, 6, 3, padding=1).requires_grad_(False)
    there, back = _there_and_back(convolution, torch.zeros(1, 4, 10, 20))
    assert there == back == pytest.approx(2 * 4 * 6 * 9 * 10 * 20 / 1e9)


def test_guidance_adds_its_share_of_the_steps() -> None:
    counts = Arithmetic("any", 64, step=2.0, step_back=2.0, decode=3.0, decode_back=3.0)
    assert counts.over_baseline(through_unet=True) == pytest.approx(0.5 * (3 + 3 + 2) / 2)
    assert counts.over_baseline(through_unet=False, guided=1.0, decoded=0.5) == pytest.approx((1.5 + 1.5) / 2)


def test_four_times_the_pixels_take_four_times_the_decoder() -> None:
    small, large = (count_arithmetic(False, size) for size in (64, 128))
    assert large.decode == pytest.approx(4 * small.decode) and large.decode_back == pytest.approx(4 * small.decode_back)
    assert large.step > 3.5 * small.step and 0 < small.step_back < small.step


@pytest.mark.parametrize("full_size", [False, True])
def test_the_tiny_decoder_takes_a_tenth_at_most(full_size: bool) -> None:
    full, tiny = (count_arithmetic(full_size, 64, decoder) for decoder in ("full", "tiny"))
    assert 0 < tiny.decode < 0.1 * full.decode and 0 < tiny.decode_back < 0.1 * full.decode_back
    assert tiny.step == full.step and tiny.model == f"{full.model}, tiny decoder"


def test_attention_to_frame_0_is_counted_there_and_for_the_queries_alone_back() -> None:
    keys = torch.zeros(1, 1, 50, 8)
    there, back = _there_and_back(
        lambda q: functional.scaled_dot_product_attention(q, keys, keys), torch.zeros_like(keys)
    )
    assert there == back == pytest.approx(2 * 2 * 50 * 50 * 8 / 1e9)
