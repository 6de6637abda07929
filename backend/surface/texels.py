"""Texels on the rest surface as mesh colours: points of the triangles, shared across their edges (Yuksel et al. 2010).

Every edge is cut into n_e equal intervals, a power of two, and every face into the regular grid of the finest of its
edges, n_f. A texel is a vertex, an inner point of an edge, or an inner point of a face's grid. A grid point on a
coarser edge is no texel: it lies between two of that edge's. So a picture on texels has no seam and needs no chart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from backend.passes.shot_passes import ShotPasses

# Between texels, in pixels of the picture. At 1 a picture written and read again differs by a fifth more.
SPACING_PX = 1.0
MOST_INTERVALS = 32
MOST_TEXELS = 600_000
LOOKUP_WIDTH = 6  # three grid points, each one texel or between two

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TexelMesh:
    """The texels of one or several bodies. The grid's points are stored face after face, row after row."""

    faces: NDArray[np.int32]  # (F, 3) the mesh's vertices
    face: NDArray[np.int32]  # (K,) a triangle that holds the texel
    weights: NDArray[np.float32]  # (K, 3) its barycentric weights there
    rest: NDArray[np.float32]  # (K, 3) metres
    normal: NDArray[np.float32]  # (K, 3) unit, in the rest pose
    body: NDArray[np.int32]  # (K,)
    spacing_m: float
    intervals: NDArray[np.int32]  # (F,) n_f
    grid_start: NDArray[np.int64]  # (F,) a face's first grid point
    grid_texel: NDArray[np.int32]  # (G, 2) the two texels that a grid point lies between
    grid_share: NDArray[np.float32]  # (G,) the second one's share, 0..1
    at_vertices: Any  # csr_array (K, V) float64: values at the vertices -> values at the texels

    def __len__(self) -> int:
        return len(self.face)

    def lookup(self, face: NDArray[Any], weights: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Texels and their shares at surface points: index (n, 6) and weight (n, 6), whose rows sum to 1.

        `face` (n,), `weights` (n, 3) barycentric, at least 0. Linear on the face's grid, hence continuous everywhere
        and exact for what is linear on the face. Entries that are not needed have a weight of 0 and some valid index.
        """
        count = self.intervals[face].astype(np.int64)
        place = np.asarray(weights, np.float64) * count[:, None]
        low = np.minimum(np.floor(place), count[:, None])
        rest = place - low
        # The three remainders sum to 1 in an upright cell of the grid, to 2 in one that stands on its tip, to 0 on a
        # point of the grid.
        missing = count - low.astype(np.int64).sum(axis=1)
        tip = missing == 2
        shares = np.where(tip[:, None], 1 - rest, rest)
        shares[missing == 0] = (1.0, 0.0, 0.0)
        shares /= shares.sum(axis=1, keepdims=True)
        b, c = low[:, 1].astype(np.int64), low[:, 2].astype(np.int64)
        steps = np.where(tip, 1, 0)
        index, weight = np.empty((len(count), 3, 2), np.int32), np.empty((len(count), 3, 2), np.float32)
        for corner in range(3):
            # A step along the corner's own coordinate, or along both others in a cell on its tip.
            sign = np.where(missing == 0, 0, 1 - 2 * steps)
            row, column = c + steps + sign * (corner == 2), b + steps + sign * (corner == 1)
            point = self.grid_start[face] + _number(count, column, row)
            share = self.grid_share[point]
            index[:, corner] = self.grid_texel[point]
            weight[:, corner, 0] = shares[:, corner] * (1 - share)
            weight[:, corner, 1] = shares[:, corner] * share
        return index.reshape(-1, LOOKUP_WIDTH), weight.reshape(-1, LOOKUP_WIDTH)


def texel_mesh(faces: NDArray[Any], rest: NDArray[Any], body: NDArray[Any], spacing_m: float) -> TexelMesh:
    """Texels about `spacing_m` metres apart on the triangles `faces` (F, 3) of the vertices `rest` (V, 3) metres.

    `body` (V,) is the body that each vertex belongs to. An edge has at most `MOST_INTERVALS` intervals.
    """
    faces = np.asarray(faces, np.int64)
    places: Floats = np.asarray(rest, np.float64)
    numbers = _numbers(faces, places, spacing_m)
    start, texel, share, grid_face, grid_weights = _grids(numbers)
    own = np.flatnonzero(share == 0)[::-1]
    first = np.empty(numbers.total, np.int64)
    first[texel[own, 0]] = own  # of repeated indices the last is what stays: the lowest face
    face, at = grid_face[first], grid_weights[first]
    at_vertices = csr_array(
        (at.astype(np.float64).ravel(), faces[face].ravel(), np.arange(0, 3 * len(face) + 1, 3)),
        shape=(len(face), len(places)),
    )
    normals: Floats = at_vertices @ vertex_normals(faces, places)
    return TexelMesh(
        faces=faces.astype(np.int32),
        face=face.astype(np.int32),
        weights=at,
        rest=(at_vertices @ places).astype(np.float32),
        normal=unit(normals).astype(np.float32),
        body=np.asarray(body, np.int32)[faces[face, 0]],
        spacing_m=float(spacing_m),
        intervals=numbers.face_count.astype(np.int32),
        grid_start=start,
        grid_texel=texel,
        grid_share=share,
        at_vertices=at_vertices,
    )


def rest_vertices(passes: ShotPasses) -> NDArray[np.float32]:
    """The bodies' vertices (V, 3) in the rest pose; frame 0's where the charts hold none."""
    rest = passes.charts.rest
    return passes.vertices[0] if rest is None else rest


def spacing_of(passes: ShotPasses) -> float:
    """Metres between texels: the footprint of `SPACING_PX` pixels in the middle of the shot's depths.

    It follows from the shot's depth range, frame 0's focal length and the rest surface alone, so that every segment of
    the shot has the same. Enlarged where there would be more than `MOST_TEXELS`.
    """
    shot = passes.shot
    focal = float(np.sqrt(abs(shot.camera.intrinsics[0, 0, 0] * shot.camera.intrinsics[0, 1, 1])))
    spacing = SPACING_PX * (shot.near_m + shot.far_m) / 2 / focal
    faces, rest = passes.charts.f.astype(np.int64), rest_vertices(passes).astype(np.float64)
    edge, pairs = _edges(faces)
    while True:
        counts = _intervals(rest, pairs, spacing)
        inner = counts[edge].max(axis=1)
        total = len(np.unique(faces)) + (counts - 1).sum() + ((inner - 1) * (inner - 2) // 2).sum()
        if total <= MOST_TEXELS or counts.max() == 1:
            return spacing
        spacing *= 2**0.25


def shot_texels(passes: ShotPasses) -> TexelMesh:
    """The texels of all bodies of a shot; a body's number is its place in `shot.characters`."""
    body = np.zeros(passes.vertices.shape[1], np.int32)
    for number, character in enumerate(passes.shot.characters):
        body[character.vertex_start : character.vertex_start + character.vertex_count] = number
    return texel_mesh(passes.charts.f, rest_vertices(passes), body, spacing_of(passes))


def vertex_normals(faces: NDArray[Any], vertices: Floats) -> Floats:
    """Smooth unit normals (V, 3): each triangle's, weighted by its area; of a vertex that has none, 0."""
    corner = vertices[faces]
    across = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    summed = [np.bincount(faces.ravel(), across[:, axis].repeat(3), len(vertices)) for axis in range(3)]
    total: Floats = np.stack(summed, axis=1).astype(np.float64)
    return unit(total)


def unit(vectors: Floats) -> Floats:
    """Vectors (n, 3) at length 1; those of no length stay 0."""
    length = np.sqrt(dot(vectors, vectors))[:, None]
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)


