"""Averages over the surface, the light and robust means, the slow and obvious way: dense matrices, one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.surface.texels import TexelMesh

Array = NDArray[Any]


def ties(mesh: TexelMesh, sigma_m: float) -> Array:
    """How a texel is tied to each node (K, nodes): a Gaussian of their distance for the eight nearest, at least 1e-6
    for the nearest. A node is the mean of a cell of the six numbers of place and normal."""
    places = np.array([
        [*(mesh.rest[k] + np.float32(100) * mesh.body[k]), *(0.06 * mesh.normal[k])] for k in range(len(mesh))
    ])  # fmt: skip
    cells: dict[tuple[int, ...], list[int]] = {}
    for k, place in enumerate(places):
        cells.setdefault(tuple(int(np.floor(value / (1.15 * sigma_m))) for value in place), []).append(k)
    nodes = np.array([places[members].mean(axis=0) for _, members in sorted(cells.items())])
    out = np.zeros((len(mesh), len(nodes)))
    for k, place in enumerate(places):
        distance = np.linalg.norm(nodes - place, axis=1)
        near = np.argsort(distance, kind="stable")[:8]
        out[k, near] = np.exp(-0.5 * (distance[near] / sigma_m) ** 2)
        out[k, near[0]] = max(out[k, near[0]], 1e-6)
    return out


def smoothed(tied: Array, values: Array, weights: Array) -> Array:
    """Means (K, c) around each texel of values (K, c); NaN where there are none."""
    mass = tied.T @ weights
    nodes = np.divide(
        tied.T @ (values * weights[:, None]),
        mass[:, None],
        where=mass[:, None] > 0,
        out=np.zeros((tied.shape[1], values.shape[1])),
    )
    reach = tied[:, mass > 0].sum(axis=1)
    mean: Array = tied[:, mass > 0] @ nodes[mass > 0]
    return np.where(reach[:, None] > 1e-6, mean / np.maximum(reach, 1e-300)[:, None], np.nan)


def light_rows(normal: Array) -> Array:
    """The eight spherical harmonics of each normal (n, 3)."""
    return np.array([[x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y] for x, y, z in normal])


def light(frames: list[tuple[Array, Array, Array, Array]], texels: int) -> Array:
    """The light (8,) of frames (seen, colours, normals, weights): one regression with a column for each texel.

    Weights are times luminance (plus .04) squared; the ridge is 4e-4 of all weights, on the light alone.
    """
    rows, values, weights = [], [], []
    for seen, colours, normal, weight in frames:
        for texel, colour, basis, one in zip(seen, colours, light_rows(normal), weight, strict=True):
            bright = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] + 0.04
            rows.append(np.concatenate([basis, np.eye(texels)[texel]]))
            values.append(np.log(bright))
            weights.append(one * bright**2)
    root = np.sqrt(np.array(weights))
    ridge = np.sqrt(4e-4 * np.sum(weights)) * np.eye(8, 8 + texels)
    design = np.concatenate([np.array(rows) * root[:, None], ridge])
    target = np.concatenate([np.array(values) * root, np.zeros(8)])
    found: Array = np.linalg.lstsq(design, target, rcond=None)[0][:8]
    return found


def robust_mean(
    samples: list[Array], weights: list[float], distance: float, rounds: int, held: tuple[Array, float] | None = None
) -> Array:
    """The mean (c,) of samples (c,): after each round one that lies `distance` from it counts half.

    `held` is a sample that always has the whole of its weight.
    """
    mean = np.zeros_like(samples[0]) if samples else np.zeros(3)
    for turn in range(1 + rounds):
        total, weight = np.zeros_like(mean), 0.0
        for sample, share in zip(samples, weights, strict=True):
            if turn:
                share = share / (1 + ((sample - mean) ** 2).sum() / distance**2)
            total, weight = total + share * sample, weight + share
        if held is not None:
            total, weight = total + held[1] * held[0], weight + held[1]
        mean = total / weight
    return mean
