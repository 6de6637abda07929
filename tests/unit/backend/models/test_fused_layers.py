"""Fused layers: diffusers' own values and gradients, names and weights kept, and back again."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from diffusers.models.activations import GEGLU
from diffusers.models.attention_processor import Attention
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn

from backend.models.sd15.fused import FUSED, fuse, plain_layers
from backend.models.sd15.fused.upsampling import FusedUpsample, fuse_doublings
from tests.helpers.tiny_models import tiny_components, tiny_modules

Run = Callable[[nn.Module, Tensor], Tensor]
TEMB, TEXT = torch.linspace(-1, 1, 2 * 6).reshape(2, 6), torch.linspace(-1, 1, 2 * 3 * 5).reshape(2, 3, 5)


def block(**settings: object) -> ResnetBlock2D:
    return ResnetBlock2D(in_channels=8, temb_channels=6, groups=4, **settings)


def timed(module: nn.Module, maps: Tensor) -> Tensor:
    result: Tensor = module(maps, TEMB.to(maps.dtype))
    return result


def reading(module: nn.Module, maps: Tensor) -> Tensor:
    result: Tensor = module(maps, encoder_hidden_states=TEXT.to(maps.dtype), return_dict=False)[0]
    return result


def transformer(linear: bool) -> Transformer2DModel:
    return Transformer2DModel(
        2, 4, in_channels=8, norm_num_groups=4, cross_attention_dim=5, use_linear_projection=linear
    )


CASES: dict[str, tuple[Callable[[], nn.Module], Run, tuple[int, ...]]] = {
    "GEGLU": (lambda: GEGLU(8, 5), nn.Module.__call__, (2, 3, 8)),
    "GEGLU, no bias": (lambda: GEGLU(8, 5, bias=False), nn.Module.__call__, (2, 3, 8)),
    "attention": (lambda: Attention(8, heads=2, dim_head=4), nn.Module.__call__, (2, 3, 8)),
    "linear": (lambda: nn.Linear(8, 5), nn.Module.__call__, (2, 3, 8)),
    "group norm": (lambda: nn.GroupNorm(4, 8), nn.Module.__call__, (2, 8, 32, 33)),
    "residual block": (block, timed, (2, 8, 4, 6)),
    "residual block, shortcut": (lambda: block(out_channels=12), timed, (2, 8, 4, 6)),
    "residual block, scaled": (lambda: block(time_embedding_norm="scale_shift"), timed, (2, 8, 4, 6)),
    "residual block, time's activation skipped": (lambda: block(skip_time_act=True), timed, (2, 8, 4, 6)),
    "residual block, no time": (
        lambda: ResnetBlock2D(in_channels=8, temb_channels=None, groups=4, time_embedding_norm="group"),
        lambda module, maps: module(maps, None),
        (2, 8, 4, 6),
    ),
    "transformer": (lambda: transformer(False), reading, (2, 8, 4, 6)),
    "transformer, linear": (lambda: transformer(True), reading, (2, 8, 4, 6)),
    "doubling": (lambda: Upsample2D(8, use_conv=True, out_channels=7), nn.Module.__call__, (2, 8, 5, 3)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fused_layer_is_the_plain_one_forwards_and_backwards(name: str) -> None:
    torch.manual_seed(4)
    make, run, shape = CASES[name]
    plain = make().requires_grad_(False).eval().double()
    fused = copy.deepcopy(plain)
    assert fuse(fused) > 0 and type(fused) is FUSED[type(plain)]
    values = torch.randn(*shape, dtype=torch.float64, requires_grad=True)
    expected, found = run(plain, values), run(fused, values)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    push = torch.randn_like(expected)
    (wanted,) = torch.autograd.grad(expected, values, push)
    torch.testing.assert_close(torch.autograd.grad(found, values, push)[0], wanted, rtol=0, atol=1e-12)
    with torch.no_grad():
        torch.testing.assert_close(run(fused, values), expected.detach(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_in_bfloat16_it_is_as_near_to_the_exact_one(name: str) -> None:
    torch.manual_seed(5)
    make, run, shape = CASES[name]
    plain = make().requires_grad_(False).eval().bfloat16()
    fused, exact = copy.deepcopy(plain), copy.deepcopy(plain).double()
    fuse(fused)
    layout = torch.channels_last if len(shape) == 4 else torch.contiguous_format
    values = torch.randn(*shape).to(torch.bfloat16, memory_format=layout)
    push = torch.randn_like(run(plain, values))
    errors: dict[str, list[float]] = {}
    for kind, module in (("plain", plain), ("fused", fused)):
        for dtype, model in ((torch.float64, exact), (torch.bfloat16, module)):
            leaf = values.to(dtype).requires_grad_()
            result = run(model, leaf)
            (back,) = torch.autograd.grad(result, leaf, push.to(dtype))
            if dtype == torch.float64:
                truth = result.detach(), back
        pairs = zip((result.detach(), back), truth, strict=True)
        errors[kind] = [float((found - true).abs().mean() / true.abs().mean()) for found, true in pairs]
    for found, usual in zip(errors["fused"], errors["plain"], strict=True):
        assert found < 1.25 * usual + 2**-9


@pytest.mark.parametrize(
    "other",
    [
        lambda: block(up=True),
        lambda: block(down=True),
        lambda: block(output_scale_factor=2**0.5),
        lambda: block(non_linearity="mish"),
        lambda: Upsample2D(4, use_conv=False),
        lambda: Upsample2D(4, use_conv_transpose=True),
    ],
)
def test_layers_of_other_kinds_stay(other: Callable[[], nn.Module]) -> None:
    module = other()
    fuse(module)
    assert type(module) in FUSED


def test_an_uneven_size_is_not_doubled() -> None:
    torch.manual_seed(3)
    plain = Upsample2D(5, use_conv=True, out_channels=7).double()
    fused, values = copy.deepcopy(plain), torch.randn(1, 5, 4, 4, dtype=torch.float64)
    fuse(fused)
    assert torch.equal(fused(values, (7, 8)), plain(values, (7, 8)))
    assert torch.equal(fused(values, (8, 8)), fused(values))


def test_the_doublings_kernel_is_the_sum_by_definition() -> None:
    """Tap t of the 3x3 kernel meets every place p of the 2x2 square at t' + p."""
    torch.manual_seed(3)
    conv = nn.Conv2d(5, 7, 3, padding=1).double()
    layers = nn.Sequential(nn.Upsample(scale_factor=2.0), conv)
    assert fuse_doublings(layers) == 1
    fused, expected = layers[0], torch.zeros(5, 7, 4, 4, dtype=torch.float64)
    for row, column, y, x in torch.cartesian_prod(*map(torch.arange, (3, 3, 2, 2))).tolist():
        expected[:, :, 2 - row + y, 2 - column + x] += conv.weight.detach()[:, :, row, column].T
    assert isinstance(fused, FusedUpsample)
    torch.testing.assert_close(fused.kernel, expected, rtol=0, atol=1e-14)
    assert not fused.kernel.requires_grad


