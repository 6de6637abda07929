"""ST-LPIPS, one output value after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Name of the convolution, its padding, what stands before it, what between it and its ReLU.
STAGES = (
    ("net.slice1.0", 2, (), ("blur",)),
    ("net.slice2.5", 2, ("max", "blur"), ()),
    ("net.slice3.9", 1, ("max", "blur"), ()),
    ("net.slice4.11", 1, (), ()),
    ("net.slice5.13", 1, (), ()),
)


def distance(one: NDArray[Any], other: NDArray[Any], weights: Mapping[str, NDArray[Any]]) -> float:
    """The distance of two pictures (3, H, W) of 0..1."""
    total = 0.0
    pairs = zip(features(one, weights), features(other, weights), strict=True)
    for stage, (a, b) in enumerate(pairs):
        lengths = [np.sqrt((x**2).sum(axis=0)) + 1e-10 for x in (a, b)]
        apart = (a / lengths[0] - b / lengths[1]) ** 2
        total += float(np.tensordot(weights[f"lin{stage}.model.1.weight"][0, :, 0, 0], apart, 1).mean())
    return total


def features(picture: NDArray[Any], weights: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """What the five stages see."""
    shift, scale = np.array((-0.030, -0.088, -0.188)), np.array((0.458, 0.448, 0.450))
    x = (2 * picture - 1 - shift[:, None, None]) / scale[:, None, None]
    found = []
    for name, padding, before, behind in STAGES:
        for step in before:
            x = {"max": highest, "blur": halved}[step](x)
        x = convolved(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding)
        for _ in behind:
            x = halved(x)
        x = np.maximum(x, 0)
        found.append(x)
    return found


def convolved(x: NDArray[Any], kernel: NDArray[Any], bias: NDArray[Any], padding: int) -> NDArray[Any]:
    """A convolution in the sense of networks, edges filled with 0."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    side = kernel.shape[2]
    height, width = x.shape[1] - side + 1, x.shape[2] - side + 1
    out = np.empty((len(kernel), height, width))
    for channel, row, column in np.ndindex(out.shape):
        window = x[:, row : row + side, column : column + side]
        out[channel, row, column] = (window * kernel[channel]).sum() + bias[channel]
    return out


def highest(x: NDArray[Any]) -> NDArray[Any]:
    """The maximum of each 3 x 3."""
    out = np.empty((len(x), x.shape[1] - 2, x.shape[2] - 2))
    for channel, row, column in np.ndindex(out.shape):
        out[channel, row, column] = x[channel, row : row + 3, column : column + 3].max()
    return out


def halved(x: NDArray[Any]) -> NDArray[Any]:
    """Every second value of the binomial blur, edges mirrored by two."""
    x = np.pad(x, ((0, 0), (2, 2), (2, 2)), mode="reflect")
    weights = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    out = np.empty((len(x), (x.shape[1] - 3) // 2 + 1, (x.shape[2] - 3) // 2 + 1))
    for channel, row, column in np.ndindex(out.shape):
        out[channel, row, column] = (x[channel, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3] * weights).sum()
    return out
