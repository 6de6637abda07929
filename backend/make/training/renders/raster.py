"""A z-buffer rasteriser for training pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]

NEAREST_M = 0.1


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera in a Y-up world of metres; pixel centres lie at +0.5."""

    position: FloatArray  # (3,) metres
    forward: FloatArray  # (3,) unit
    right: FloatArray  # (3,) unit, to the right of the picture
    up: FloatArray  # (3,) unit, to the top of the picture
    focal: float  # pixels of a picture that is `size` pixels wide
    size: int  # pixels, width and height


@dataclass(slots=True)
class Fragments:
    """What each pixel sees: depth in metres (inf = nothing), triangle (-1 = nothing), two barycentric weights."""

    depth_m: FloatArray  # (H, W)
    face: IntArray  # (H, W)
    weights: FloatArray  # (H, W, 2) perspective-correct weights of the triangle's first two corners


def look_from(yaw: float, pitch: float, distance_m: float, target: FloatArray, focal: float, size: int) -> Camera:
    """A camera on a sphere around `target`: yaw 0 stands at +Z, pitch > 0 looks down (radians)."""
    forward = np.array([-np.sin(yaw) * np.cos(pitch), -np.sin(pitch), -np.cos(yaw) * np.cos(pitch)], np.float32)
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)], np.float32)
    up = np.cross(right, forward).astype(np.float32)
    return Camera(target - forward * np.float32(distance_m), forward, right, up, focal, size)


def project(camera: Camera, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Pixel coordinates (n, 2) and planar depths (n,) in metres of world points (n, 3)."""
    local = (points - camera.position) @ np.stack([camera.right, camera.up, camera.forward], 1)
    depth = np.maximum(local[:, 2], 1e-6)
    scale = np.float32(camera.focal) / depth
    centre = camera.size / 2
    pixels = np.stack([centre + local[:, 0] * scale, centre - local[:, 1] * scale], 1)
    return pixels.astype(np.float32), local[:, 2].astype(np.float32)


def empty_fragments(size: int) -> Fragments:
    """A cleared frame buffer."""
    return Fragments(
        np.full((size, size), np.inf, np.float32),
        np.full((size, size), -1, np.int32),
        np.zeros((size, size, 2), np.float32),
    )


def rasterise(fragments: Fragments, pixels: FloatArray, depth_m: FloatArray, faces: IntArray, first_face: int) -> None:
    """Draw triangles (F, 3), numbered from `first_face`, into `fragments`; those that reach the camera are skipped."""
    _fill(fragments.depth_m, fragments.face, fragments.weights, pixels, depth_m, faces, first_face)


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _fill(
    zbuf: FloatArray, fbuf: IntArray, wbuf: FloatArray, xy: FloatArray, z: FloatArray, faces: IntArray, first: int
) -> None:
    height, width = zbuf.shape
    for k in range(faces.shape[0]):
        a, b, c = faces[k, 0], faces[k, 1], faces[k, 2]
        if z[a] < NEAREST_M or z[b] < NEAREST_M or z[c] < NEAREST_M:
            continue
        ax, ay, bx, by, cx, cy = xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1], xy[c, 0], xy[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0:
            continue
        x0 = max(int(np.ceil(min(ax, bx, cx) - 0.5)), 0)
        x1 = min(int(np.floor(max(ax, bx, cx) - 0.5)), width - 1)
        y0 = max(int(np.ceil(min(ay, by, cy) - 0.5)), 0)
        y1 = min(int(np.floor(max(ay, by, cy) - 0.5)), height - 1)
        ra, rb, rc = 1.0 / z[a], 1.0 / z[b], 1.0 / z[c]
        for y in range(y0, y1 + 1):
            py = y + 0.5
            for x in range(x0, x1 + 1):
                px = x + 0.5
                wa = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
                wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
                wc = 1.0 - wa - wb
                if wa < 0.0 or wb < 0.0 or wc < 0.0:
                    continue
                inverse = wa * ra + wb * rb + wc * rc
                depth = 1.0 / inverse
                if depth < zbuf[y, x]:
                    zbuf[y, x] = depth
                    fbuf[y, x] = first + k
                    wbuf[y, x, 0] = wa * ra * depth
                    wbuf[y, x, 1] = wb * rb * depth
