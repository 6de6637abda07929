"""A slow, obvious z-buffer: which surface point lies under every pixel's centre. Twin of the rendered passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Raster:
    """Pictures (height, width); background has part 0 and depth inf."""

    depth_m: NDArray[Any]
    part: NDArray[Any]
    uv: NDArray[Any]  # (height, width, 2)
    face: NDArray[Any]  # -1 = background


def rasterise(
    vertices: NDArray[Any],  # (V, 3) world metres
    f: NDArray[Any],  # (F, 3)
    part: NDArray[Any],  # (F,)
    chart_uv: NDArray[Any],  # (F, 3, 2)
    world_to_camera: NDArray[Any],  # (4, 4), OpenCV axes
    intrinsics: NDArray[Any],  # (3, 3) pixels, pixel centres at +0.5
    width: int,
    height: int,
) -> Raster:
    """Draw triangle after triangle; depth and chart coordinates are interpolated in perspective."""
    camera = vertices @ world_to_camera[:3, :3].T + world_to_camera[:3, 3]
    z = camera[:, 2]
    x = intrinsics[0, 0] * camera[:, 0] / z + intrinsics[0, 2]
    y = intrinsics[1, 1] * camera[:, 1] / z + intrinsics[1, 2]
    picture = Raster(
        np.full((height, width), np.inf), np.zeros((height, width), int), np.zeros((height, width, 2)),
        np.full((height, width), -1),
    )  # fmt: skip
    for index, corners in enumerate(f):
        if (z[corners] <= 0).any():
            continue
        _draw(picture, index, np.stack([x[corners], y[corners]], 1), z[corners], int(part[index]), chart_uv[index])
    return picture


def _draw(picture: Raster, index: int, xy: NDArray[Any], z: NDArray[Any], label: int, uv: NDArray[Any]) -> None:
    height, width = picture.part.shape
    left, top = np.maximum(np.floor(xy.min(0) - 0.5).astype(int), 0)
    right, bottom = np.minimum(np.ceil(xy.max(0) + 0.5).astype(int), (width, height))
    if left >= right or top >= bottom:
        return
    rows, columns = np.mgrid[top:bottom, left:right]
    px, py = columns + 0.5, rows + 0.5
    (ax, ay), (bx, by), (cx, cy) = xy
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    if abs(area) < 1e-12:
        return
    b = ((px - ax) * (cy - ay) - (cx - ax) * (py - ay)) / area
    c = ((bx - ax) * (py - ay) - (px - ax) * (by - ay)) / area
    weights = np.stack([1 - b - c, b, c], -1)
    inverse = weights / z  # linear in the picture
    depth = 1 / np.where(inverse.sum(-1) == 0, np.nan, inverse.sum(-1))
    hit = (weights >= 0).all(-1) & (depth < picture.depth_m[top:bottom, left:right])
    at = rows[hit], columns[hit]
    picture.depth_m[at] = depth[hit]
    picture.part[at] = label
    picture.uv[at] = ((inverse @ uv) * depth[..., None])[hit]
    picture.face[at] = index
