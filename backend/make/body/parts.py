"""DensePose's 24 parts on a body in the T-pose, from its skin weights and its surface's direction."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from backend.make.body.surface import IntArray, smoothed, triangle_normals, without_islands
from shared.motion.skeleton import JOINT_INDEX

Array = NDArray[np.float64]

WEIGHT_ROUNDS: Final = 6
NORMAL_ROUNDS: Final = 14
BORDER_ROUNDS: Final = 24
SMALLEST_ISLAND: Final = 24
FORWARD: Final = np.array([0.0, 0.0, 1.0])
FLEXOR: Final = np.array([0.0, -0.45, 0.9])  # an arm's front in the T-pose: biceps and palm look forward and down

# Each region: the SMPL joints that move it, and its DensePose parts where it looks (away from, along) its direction.
_TRUNK: Final = ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar")
_REGIONS: Final[tuple[tuple[tuple[str, ...], tuple[int, int], Array], ...]] = (
    (_TRUNK, (1, 2), FORWARD),
    (("neck", "head"), (23, 24), np.array([1.0, 0.0, 0.0])),
    (("right_wrist", "right_hand"), (3, 3), FORWARD),
    (("left_wrist", "left_hand"), (4, 4), FORWARD),
    (("left_ankle", "left_foot"), (5, 5), FORWARD),
    (("right_ankle", "right_foot"), (6, 6), FORWARD),
    (("right_hip",), (7, 9), FORWARD),
    (("left_hip",), (8, 10), FORWARD),
    (("right_knee",), (11, 13), FORWARD),
    (("left_knee",), (12, 14), FORWARD),
    (("left_shoulder",), (17, 15), FLEXOR),
    (("right_shoulder",), (18, 16), FLEXOR),
    (("left_elbow",), (21, 19), FLEXOR),
    (("right_elbow",), (22, 20), FLEXOR),
)
_HEAD: Final = 1


def assign_parts(vertices: Array, faces: IntArray, weights: Array) -> NDArray[np.uint8]:
    """Parts (n,) 1..24 of faces (n, 3) or (n, 4) over vertices (V, 3) in the T-pose with skin weights (V, 24).

    A region is where its joints' weights win; its two sides are where the smoothed surface looks along or away from
    the region's direction, the head's are the character's right and left. Borders are then shortened face by face.
    """
    graph = _vertex_graph(faces, len(vertices))
    owned = [weights[:, [JOINT_INDEX[name] for name in names]].sum(axis=1) for names, _, _ in _REGIONS]
    shares = smoothed(np.stack(owned, axis=1), graph, WEIGHT_ROUNDS)
    region = shares[faces].mean(axis=1).argmax(axis=1)
    normals = smoothed(_vertex_normals(vertices, faces), graph, NORMAL_ROUNDS)
    directions = np.stack([direction for _, _, direction in _REGIONS])
    looks = np.sum(normals[faces].mean(axis=1) * directions[region], axis=1)
    looks = np.where(region == _HEAD, vertices[faces].mean(axis=1)[:, 0], looks)
    sides = np.array([parts for _, parts, _ in _REGIONS])
    part = sides[region, (looks > 0.0).astype(int)]
    neighbours = _face_graph(vertices, faces)
    head = region == _HEAD
    for index in range(BORDER_ROUNDS):
        resting = head | (np.arange(len(part)) % 2 == index % 2)  # so that two neighbours do not swap for ever
        part = np.where(resting, part, _relaxed(part, neighbours))
    return without_islands(part, neighbours, SMALLEST_ISLAND).astype(np.uint8)


def _face_edges(faces: IntArray) -> IntArray:
    """Directed edges (n, k, 2) of faces (n, k)."""
    return np.stack([faces, np.roll(faces, -1, axis=1)], axis=2)


def _vertex_graph(faces: IntArray, count: int) -> csr_matrix:
    ends = _face_edges(faces).reshape(-1, 2)
    rows, columns = np.concatenate([ends, ends[:, ::-1]]).T
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count)).tocsr()
    graph.data[:] = 1.0
    return graph


def _vertex_normals(vertices: Array, faces: IntArray) -> Array:
    normals = np.zeros_like(vertices)
    for last in range(2, faces.shape[1]):
        fan = faces[:, [0, last - 1, last]]
        for corner in range(3):
            np.add.at(normals, fan[:, corner], triangle_normals(vertices, fan))
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-15))


def _face_graph(vertices: Array, faces: IntArray) -> csr_matrix:
    """Adjacency (n, n) of faces, weighted by the length in metres of the edge that they share."""
    ends = np.sort(_face_edges(faces).reshape(-1, 2), axis=1)
    owner = np.repeat(np.arange(len(faces)), faces.shape[1])
    order = np.lexsort(ends.T)
    same = np.all(ends[order][1:] == ends[order][:-1], axis=1)
    first, second = order[:-1][same], order[1:][same]
    length = np.linalg.norm(vertices[ends[first, 0]] - vertices[ends[first, 1]], axis=1)
    rows, columns = np.concatenate([owner[first], owner[second]]), np.concatenate([owner[second], owner[first]])
    return coo_matrix((np.tile(length, 2), (rows, columns)), shape=(len(faces),) * 2).tocsr()


def _relaxed(labels: IntArray, graph: csr_matrix) -> IntArray:
    """Labels after every face took the label with which it shares the longest border, all at once."""
    count = int(labels.max()) + 1
    one_hot = coo_matrix((np.ones(len(labels)), (np.arange(len(labels)), labels)), shape=(len(labels), count)).tocsr()
    border = (graph @ one_hot).toarray()
    own = border[np.arange(len(labels)), labels]
    best = border.argmax(axis=1)
    return np.where(border.max(axis=1) > own * 1.05 + 1e-9, best, labels)
