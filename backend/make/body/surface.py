"""Pieces of a triangle mesh: connected patches with vertices of their own, their boundaries, and splitting in two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

SPLIT_SMOOTHING: Final = 12


@dataclass(frozen=True, slots=True)
class Patch:
    """An edge-connected patch of triangles in which every vertex is touched once (no bow-ties)."""

    rows: IntArray  # (n,) rows of the mesh's triangles
    triangles: IntArray  # (n, 3) into `points`
    points: Array  # (m, 3) metres
    loops: tuple[IntArray, ...]  # open boundaries as closed runs of points, longest first

    @property
    def is_disk(self) -> bool:
        """Whether the patch is a topological disk once all its boundaries but the longest are filled."""
        edges = 3 * len(self.triangles) + sum(len(loop) for loop in self.loops)
        euler = len(self.points) - edges // 2 + len(self.triangles)
        return bool(self.loops) and euler + len(self.loops) - 1 == 1

    def roundness(self) -> float:
        """Perimeter^2 / (4 pi area) of the longest boundary: 1 for a flat disk, near 0 for a nearly closed bag."""
        if not self.loops:
            return 0.0
        loop = self.points[self.loops[0]]
        perimeter = np.linalg.norm(loop - np.roll(loop, -1, axis=0), axis=1).sum()
        return float(perimeter**2 / (4.0 * np.pi * triangle_areas(self.points, self.triangles).sum()))


def triangle_areas(points: Array, triangles: IntArray) -> Array:
    """Areas (n,) of triangles (n, 3) over points (m, 3)."""
    return np.asarray(0.5 * np.linalg.norm(triangle_normals(points, triangles), axis=1))


def triangle_normals(points: Array, triangles: IntArray) -> Array:
    """Normals (n, 3), twice the area long."""
    corner = points[triangles]
    return np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])


def dual_edges(triangles: IntArray) -> tuple[IntArray, IntArray]:
    """Pairs of neighbours: (e, 2) triangles and (e, 2, 2) the corners of each at the shared edge, in matching order."""
    corners = np.array([[0, 1], [1, 2], [2, 0]])
    ends = triangles[:, corners].reshape(-1, 2)
    owner = np.repeat(np.arange(len(triangles)), 3)
    corner = np.tile(corners, (len(triangles), 1))
    flipped = ends[:, 0] > ends[:, 1]
    corner[flipped] = corner[flipped][:, ::-1]
    low, high = ends.min(axis=1), ends.max(axis=1)
    order = np.lexsort((high, low))
    same = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    first, second = order[:-1][same], order[1:][same]
    return np.stack([owner[first], owner[second]], axis=1), np.stack([corner[first], corner[second]], axis=1)


def dual_graph(triangles: IntArray) -> csr_matrix:
    """Symmetric adjacency (n, n) of triangles that share an edge."""
    pairs, _ = dual_edges(triangles)
    rows, columns = np.concatenate([pairs, pairs[:, ::-1]]).T
    return coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(triangles),) * 2).tocsr()


def patches(points: Array, triangles: IntArray, rows: IntArray) -> list[Patch]:
    """The edge-connected patches of the triangles `rows`, largest area first."""
    chosen = triangles[rows]
    pairs, corners = dual_edges(chosen)
    count = len(chosen)
    left = pairs[:, :1] * 3 + corners[:, 0]
    right = pairs[:, 1:] * 3 + corners[:, 1]
    links = coo_matrix((np.ones(left.size), (left.ravel(), right.ravel())), shape=(3 * count,) * 2)
    _, corner_point = connected_components(links, directed=False)
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    number, component = connected_components(graph, directed=False)
    corner_point = corner_point.reshape(-1, 3)
    found = []
    for index in range(number):
        own = np.flatnonzero(component == index)
        used, first, local = np.unique(corner_point[own], return_index=True, return_inverse=True)
        local = local.reshape(-1, 3).astype(np.int64)
        places = points[chosen[own].ravel()[first]]
        found.append(Patch(rows[own], local, places, boundary_loops(local, places)))
    return sorted(found, key=lambda patch: -float(triangle_areas(patch.points, patch.triangles).sum()))


def boundary_loops(triangles: IntArray, points: Array) -> tuple[IntArray, ...]:
    """Open boundaries of a patch without bow-ties, each in the direction of its triangles, longest first."""
    edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    inner = {(int(b), int(a)) for a, b in edges}
    following = {int(a): int(b) for a, b in edges if (int(a), int(b)) not in inner}
    loops = []
    while following:
        start, current = next(iter(following.items()))
        loop = [start]
        del following[start]
        while current != start:
            loop.append(current)
            current = following.pop(current)
        loops.append(np.array(loop))

    def length(loop: IntArray) -> float:
        return float(np.linalg.norm(points[loop] - points[np.roll(loop, -1)], axis=1).sum())

    return tuple(sorted(loops, key=lambda loop: -length(loop)))


def smoothed(values: Array, graph: csr_matrix, rounds: int) -> Array:
    """Values (n, ...) on the triangles, averaged with their neighbours `rounds` times."""
    degree = np.asarray(graph.sum(axis=1)).ravel()
    shape = (-1,) + (1,) * (values.ndim - 1)
    result = values
    for _ in range(rounds):
        result = (result + graph @ result) / (degree + 1.0).reshape(shape)
    return np.asarray(result)


def split_by_thickness(patch: Patch) -> NDArray[np.bool_]:
    """Which triangles (n,) face one way along the patch's thinnest direction: palm from back, sole from instep."""
    normals = triangle_normals(patch.points, patch.triangles)
    areas = np.linalg.norm(normals, axis=1)
    centres = patch.points[patch.triangles].mean(axis=1)
    centred = centres - np.average(centres, axis=0, weights=areas)
    _, axes = np.linalg.eigh((centred * areas[:, None]).T @ centred)
    facing = normals @ axes[:, 0] / np.maximum(areas, 1e-15)
    graph = dual_graph(patch.triangles)
    side = smoothed(facing, graph, SPLIT_SMOOTHING) > 0.0
    return without_islands(side.astype(np.int64), graph, max(8, len(side) // 50)) > 0


def without_islands(labels: IntArray, graph: csr_matrix, smallest: int) -> IntArray:
    """Labels (n,) after every connected patch of fewer than `smallest` triangles took the label it borders most.

    The smallest patch goes first; each merge leaves fewer patches, so it ends.
    """
    labels = labels.copy()
    entries = graph.tocoo()
    while True:
        same = labels[entries.row] == labels[entries.col]
        kept = coo_matrix((np.ones(int(same.sum())), (entries.row[same], entries.col[same])), shape=graph.shape)
        _, component = connected_components(kept, directed=False)
        outward = component[entries.row] != component[entries.col]
        bordered = np.unique(component[entries.row[outward]])
        sizes = np.bincount(component)[bordered]
        if not len(sizes) or sizes.min() >= smallest:
            return labels
        island = bordered[int(np.argmin(sizes))]
        around = labels[entries.col[outward & (component[entries.row] == island)]]
        labels[component == island] = np.bincount(around).argmax()