def dot(one: Floats, other: Floats) -> Floats:
    """Scalar products (n,) of vectors (n, 3)."""
    return np.asarray(np.einsum("ni,ni->n", one, other))


@dataclass(frozen=True, slots=True, eq=False)
class _Numbers:
    """How texels are numbered: vertices, then inner points of edges from their lower vertex on, then those of faces."""

    faces: Ints  # (F, 3)
    edge: Ints  # (F, 3) the edge across from each corner
    edge_count: Ints  # (E,) n_e
    vertex_texel: Ints  # (V,)
    edge_start: Ints  # (E,)
    face_count: Ints  # (F,) n_f
    face_start: Ints  # (F,)
    total: int

    def grid_texels(self, members: Ints, grid: Ints) -> tuple[Ints, Floats]:
        """Texels (f, points, 2) of the grid's points (points, 3) in these faces, and the second ones' shares."""
        n = int(grid[0].sum())
        texel = np.zeros((len(members), len(grid), 2), np.int64)
        share = np.zeros((len(members), len(grid)))
        inside = np.flatnonzero((grid > 0).all(axis=1))
        texel[:, inside] = (self.face_start[members][:, None] + np.arange(len(inside)))[..., None]
        for corner in range(3):
            a, b = self.faces[members, (corner + 1) % 3], self.faces[members, (corner + 2) % 3]
            on = np.flatnonzero(grid[:, corner] == 0)
            step = np.where((a > b)[:, None], grid[on, (corner + 1) % 3], grid[on, (corner + 2) % 3])
            edge = self.edge[members, corner]
            whole, part = np.divmod(step * self.edge_count[edge][:, None], n)
            ends = np.minimum(a, b)[:, None], np.maximum(a, b)[:, None]
            texel[:, on, 0] = self._along(edge[:, None], whole, ends)
            texel[:, on, 1] = np.where(part > 0, self._along(edge[:, None], whole + 1, ends), texel[:, on, 0])
            share[:, on] = part / n
        return texel, share

    def _along(self, edge: Ints, step: Ints, ends: tuple[Ints, Ints]) -> Ints:
        """The texel after so many of an edge's intervals."""
        count = self.edge_count[edge]
        inner = self.edge_start[edge] + step - 1
        low, high = (self.vertex_texel[end] for end in ends)
        return np.asarray(np.where(step == 0, low, np.where(step >= count, high, inner)))