def test_a_model_keeps_its_weights_and_can_be_plain_again() -> None:
    unet = tiny_modules()["unet"].double().eval()
    before = {name: value.clone() for name, value in unet.state_dict().items()}
    kinds = [type(module) for module in unet.modules()]
    args = torch.randn(2, unet.config.in_channels, 8, 8, dtype=torch.float64), 500
    text = torch.randn(2, 12, unet.config.cross_attention_dim, dtype=torch.float64)
    with torch.no_grad():
        expected = unet(*args, encoder_hidden_states=text)[0]
        count = fuse(unet)
        assert count > 0 and fuse(unet) == 0
        fused = unet(*args, encoder_hidden_states=text)[0]
        with plain_layers(unet):
            assert [type(module) for module in unet.modules()] == kinds
            plain = unet(*args, encoder_hidden_states=text)[0]
    after = unet.state_dict()
    assert after.keys() == before.keys() and all(torch.equal(after[name], value) for name, value in before.items())
    torch.testing.assert_close(fused, expected, rtol=1e-11, atol=1e-11)
    assert torch.equal(plain, expected) and not torch.equal(fused, expected)
    assert sum(type(module) in FUSED.values() for module in unet.modules()) == count


def test_kinds_can_be_chosen() -> None:
    unet = tiny_modules()["unet"]
    gates = sum(type(module) is GEGLU for module in unet.modules())
    assert fuse(unet, kinds=[GEGLU]) == gates > 0
    assert {type(module) for module in unet.modules()} & set(FUSED.values()) == {FUSED[GEGLU]}


def test_components_on_a_cpu_are_fused() -> None:
    components = tiny_components()
    for model in (components.unet, components.controlnet, components.vae.decoder):
        kinds = {type(module) for module in model.modules()}
        assert not kinds & set(FUSED) and kinds & set(FUSED.values())
    assert FusedUpsample in {type(module) for module in components.unet.modules()}
