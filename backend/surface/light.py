"""The light that frames agree on: how bright the surface is by the way it faces, whatever its colour.

A texel that turns shows how brightness depends on its normal, with its own colour held: the fixed effects of panel
regression. The light is a set of spherical harmonics of the normal in the camera's frame (Ramamoorthi and Hanrahan,
2001), without the constant, which is the texels' own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BASIS = 8
LARGEST = 0.9  # of the logarithm of brightness: 0.4 to 2.5 times
DARKEST = 0.04  # added before the logarithm, as black has none
# Weights rise with this power of luminance, so that squares are those of brightness itself, not of its logarithm: dark
# places tell little of the light.
POWER = 2.0
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


def log_luminance(colours: Floats) -> Floats:
    """The logarithm of the luminance of colours (n, 3), 0..1: (n,)."""
    return np.asarray(np.log(np.maximum(colours @ LUMINANCE, 0) + np.float32(DARKEST)), np.float32)


@dataclass(slots=True)
class LightFit:
    """Least squares over all frames, one frame after the other; memory is that of K texels."""

    texels: int

    def __post_init__(self) -> None:
        self._weight = np.zeros(self.texels)
        self._means = np.zeros((self.texels, BASIS + 1))  # of basis and log luminance, times weight
        self._products = np.zeros((BASIS + 1, BASIS + 1))

    _weight: NDArray[np.float64] = None  # type: ignore[assignment]  # made in __post_init__
    _means: NDArray[np.float64] = None  # type: ignore[assignment]
    _products: NDArray[np.float64] = None  # type: ignore[assignment]

    def add(self, seen: NDArray[np.int32], colours: Floats, normal: Floats, weight: Floats) -> None:
        """One frame's texels `seen` (v,): their colours (v, 3), camera-frame normals (v, 3) and weights (v,)."""
        logarithm = log_luminance(colours)
        row = np.concatenate([light_basis(normal), logarithm[:, None]], axis=1).astype(np.float64)
        weight = weight * np.exp(POWER * logarithm)
        weighted = row * weight[:, None]
        self._weight[seen] += weight
        self._means[seen] += weighted
        self._products += row.T @ weighted

    def solve(self) -> Floats:
        """The light (8,). With texels that never turn it is no light: the ridge holds it at 0."""
        mean = self._means / np.maximum(self._weight, 1e-12)[:, None]
        within = self._products - mean.T @ self._means
        matrix = within[:BASIS, :BASIS] + np.eye(BASIS) * (RIDGE * self._weight.sum() + 1e-12)
        return np.linalg.solve(matrix, within[:BASIS, BASIS]).astype(np.float32)