def _numbers(faces: Ints, places: Floats, spacing_m: float) -> _Numbers:
    edge, pairs = _edges(faces)
    edge_count = _intervals(places, pairs, spacing_m)
    face_count = edge_count[edge].max(axis=1)
    used = np.unique(faces)
    vertex_texel = np.zeros(len(places), np.int64)
    vertex_texel[used] = np.arange(len(used))
    edge_start = len(used) + _before(edge_count - 1)
    inner = (face_count - 1) * (face_count - 2) // 2
    on_edges = len(used) + int((edge_count - 1).sum())
    face_start, total = on_edges + _before(inner), on_edges + int(inner.sum())
    return _Numbers(faces, edge, edge_count, vertex_texel, edge_start, face_count, face_start, total)


def _grids(
    numbers: _Numbers,
) -> tuple[Ints, NDArray[np.int32], NDArray[np.float32], Ints, NDArray[np.float32]]:
    """Every face's grid: its start (F,), and of each point its texels (G, 2), share, face and weights (G, 3)."""
    count = numbers.face_count
    points = (count + 1) * (count + 2) // 2
    start, total = _before(points), int(points.sum())
    texel, share = np.empty((total, 2), np.int32), np.empty(total, np.float32)
    weights = np.empty((total, 3), np.float32)
    for n in np.unique(count):
        members, grid = np.flatnonzero(count == n), _grid(int(n))
        rows = start[members][:, None] + np.arange(len(grid))
        texel[rows], share[rows] = numbers.grid_texels(members, grid)
        weights[rows] = (grid / n).astype(np.float32)
    return start, texel, share, np.arange(len(count)).repeat(points), weights


def _edges(faces: Ints) -> tuple[Ints, Ints]:
    """The number of the edge across from each corner (F, 3), and the edges' vertices (E, 2), the lower one first."""
    ends = np.stack([faces[:, [1, 2, 0]], faces[:, [2, 0, 1]]], axis=-1)
    ends.sort(axis=-1)
    size = int(faces.max(initial=0)) + 1
    keys, edge = np.unique(ends[..., 0] * size + ends[..., 1], return_inverse=True)
    return edge.reshape(faces.shape), np.stack(np.divmod(keys, size), axis=1)


def _intervals(rest: Floats, pairs: Ints, spacing_m: float) -> Ints:
    length = np.linalg.norm(rest[pairs[:, 0]] - rest[pairs[:, 1]], axis=1)
    powers = np.ceil(np.log2(np.maximum(length / spacing_m, 1e-9)) - 1e-9)
    return np.asarray(2 ** np.clip(powers, 0, np.log2(MOST_INTERVALS)).astype(np.int64))


def _before(counts: Ints) -> Ints:
    return np.asarray(np.cumsum(counts) - counts)


def _grid(n: int) -> Ints:
    """The points (points, 3) of a grid of n intervals, in the order of `_number`."""
    c, b = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    kept = b + c <= n
    return np.stack([n - b[kept] - c[kept], b[kept], c[kept]], axis=1)


def _number(n: Ints, b: Ints, c: Ints) -> Ints:
    """The place of the point (n - b - c, b, c) in its grid: row c has n + 1 - c points."""
    return np.asarray(c * (n + 1) - c * (c - 1) // 2 + b)
