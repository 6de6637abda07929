"""The light that frames agree on: how bright the surface is by the way it faces, whatever its colour.

A texel that turns shows how brightness depends on its normal, with its own colour held: the fixed effects of panel
regression. The light is a set of spherical harmonics of the normal in the camera's frame (Ramamoorthi and Hanrahan,
2001), without the constant, which is the texels' own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BASIS = 8
LARGEST = 0.9  # of the logarithm of brightness: 0.4 to 2.5 times
DARKEST = 0.04  # added before the logarithm, as black has none
ROUNDS = 2
FURTHEST = 1.0  # of a texel's own luminance: what is further off is no matter of light
RIDGE = 4e-4  # of all weights
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)

Floats = NDArray[np.float32]


def light_basis(normal: Floats) -> Floats:
    """Spherical harmonics of degrees 1 and 2 of unit normals (n, 3), unscaled: (n, 8)."""
    x, y, z = normal.T
    return np.stack([x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=1)


def brightness(light: Floats, normal: Floats) -> Floats:
    """How much brighter the surface is (n,) where it faces along `normal` (n, 3), under a light (8,)."""
    return np.asarray(np.exp(np.clip(light_basis(normal) @ light, -LARGEST, LARGEST)), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class LitTexels:
    """What one frame sees: texels (v,), rising, their luminance (v,), camera-frame normals (v, 3), weights (v,)."""

    seen: NDArray[np.int32]
    luminance: Floats
    normal: Floats
    weight: Floats


def fitted_light(frames: Sequence[LitTexels], texels: int) -> Floats:
    """The light (8,) under which texels of constant colour come closest to the frames' luminance.

    A first fit of logarithms, which is linear, and `ROUNDS` of Gauss and Newton for luminance itself: its logarithm
    gives too much to what is dark, and to noise. With texels that never turn it is no light: the ridge holds it at 0.
    """
    light = _solved(frames, [(log_of(one.luminance), one.luminance + DARKEST) for one in frames], texels)
    for _ in range(ROUNDS):
        base = _base(frames, light, texels)
        working = []
        for one in frames:
            model = np.maximum(base[one.seen], DARKEST) * brightness(light, one.normal)
            response = light_basis(one.normal) @ light + np.clip((one.luminance - model) / model, -FURTHEST, FURTHEST)
            working.append((response.astype(np.float32), model))
        light = _solved(frames, working, texels)
    return light


def luminance_of(colours: Floats) -> Floats:
    """The luminance (n,) of colours (n, 3), 0..1."""
    return np.asarray(np.maximum(colours @ LUMINANCE, 0), np.float32)


def log_of(luminance: Floats) -> Floats:
    """The logarithm of luminance, of black too: (n,)."""
    return np.asarray(np.log(luminance + np.float32(DARKEST)), np.float32)


def _base(frames: Sequence[LitTexels], light: Floats, texels: int) -> Floats:
    """The luminance (K,) that each texel has by itself under a light."""
    total, weight = np.zeros(texels, np.float32), np.zeros(texels, np.float32)
    for one in frames:
        bright = brightness(light, one.normal)
        total[one.seen] += one.weight * bright * one.luminance
        weight[one.seen] += one.weight * bright**2
    return np.asarray(total / np.maximum(weight, 1e-12), np.float32)


def _solved(frames: Sequence[LitTexels], working: Sequence[tuple[Floats, Floats]], texels: int) -> Floats:
    """Least squares of responses (v,) with further weights (v,), each texel with a constant of its own."""
    weights, means = np.zeros(texels), np.zeros((texels, BASIS + 1))
    products = np.zeros((BASIS + 1, BASIS + 1))
    for one, (response, more) in zip(frames, working, strict=True):
        row = np.concatenate([light_basis(one.normal), response[:, None]], axis=1).astype(np.float64)
        weight = (one.weight * more).astype(np.float64)
        weighted = row * weight[:, None]
        weights[one.seen] += weight
        means[one.seen] += weighted
        products += row.T @ weighted
    within = products - (means / np.maximum(weights, 1e-12)[:, None]).T @ means
    matrix = within[:BASIS, :BASIS] + np.eye(BASIS) * (RIDGE * weights.sum() + 1e-12)
    return np.asarray(np.linalg.solve(matrix, within[:BASIS, BASIS]), np.float32)
