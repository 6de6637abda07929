"""Exact correspondence, the slow and obvious way: every triangle of the chart, every triangle as an occluder."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.passes.shot_passes import ShotPasses


def seen_point(passes: ShotPasses, frame: int, row: int, column: int) -> tuple[int, NDArray[Any]]:
    """The triangle and weights (3,) of a pixel: of all that hold its (part, u, v) the one that projects to it."""
    uv = passes.frame(frame).uv[row, column].astype(float)
    faces = np.flatnonzero(passes.charts.part == passes.frame(frame).part[row, column])
    a, b, c = np.moveaxis(passes.charts.chart_uv[faces].astype(float), 1, 0)
    area = np.linalg.det(np.stack([b - a, c - a], -1))
    faces, a, b, c = (values[np.abs(area) > 1e-12] for values in (faces, a, b, c))
    outer = np.linalg.solve(np.stack([b - a, c - a], -1), (uv - a)[..., None])[..., 0]
    weights = np.column_stack([1 - outer.sum(1), outer])
    best, best_weights, closest = -1, np.zeros(3), np.inf
    for i in np.flatnonzero(weights.min(1) > -1e-3):
        place = picture_position(passes, place_in_frame(passes, int(faces[i]), weights[i], frame), frame)
        distance = float(np.linalg.norm(place - (column + 0.5, row + 0.5)))
        if distance < closest:
            best, best_weights, closest = int(faces[i]), weights[i], distance
    return best, best_weights


def place_in_frame(passes: ShotPasses, face: int, weights: NDArray[Any], frame: int) -> NDArray[Any]:
    """A surface point (3,) in camera metres of a frame."""
    world = weights @ passes.vertices[frame][passes.charts.f[face]].astype(float)
    matrix = passes.shot.camera.world_to_camera[frame]
    return np.asarray(matrix[:3, :3] @ world + matrix[:3, 3])


def picture_position(passes: ShotPasses, point: NDArray[Any], frame: int) -> NDArray[Any]:
    """x, y in pixels of a point (3,) in camera metres."""
    homogeneous = passes.shot.camera.intrinsics[frame] @ point
    return np.asarray(homogeneous[:2] / homogeneous[2])


def clearance(passes: ShotPasses, point: NDArray[Any], frame: int, face: int) -> float:
    """How far in metres (along the ray) the nearest other triangle lies before the point; negative = it is hidden.

    Moeller and Trumbore's ray test against all triangles but the point's own.
    """
    matrix = passes.shot.camera.world_to_camera[frame]
    camera = passes.vertices[frame].astype(float) @ matrix[:3, :3].T + matrix[:3, 3]
    corners = camera[np.delete(passes.charts.f, face, axis=0)]
    along, across = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    ray = point / point[2]
    normal = np.cross(ray, across)
    determinant = (along * normal).sum(1)
    usable = np.abs(determinant) > 1e-12
    scale = np.where(usable, 1 / np.where(usable, determinant, 1), 0)
    first = -(corners[:, 0] * normal).sum(1) * scale
    other = np.cross(-corners[:, 0], along)
    second = (other @ ray) * scale
    depth = (across * other).sum(1) * scale
    hit = usable & (first >= 0) & (second >= 0) & (first + second <= 1) & (depth > 0)
    return float(depth[hit].min() - point[2]) if hit.any() else np.inf
