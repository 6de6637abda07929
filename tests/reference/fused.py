"""Layers and what follows them, written out with their gradients with respect to the input (NumPy, float64)."""

from __future__ import annotations

from math import erf

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def gated_linear(
    hidden: Array,  # (tokens, channels)
    weight: Array,  # (2 width, channels) rows of the value, then of the gate
    bias: Array,  # (2 width,)
    push: Array,  # (tokens, width) the loss's gradient with respect to the result
) -> tuple[Array, Array]:
    """value GELU(gate), and the loss's gradient with respect to `hidden`."""
    width = len(weight) // 2
    result, gradient = np.zeros((len(hidden), width)), np.zeros_like(hidden)
    for token, x in enumerate(hidden):
        for row in range(width):
            value = weight[row] @ x + bias[row]
            gate = weight[width + row] @ x + bias[width + row]
            below = 0.5 * (1 + erf(gate / 2**0.5))  # the normal distribution's share below the gate
            density = np.exp(-0.5 * gate**2) / (2 * np.pi) ** 0.5
            result[token, row] = value * gate * below
            to_value, to_gate = gate * below, value * (below + gate * density)
            gradient[token] += push[token, row] * (to_value * weight[row] + to_gate * weight[width + row])
    return result, gradient


def convolution_add(
    maps: Array,  # (batch, channels, h, w)
    weight: Array,  # (out, channels, 3, 3)
    bias: Array,  # (out,)
    other: Array,  # (batch, out, h, w)
    push: Array,  # (batch, out, h, w)
) -> tuple[Array, Array]:
    """A 3x3 convolution with a border of zeros plus `other`, and the loss's gradient with respect to `maps`."""
    batch, channels, height, width = maps.shape
    result, gradient = other + bias[:, None, None], np.zeros((batch, channels, height + 2, width + 2))
    padded = np.pad(maps, ((0, 0), (0, 0), (1, 1), (1, 1)))
    for n, y, x in np.ndindex(batch, height, width):
        window = padded[n, :, y : y + 3, x : x + 3]
        result[n, :, y, x] += (weight * window).sum((1, 2, 3))
        gradient[n, :, y : y + 3, x : x + 3] += np.tensordot(push[n, :, y, x], weight, 1)
    return result, gradient[:, :, 1:-1, 1:-1]


def group_norm(
    maps: Array,  # (batch, channels, h, w)
    weight: Array,  # (channels,)
    bias: Array,  # (channels,)
    groups: int,
    eps: float,
    push: Array,  # as the maps
) -> tuple[Array, Array]:
    """(x - mean) / sqrt(variance + eps) over each group, scaled and shifted, and the gradient with respect to x."""
    result, gradient = np.zeros_like(maps), np.zeros_like(maps)
    width = maps.shape[1] // groups
    for n, group in np.ndindex(len(maps), groups):
        part = (n, slice(group * width, (group + 1) * width))
        x, gain = maps[part].ravel(), np.repeat(weight[part[1]], maps[part][0].size)
        deviation = np.sqrt(x.var() + eps)
        standard = (x - x.mean()) / deviation
        result[part] = (standard * gain).reshape(maps[part].shape) + bias[part[1], None, None]
        to_standard = push[part].ravel() * gain
        to_mean, to_deviation = to_standard.mean(), (to_standard * standard).mean()
        gradient[part] = ((to_standard - to_mean - standard * to_deviation) / deviation).reshape(maps[part].shape)
    return result, gradient
