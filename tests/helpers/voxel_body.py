"""A coarse figure of voxels with SMPL's joints: a small, quick body that is no relative of the free body."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared.motion.skeleton import PARENTS

VOXEL_M = 0.04

# SMPL's rest joints, rounded to a few centimetres.
JOINTS = np.array([
    (0.0, -0.24, 0.0), (0.08, -0.32, 0.0), (-0.08, -0.32, 0.0), (0.0, -0.12, 0.0), (0.1, -0.7, 0.0), (-0.1, -0.7, 0.0),
    (0.0, 0.02, 0.0), (0.1, -1.1, 0.0), (-0.1, -1.1, 0.0), (0.0, 0.08, 0.0), (0.1, -1.16, 0.1), (-0.1, -1.16, 0.1),
    (0.0, 0.28, 0.0), (0.08, 0.2, 0.0), (-0.08, 0.2, 0.0), (0.0, 0.38, 0.0), (0.18, 0.22, 0.0), (-0.18, 0.22, 0.0),
    (0.44, 0.22, 0.0), (-0.44, 0.22, 0.0), (0.68, 0.22, 0.0), (-0.68, 0.22, 0.0), (0.78, 0.22, 0.0), (-0.78, 0.22, 0.0),
])  # fmt: skip

# Boxes as (low corner, high corner) in metres, multiples of the voxel; the left side is mirrored.
MIDDLE_BOXES = (((-0.16, -0.32, -0.08), (0.16, 0.28, 0.08)), ((-0.08, 0.28, -0.08), (0.08, 0.56, 0.12)))
LEFT_BOXES = (
    ((0.16, 0.16, -0.04), (0.72, 0.28, 0.08)),
    ((0.72, 0.2, -0.04), (0.88, 0.24, 0.08)),
    ((0.04, -1.12, -0.04), (0.16, -0.32, 0.08)),
    ((0.04, -1.2, -0.08), (0.16, -1.12, 0.2)),
)


def voxel_body_arrays(seed: int = 0, posedirs_m: float = 0.0) -> dict[str, NDArray[np.generic]]:
    """Arrays under SMPL's keys: random shapes, pose correctives of about `posedirs_m`, smooth weights; no parts."""
    rng = np.random.default_rng(seed)
    vertices, triangles = _surface(_grid())
    weights = _weights(vertices)
    tree = np.stack([np.array(PARENTS), np.arange(24)]).astype(np.int64)
    tree[0, 0] = 2**32 - 1
    near = np.exp(-((np.linalg.norm(vertices[None] - JOINTS[:, None], axis=2) / 0.1) ** 2))
    return {
        "v_template": vertices,
        "shapedirs": rng.normal(0.0, 0.01, (len(vertices), 3, 10)),
        "posedirs": rng.normal(0.0, 1.0, (len(vertices), 3, 207)) * posedirs_m,
        "J_regressor": near / near.sum(axis=1, keepdims=True),
        "weights": weights,
        "kintree_table": tree,
        "f": triangles,
    }


def _grid() -> NDArray[np.bool_]:
    cells = np.zeros((60, 60, 20), dtype=bool)
    mirrored = [((-high[0], *low[1:]), (-low[0], *high[1:])) for low, high in LEFT_BOXES]
    for low, high in (*MIDDLE_BOXES, *LEFT_BOXES, *mirrored):
        (x0, y0, z0), (x1, y1, z1) = np.rint(np.array([low, high]) / VOXEL_M).astype(int) + np.array([30, 35, 5])
        cells[x0:x1, y0:y1, z0:z1] = True
    return cells


def _surface(cells: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The outside of the cells as triangles that look outwards; corners of one place are one vertex."""
    quads = []
    for axis in range(3):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        for direction in (-1, 1):
            open_side = cells & ~np.roll(cells, -direction, axis=axis)
            base = np.argwhere(open_side)
            base[:, axis] += direction > 0
            ring = [(0, 0), (1, 0), (1, 1), (0, 1)] if direction > 0 else [(0, 0), (0, 1), (1, 1), (1, 0)]
            corners = np.repeat(base[:, None], 4, axis=1)
            corners[:, :, one] += np.array([step for step, _ in ring])
            corners[:, :, other] += np.array([step for _, step in ring])
            quads.append(corners)
    corners = np.concatenate(quads)
    places, index = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    quad = index.reshape(-1, 4)
    triangles = np.stack([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    return (places - np.array([30, 35, 5])) * VOXEL_M, triangles.astype(np.int64)


def _weights(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest bone's joint moves a vertex, softly; a bone runs from its joint to the mean of its children."""
    distance = np.empty((len(vertices), 24))
    for joint in range(24):
        children = [child for child, parent in enumerate(PARENTS) if parent == joint]
        start = JOINTS[joint]
        end = JOINTS[children].mean(axis=0) if children else start + 0.5 * (start - JOINTS[PARENTS[joint]])
        along = np.clip((vertices - start) @ (end - start) / max(float((end - start) @ (end - start)), 1e-9), 0.0, 1.0)
        distance[:, joint] = np.linalg.norm(vertices - start - along[:, None] * (end - start), axis=1)
    soft = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / 0.01)
    order = np.argsort(soft, axis=1)
    np.put_along_axis(soft, order[:, :-4], 0.0, axis=1)
    return np.asarray(soft / soft.sum(axis=1, keepdims=True))
