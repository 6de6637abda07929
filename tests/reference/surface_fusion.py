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
    """The light (8,) of frames (seen, luminance, normals, weights): a regression with a column for each texel.

    First of logarithms of luminance (plus .04, and so are weights multiplied). Then twice of the linear model of
    luminance itself around what the fit so far says: a texel's own luminance times the light's brightness. The ridge is
    4e-4 of all weights, on the light alone.
    """
    seen, luminance, weights = (np.concatenate([frame[part] for frame in frames]) for part in (0, 1, 3))
    basis = np.concatenate([light_rows(normal) for _, _, normal, _ in frames])

    def solved(response: Array, weight: Array) -> Array:
        root = np.sqrt(weight)[:, None]
        design = np.concatenate([np.concatenate([basis, np.eye(texels)[seen]], axis=1) * root, np.eye(8, 8 + texels)])
        design[len(seen) :] *= np.sqrt(4e-4 * weight.sum())
        found: Array = np.linalg.lstsq(design, np.concatenate([response * root[:, 0], np.zeros(8)]), rcond=None)[0]
        return found[:8]

    found = solved(np.log(luminance + 0.04), weights * (luminance + 0.04))
    for _ in range(2):
        bright = np.exp(np.clip(basis @ found, -0.9, 0.9))
        model = np.zeros(len(seen))
        for texel in set(seen.tolist()):
            mine = seen == texel
            own = (weights * bright * luminance)[mine].sum() / (weights * bright**2)[mine].sum()
            model[mine] = max(own, 0.04) * bright[mine]
        found = solved(basis @ found + np.clip((luminance - model) / model, -1, 1), weights * model)
    return found


def robust_mean(samples: list[Array], weights: list[float], distance: float, rounds: int) -> Array:
    """The mean (c,) of samples (c,): after each round one that lies `distance` from it counts half."""
    mean: Array = np.zeros_like(samples[0])
    for turn in range(1 + rounds):
        total, weight = np.zeros_like(mean), 0.0
        for sample, share in zip(samples, weights, strict=True):
            if turn:
                share = share / (1 + ((sample - mean) ** 2).sum() / distance**2)
            total, weight = total + share * sample, weight + share
        mean = total / max(weight, 1e-12)
    return mean


def plate(pictures: list[Array], shares: list[Array], sigma_px: float, distance: float, rounds: int) -> Array:
    """The background (height, width, 3) of pictures of which the pixels count by their shares (height, width): a mean
    of what is soft, by a Gaussian, and a robust mean of what is fine. Every pixel by itself."""
    height, width = shares[0].shape
    kernel = _gaussian(sigma_px)
    soft = [_soft(picture, share, kernel) for picture, share in zip(pictures, shares, strict=True)]
    out = np.zeros((height, width, 3))
    for y, x in np.ndindex(height, width):
        total = sum(weight[y, x] for _, weight in soft)
        base = sum(own[y, x] * weight[y, x] for own, weight in soft) / total
        fine = [picture[y, x] - own[y, x] for picture, (own, _) in zip(pictures, soft, strict=True)]
        out[y, x] = base + robust_mean(fine, [float(share[y, x]) for share in shares], distance, rounds)
    np.clip(out, 0, 1, out=out)
    return out


def _soft(picture: Array, share: Array, kernel: Array) -> tuple[Array, Array]:
    """The mean of the pixels around each one that count, and how much they do; pictures are mirrored at their edges."""
    reach = len(kernel) // 2
    around = np.pad(share, reach, mode="symmetric")
    colours = np.pad(picture * share[..., None], ((reach, reach), (reach, reach), (0, 0)), mode="symmetric")
    own, weight = np.zeros(picture.shape), np.zeros(share.shape)
    square = np.outer(kernel, kernel)
    for y, x in np.ndindex(share.shape):
        window = slice(y, y + len(kernel)), slice(x, x + len(kernel))
        weight[y, x] = max((square * around[window]).sum(), 1e-6)
        own[y, x] = (square[..., None] * colours[window]).sum(axis=(0, 1)) / weight[y, x]
    return own, weight


def _gaussian(sigma: float) -> Array:
    """Four deviations to either side."""
    reach = int(4 * sigma + 0.5)
    kernel: Array = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    return kernel
