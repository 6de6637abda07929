"""A frozen layer's product and what follows it, in one pass over the result, for bfloat16 on a CPU.

torch's own calls write a result, then read and write it again for each sum or activation; with so few channels that
takes as long as the product. These are the kernels of oneDNN that `torch.compile` would join too, called directly. They
have no way back of their own, so it is written here, to the input alone. Elsewhere torch's own operations run, which
give the same up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from backend.machine.bfloat16 import cpu_computes_bfloat16

_BFLOAT16 = torch.bfloat16
_KERNELS = ("_linear_pointwise", "_convolution_pointwise")
AVAILABLE = cpu_computes_bfloat16() and all(hasattr(torch.ops.mkldnn, name) for name in _KERNELS)


def linear(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """W x + b: (..., channels) -> (..., width); `weight` is (width, channels)."""
    if bias is None or not _joins(hidden, weight, bias):
        return F.linear(hidden, weight, bias)
    product: Tensor = _run(_Linear, hidden, weight, bias)
    return product


def linear_add(hidden: Tensor, weight: Tensor, bias: Tensor | None, other: Tensor) -> Tensor:
    """W x + b + other, of the result's shape."""
    if not _joins(hidden, weight, bias, other):
        return F.linear(hidden, weight, bias) + other
    product: Tensor = _run(_LinearAdd, hidden, other, weight, bias)
    return product


def gated_linear(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """GEGLU (Shazeer 2020, equation 6): (W x + b) GELU(V x + c), (..., channels) -> (..., width).

    `weight` is (2 width, channels): W's rows, then V's, and so is the bias. The two products are made apart, because
    torch's GELU for CPUs takes four to seven times as long on every other half of a row.
    """
    if not _joins(hidden, weight, bias):
        value, value_bias, gate, gate_bias = _halves(weight, bias)
        return F.linear(hidden, value, value_bias) * F.gelu(F.linear(hidden, gate, gate_bias))
    product: Tensor = _run(_GatedLinear, hidden, weight, bias)[0]
    return product


def convolution_add(hidden: Tensor, layer: nn.Conv2d, other: Tensor) -> Tensor:
    """A convolution's result plus `other`, of the same shape."""
    plain = layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    if not plain or not _joins(hidden, layer.weight, layer.bias, other):
        convolved: Tensor = layer(hidden)
        return convolved + other
    geometry = layer.stride, layer.padding, layer.dilation, layer.groups
    joined: Tensor = _run(_ConvolutionAdd, hidden, other, layer.weight, layer.bias, *geometry)
    return joined


def _joins(hidden: Tensor, weight: Tensor, bias: Tensor | None, other: Tensor | None = None) -> bool:
    """Whether the joined kernels can take these values."""
    return (
        AVAILABLE
        and _BFLOAT16 == hidden.dtype == weight.dtype
        and (other is None or other.dtype == _BFLOAT16)
        and hidden.device.type == "cpu"
        and not (torch.is_grad_enabled() and (weight.requires_grad or (bias is not None and bias.requires_grad)))
        and not torch.compiler.is_compiling()
    )


def _run(kernel: Any, *values: Any) -> Any:
    """The kernel's result, in the graph if a gradient is wanted."""
    return kernel.apply(*values) if torch.is_grad_enabled() else kernel.forward(*values)


def _halves(weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None, Tensor, Tensor | None]:
    """Value's weight and bias, gate's weight and bias."""
    value, gate = weight.chunk(2)
    value_bias, gate_bias = (None, None) if bias is None else bias.chunk(2)
    return value, value_bias, gate, gate_bias


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return _product(hidden, weight, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, push: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return push @ weight, None, None


class _LinearAdd(torch.autograd.Function):
    @staticmethod
    def forward(hidden: Tensor, other: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return _product_and(hidden, other, weight, bias, "add")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[2])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, push: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return push @ weight, push, None, None


class _GatedLinear(torch.autograd.Function):
    """Of the three results of the layer's width one is kept, the gates; the way back makes the other two again."""

    @staticmethod
    def forward(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        value, value_bias, gate, gate_bias = _halves(weight, bias)
        gates = _product(hidden, gate, gate_bias, "gelu")
        return _product_and(hidden, gates, value, value_bias, "mul"), gates

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*inputs, output[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, push: Tensor, _: Tensor) -> tuple[Tensor, None, None]:
        hidden, weight, bias, gates = ctx.saved_tensors
        value, value_bias, gate, gate_bias = _halves(weight, bias)
        before = _product(hidden, gate, gate_bias)
        to_gate = torch.ops.aten.gelu_backward(_product_and(hidden, push, value, value_bias, "mul"), before)
        return ((push * gates) @ value).add_(to_gate @ gate), None, None


class _ConvolutionAdd(torch.autograd.Function):
    @staticmethod
    def forward(
        hidden: Tensor,
        other: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: Sequence[int],
        padding: Sequence[int],
        dilation: Sequence[int],
        groups: int,
    ) -> Tensor:
        joined: Tensor = torch.ops.mkldnn._convolution_pointwise.binary(
            hidden, other, weight, bias, padding, stride, dilation, groups, "add", 1.0, None, [], None
        )
        return joined

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.input, ctx.geometry = inputs[0].shape, inputs[4:]
        ctx.save_for_backward(inputs[2])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, push: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.geometry
        # Of the input only its shape is read.
        hidden = torch.empty(ctx.input, dtype=push.dtype, memory_format=torch.channels_last)
        back, _, _ = torch.ops.aten.convolution_backward(
            push, hidden, weight, None, stride, padding, dilation, False, (0, 0), groups, (True, False, False)
        )
        return back, push, *(None,) * 6


def _product(hidden: Tensor, weight: Tensor, bias: Tensor | None, activation: str = "none") -> Tensor:
    product: Tensor = torch.ops.mkldnn._linear_pointwise(hidden, weight, bias, activation, [], "none")
    return product


def _product_and(hidden: Tensor, other: Tensor, weight: Tensor, bias: Tensor | None, operation: str) -> Tensor:
    product: Tensor = torch.ops.mkldnn._linear_pointwise.binary(hidden, other, weight, bias, operation)
    return product
