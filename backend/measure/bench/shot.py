"""The shot that the benches run on: the free body in a sample motion, rasterised here, with the passes' conventions."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.correspondence.indexing import ranges
from backend.passes.exr import FramePasses
from backend.passes.shot_passes import Charts, FramesInMemory, ShotPasses
from shared.body.loading import free_body
from shared.body.posing import pose_vertices_batch
from shared.errors import BodyError
from shared.motion.reader import read_motion
from shared.motion.samples import sample_path
from shared.shot import Shot, ShotCamera, ShotCharacter

View = Literal["full body", "close-up"]
MOTION = "dance"
# Focal length over the picture's height, and the height that the camera looks at, in parts of the body's own: the
# whole body in two thirds of the picture, or the torso with 20,000 pixels of one of its sides at 512.
FRAMING: dict[View, tuple[float, float]] = {"full body": (2.0, 0.5), "close-up": (3.85, 0.72)}
DISTANCE_M = 5.0

Floats = NDArray[np.float64]


def bench_shot(frames: int, size: int, view: View = "full body") -> ShotPasses:
    """Passes of `frames` consecutive frames of the sample motion, `size` pixels square."""
    body = free_body()
    if body.part is None or body.chart_uv is None:
        raise BodyError(
            "body.no_parts", "The free body has no parts.", "Build it again with python -m backend.make.body.build."
        )
    charts = Charts(body.f, body.part, body.chart_uv)
    motion = read_motion(sample_path(MOTION))
    start = max(0, (motion.frame_count - frames) // 2)
    shown = np.minimum(np.arange(start, start + frames), motion.frame_count - 1)
    vertices = pose_vertices_batch(body, motion.poses[shown], motion.betas, motion.root[shown])
    matrix, intrinsics = _camera(vertices.astype(np.float64), size, view)
    local = vertices.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    planes = [render_boxes(v, charts, intrinsics, size) for v in local]
    depth, part, uv = (np.stack(plane) for plane in zip(*planes, strict=True))
    seen = depth[np.isfinite(depth)]
    joints = np.zeros((frames, 24, 3))
    shot = Shot(
        version=1,
        fps=motion.fps,
        width=size,
        height=size,
        frames=tuple(range(1, frames + 1)),
        near_m=float(seen.min()),
        far_m=float(seen.max()),
        camera=ShotCamera(np.stack([matrix] * frames), np.stack([intrinsics] * frames)),
        characters=(ShotCharacter("body", 0, vertices.shape[1], joints, joints[..., :2]),),
    )
    return ShotPasses(shot, vertices, charts, FramesInMemory(FramePasses(depth, part, uv)))


def _camera(vertices: Floats, size: int, view: View) -> tuple[Floats, Floats]:
    """World to camera (4, 4) and intrinsics (3, 3): straight from the front, the character facing +Z."""
    zoom, height = FRAMING[view]
    low, high = vertices.reshape(-1, 3).min(0), vertices.reshape(-1, 3).max(0)
    middle = (low + high) / 2
    place = np.array([middle[0], low[1] + height * (high[1] - low[1]), middle[2] + DISTANCE_M])
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag([1.0, -1.0, -1.0])
    matrix[:3, 3] = -matrix[:3, :3] @ place
    half = size / 2
    return matrix, np.array([[zoom * size, 0, half], [0, zoom * size, half], [0, 0, 1.0]])


def render_boxes(
    camera: Floats, charts: Charts, intrinsics: Floats, size: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
    """Depth, part and uv of vertices (V, 3) in camera metres, all in front of it: one sample at a pixel's centre.

    The plain way: every pixel in every triangle's bounding box is tried.
    """
    corners = camera[charts.f]  # (faces, 3, 3)
    screen = (corners @ intrinsics.T)[..., :2] / corners[..., 2:]
    low = np.clip(np.ceil(screen.min(1) - 0.5), 0, size).astype(np.int64)
    high = np.clip(np.floor(screen.max(1) - 0.5) + 1, 0, size).astype(np.int64)
    columns, rows = np.maximum(high - low, 0).T
    count = columns * rows
    # Every pixel in every face's bounding box, one face after the other.
    face = np.arange(len(count)).repeat(count)
    row, column = np.divmod(ranges(np.zeros(len(count), np.int64), count), np.maximum(columns, 1)[face])
    x, y = low[face, 0] + column, low[face, 1] + row
    ray = np.column_stack([x + 0.5, y + 0.5, np.ones(len(face))]) @ np.linalg.inv(intrinsics).T
    # The ray meets the plane of the corners a, b, c with weights in the ratio of ray . (b x c) and its turns.
    edges = np.stack([np.cross(corners[:, (k + 1) % 3], corners[:, (k + 2) % 3]) for k in range(3)], axis=1)
    weights = np.einsum("nki,ni->nk", edges[face], ray)
    total = weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights /= total[:, None]
    hit = np.flatnonzero((weights >= 0).all(axis=1))
    face, weights, pixel = face[hit], weights[hit], (y * size + x)[hit]
    z = (weights * corners[face, :, 2]).sum(axis=1)
    order = np.lexsort((z, pixel))
    nearest = order[np.unique(pixel[order], return_index=True)[1]]
    depth = np.full(size * size, np.inf, np.float32)
    part, uv = np.zeros(size * size, np.uint8), np.zeros((size * size, 2), np.float32)
    face, pixel = face[nearest], pixel[nearest]
    depth[pixel], part[pixel] = z[nearest], charts.part[face]
    uv[pixel] = np.clip(np.einsum("nk,nki->ni", weights[nearest], charts.chart_uv[face]), 0, 1)
    return depth.reshape(size, size), part.reshape(size, size), uv.reshape(size, size, 2)
