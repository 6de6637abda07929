"""Passes of a posed body without Blender: a ray per pixel centre against every triangle, in NumPy.

Depth, part and chart position are exact to float32, as the real passes are; there is no antialiasing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.passes.exr import FramePasses
from backend.passes.shot_passes import Charts, FramesInMemory, ShotPasses
from shared.shot import Shot, ShotCamera, ShotCharacter


def render_passes(
    vertices: NDArray[Any],  # (frames, V, 3) world metres, Z up
    charts: Charts,
    *,
    size: tuple[int, int],  # height, width
    focal_px: float,
    camera_m: tuple[float, float, float],  # the camera looks along +Y
) -> ShotPasses:
    """Render every frame from one static camera."""
    height, width = size
    matrix = np.eye(4)
    matrix[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    matrix[:3, 3] = -matrix[:3, :3] @ camera_m
    intrinsics = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1.0]])
    count = len(vertices)
    planes = [_render(v @ matrix[:3, :3].T + matrix[:3, 3], charts, intrinsics, size) for v in vertices.astype(float)]
    depth, part, uv = (np.stack(plane) for plane in zip(*planes, strict=True))
    seen = depth[np.isfinite(depth)]
    near, far = (float(seen.min()), float(seen.max())) if seen.size else (1.0, 2.0)
    joints = np.zeros((count, 24, 3))
    shot = Shot(
        version=1,
        fps=24.0,
        width=width,
        height=height,
        frames=tuple(range(1, count + 1)),
        near_m=near,
        far_m=far,
        camera=ShotCamera(np.stack([matrix] * count), np.stack([intrinsics] * count)),
        characters=(ShotCharacter("body", 0, vertices.shape[1], joints, joints[..., :2]),),
    )
    frames = FramesInMemory(FramePasses(depth, part, uv))
    return ShotPasses(shot, vertices.astype(np.float32), charts, frames)


def all_parts(passes: ShotPasses) -> NDArray[np.uint8]:
    """The part labels of the whole shot, (frames, height, width)."""
    return passes.parts(passes.positions)


def shape_of(passes: ShotPasses) -> tuple[int, int, int]:
    """Frames, height and width."""
    return len(passes.positions), *passes.size


def _render(
    camera: NDArray[Any], charts: Charts, intrinsics: NDArray[Any], size: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Depth (H, W), part (H, W) and uv (H, W, 2) of vertices (V, 3) in camera metres, all before the camera."""
    height, width = size
    corners = camera[charts.f]  # (faces, 3, 3)
    screen = (corners @ intrinsics.T)[..., :2] / corners[..., 2:]
    # The pixels whose centres lie in the bounding box.
    low = np.clip(np.ceil(screen.min(1) - 0.5 - 1e-6).astype(int), 0, (width, height))
    high = np.clip(np.floor(screen.max(1) - 0.5 + 1e-6).astype(int) + 1, 0, (width, height))
    # The ray through (x, y) has the weights w_k proportional to ray . (corner_i x corner_j).
    edges = np.stack([np.cross(corners[:, (k + 1) % 3], corners[:, (k + 2) % 3]) for k in range(3)], 1)
    inverse = np.linalg.inv(intrinsics)
    depth = np.full((height, width), np.inf)
    part = np.zeros((height, width), np.uint8)
    uv = np.zeros((height, width, 2))
    for face in np.flatnonzero((high > low).all(1)):
        (x0, y0), (x1, y1) = low[face], high[face]
        y, x = np.mgrid[y0:y1, x0:x1]
        ray = np.stack([x + 0.5, y + 0.5, np.ones(x.shape)], -1) @ inverse.T
        weights = ray @ edges[face].T
        total = weights.sum(-1, keepdims=True)
        weights = np.divide(weights, total, out=np.full(weights.shape, -1.0), where=total != 0)
        z = weights @ corners[face, :, 2]
        hit = (weights >= -1e-12).all(-1) & (z < depth[y, x])
        depth[y[hit], x[hit]] = z[hit]
        part[y[hit], x[hit]] = charts.part[face]
        uv[y[hit], x[hit]] = weights[hit] @ charts.chart_uv[face]
    return depth.astype(np.float32), part, np.clip(uv, 0, 1).astype(np.float32)
