"""Averages over a neighbourhood of the surface, by way of a few nodes spread over it.

Texels are splatted onto the nearest nodes with Gaussian weights, and the nodes are read back with the same weights: a
low-pass filter over the surface that costs a few milliseconds, whatever its width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from backend.surface.texels import TexelMesh

NEAREST = 8
BODIES_APART_M = 100.0
# Places whose normals differ by a right angle count as 6 cm * sqrt(2) apart: a finger's back is not its front.
NORMAL_M = 0.06

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Nodes over the surface, and how each texel is tied to them."""

    splat: csr_matrix  # (nodes, K) Gaussian weights
    read: csr_matrix  # (K, nodes) the same, transposed

    def __len__(self) -> int:
        return int(self.splat.shape[0])

    def gathered(self, values: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """The nodes' weighted means (nodes, c) of texels' values (K, c), and their mass (nodes,); 0 without mass."""
        mass = self.splat @ weights
        total = self.splat @ (values * weights[:, None])
        return total / np.maximum(mass, 1e-12)[:, None], mass

    def spread(self, values: Floats, mass: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """The texels' means (K, c) of the nodes' values (nodes, c) where there are nodes with mass, and where."""
        there = (mass > 0).astype(np.float32)
        reach = self.read @ there
        mean = (self.read @ (values * there[:, None])) / np.maximum(reach, 1e-12)[:, None]
        return mean, reach > 1e-6

    def smoothed(self, values: Floats, weights: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """The weighted means (K, c) around each texel of values (K, c), and where there are any."""
        return self.spread(*self.gathered(values, weights))


def surface_nodes(mesh: TexelMesh, sigma_m: float) -> Nodes:
    """Nodes about `sigma_m` apart, and Gaussian ties of that width to the `NEAREST` of each texel.

    A node is the mean of the texels of one cell of a grid over rest position and normal, so that they are spread
    evenly, however densely the texels lie.
    """
    place = np.concatenate(
        [mesh.rest + np.float32(BODIES_APART_M) * mesh.body[:, None], NORMAL_M * mesh.normal], axis=1
    )
    cell = np.floor(place / (1.15 * sigma_m)).astype(np.int64)
    _, member = np.unique(cell, axis=0, return_inverse=True)
    member = member.reshape(-1)
    count = np.bincount(member)
    nodes = np.stack([np.bincount(member, place[:, axis]) / count for axis in range(6)], axis=1)
    distance, index = cKDTree(nodes).query(place, k=min(NEAREST, len(nodes)))
    distance, index = distance.reshape(len(place), -1), index.reshape(len(place), -1)
    weight = np.exp(-0.5 * (distance / sigma_m) ** 2).astype(np.float32)
    weight = np.maximum(weight, np.float32(1e-6) * (index == index[:, :1]))  # a texel far from all has its nearest
    starts = np.arange(0, index.size + 1, index.shape[1])
    read = csr_matrix((weight.reshape(-1), index.reshape(-1), starts), shape=(len(place), len(nodes)))
    return Nodes(read.T.tocsr(), read)
