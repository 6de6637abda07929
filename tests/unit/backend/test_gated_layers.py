"""GEGLU in two halves: diffusers' own values and gradients, names and weights kept."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.activations import GEGLU

from backend.diffusion.gated_layers import SplitGEGLU, joined_gates, split_gates
from tests.helpers.tiny_models import tiny_components, tiny_modules


@pytest.mark.parametrize("bias", [True, False])
def test_halves_are_diffusers_forwards_and_backwards(bias: bool) -> None:
    torch.manual_seed(4)
    layer, hidden = GEGLU(6, 5, bias).double(), torch.randn(2, 3, 6, dtype=torch.float64, requires_grad=True)
    joined = layer(hidden)
    push = torch.randn_like(joined)
    (expected,) = torch.autograd.grad(joined, hidden, push)
    assert split_gates(layer) == 1 and type(layer) is SplitGEGLU
    apart = layer(hidden)
    torch.testing.assert_close(apart, joined, rtol=0, atol=1e-14)
    torch.testing.assert_close(torch.autograd.grad(apart, hidden, push)[0], expected, rtol=0, atol=1e-14)


def test_a_model_keeps_its_weights_and_can_be_joined_again() -> None:
    unet = tiny_modules()["unet"].double()
    before = {name: value.clone() for name, value in unet.state_dict().items()}
    count = split_gates(unet)
    assert count > 0 and split_gates(unet) == 0
    after = unet.state_dict()
    assert after.keys() == before.keys() and all(torch.equal(after[name], value) for name, value in before.items())
    with joined_gates(unet):
        assert {type(module) for module in unet.modules() if isinstance(module, GEGLU)} == {GEGLU}
    assert sum(type(module) is SplitGEGLU for module in unet.modules()) == count
    with joined_gates(plain := tiny_modules()["unet"]):
        pass
    assert not any(type(module) is SplitGEGLU for module in plain.modules())


def test_components_on_a_cpu_are_split() -> None:
    kinds = {type(module) for module in tiny_components().unet.modules()}
    assert SplitGEGLU in kinds and GEGLU not in kinds
