"""Doubling fused with its convolution: diffusers' own result, weights under their names, uneven sizes."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.upsampling import Upsample2D

from backend.diffusion.upsampling import FusedUpsample, fuse_upsampling, plain_upsampling
from tests.helpers.tiny_models import tiny_components, tiny_modules


@pytest.fixture
def plain() -> Upsample2D:
    torch.manual_seed(3)
    return Upsample2D(5, use_conv=True, out_channels=7).double()


@pytest.mark.parametrize("size", [(1, 1), (4, 6), (5, 3)])
def test_fused_doubling_is_diffusers_forwards_and_backwards(plain: Upsample2D, size: tuple[int, int]) -> None:
    fused, twin = FusedUpsample(plain), torch.randn(2, 5, *size, dtype=torch.float64, requires_grad=True)
    expected, found = plain(twin), fused(twin)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)
    push = torch.randn_like(expected)
    (wanted,) = torch.autograd.grad(expected, twin, push)
    torch.testing.assert_close(torch.autograd.grad(found, twin, push)[0], wanted, rtol=0, atol=1e-13)


def _float64_kernel(weight: torch.Tensor) -> torch.Tensor:
    """The 4x4 kernel by definition: tap t of the 3x3 kernel meets every place p of the 2x2 square at t' + p."""
    kernel = torch.zeros(weight.shape[1], weight.shape[0], 4, 4, dtype=torch.float64)
    for row in range(3):
        for column in range(3):
            for y in range(2):
                for x in range(2):
                    kernel[:, :, 2 - row + y, 2 - column + x] += weight[:, :, row, column].T
    return kernel


def test_the_kernel_is_the_sum_by_definition(plain: Upsample2D) -> None:
    fused = FusedUpsample(plain)
    torch.testing.assert_close(fused.kernel, _float64_kernel(plain.conv.weight.detach()), rtol=0, atol=1e-14)
    half = FusedUpsample(Upsample2D(5, use_conv=True).bfloat16())
    assert half.kernel.dtype == torch.bfloat16 and not half.kernel.requires_grad


def test_an_uneven_size_is_not_doubled(plain: Upsample2D) -> None:
    fused, values = FusedUpsample(plain), torch.randn(1, 5, 4, 4, dtype=torch.float64)
    assert fused(values, (7, 8)).shape == (1, 7, 7, 8)
    assert torch.equal(fused(values, (7, 8)), plain(values, (7, 8)))
    assert torch.equal(fused(values, (8, 8)), fused(values))


def test_a_model_keeps_its_weights_names_and_its_output() -> None:
    unet = tiny_modules()["unet"].double()
    names = {name: value.clone() for name, value in unet.state_dict().items()}
    args = torch.randn(2, unet.config.in_channels, 8, 8, dtype=torch.float64), 500
    text = torch.randn(2, 12, unet.config.cross_attention_dim, dtype=torch.float64)
    with torch.no_grad():
        before = unet(*args, encoder_hidden_states=text)[0]
        assert fuse_upsampling(unet) == sum(isinstance(module, FusedUpsample) for module in unet.modules()) > 0
        after = unet(*args, encoder_hidden_states=text)[0]
        with plain_upsampling(unet):
            plain = unet(*args, encoder_hidden_states=text)[0]
    assert {name: torch.equal(value, names[name]) for name, value in unet.state_dict().items()} == dict.fromkeys(
        names, True
    )
    torch.testing.assert_close(after, before, rtol=1e-12, atol=1e-12)
    assert torch.equal(plain, before) and not torch.equal(after, before)
    assert fuse_upsampling(unet) == 0


def test_components_on_a_cpu_are_fused() -> None:
    components = tiny_components()
    for model in (components.unet, components.vae.decoder):
        kinds = {type(module) for module in model.modules()}
        assert FusedUpsample in kinds and Upsample2D not in kinds
