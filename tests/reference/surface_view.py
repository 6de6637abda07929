"""What a frame shows of the texels, pixel by pixel and texel by texel, with the numbers written out again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.passes.shot_passes import ShotPasses
from backend.surface.texels import TexelMesh
from tests.reference.raster import Raster, rasterise

CORNERS = np.array([(0, 0), (1, 0), (0, 1)], float)  # chart coordinates that are the second and the third weight


@dataclass(frozen=True, slots=True)
class Pixel:
    """A pixel that shows a body."""

    alpha: float
    reads: dict[int, float]  # texel -> weight
    normal: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Texel:
    """A texel that the frame sees."""

    place: NDArray[Any]
    taps: dict[int, float]  # pixel -> weight
    normal: NDArray[Any]
    quality: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One frame before its camera."""

    passes: ShotPasses
    frame: int
    points: NDArray[Any]  # (V, 3) camera metres
    normals: NDArray[Any]  # (V, 3)
    fine: Raster  # four samples a pixel
    centres: Raster
    hidden: NDArray[Any]  # (height, width)
    distance: NDArray[Any]  # (height, width) pixels to the nearest edge


def scene(passes: ShotPasses, frame: int) -> Scene:
    """Draw the frame and find what other objects hide."""
    matrix, intrinsics = passes.shot.camera.world_to_camera[frame], passes.shot.camera.intrinsics[frame]
    vertices, faces = passes.vertices[frame].astype(float), passes.charts.f
    points = vertices @ matrix[:3, :3].T + matrix[:3, 3]
    normals = np.zeros_like(points)
    for face in faces:
        a, b, c = points[face]
        normals[face] += np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    height, width = passes.size
    drawings = []
    for scale in (2, 1):
        drawings.append(
            rasterise(
                vertices, faces, np.ones(len(faces), int), np.tile(CORNERS, (len(faces), 1, 1)), matrix,
                np.diag([scale, scale, 1.0]) @ intrinsics, scale * width, scale * height,
            )
        )  # fmt: skip
    fine, centres = drawings
    hidden = (centres.face >= 0) & (passes.frame(frame).part == 0)
    return Scene(passes, frame, points, normals, fine, centres, hidden, distances(passes, frame))


def pixel(of: Scene, mesh: TexelMesh, row: int, column: int) -> Pixel | None:
    """What a pixel shows, or None. Lone pixels of a silhouette that the passes miss are not looked for here."""
    samples = [(2 * row + down, 2 * column + right) for down in range(2) for right in range(2)]
    samples = [at for at in samples if of.fine.face[at] >= 0]
    if not samples or of.hidden[row, column]:
        return None
    around = (slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2))
    if of.centres.face[row, column] < 0:
        if of.hidden[around].sum() > (of.passes.frame(of.frame).part[around] > 0).sum():
            return None
    reads: dict[int, float] = defaultdict(float)
    total, sights = np.zeros(3), np.zeros(3)
    for at in samples:
        face = int(of.fine.face[at])
        weights = np.array([1 - of.fine.uv[at].sum(), *of.fine.uv[at]])
        index, weight = mesh.lookup(np.array([face]), np.maximum(weights, 0)[None])
        for texel, share in zip(index[0], weight[0], strict=True):
            reads[int(texel)] += float(share) / len(samples)
        corners = of.passes.charts.f[face]
        a, b, c = of.points[corners]
        sight = -(weights @ of.points[corners])
        normal = weights @ of.normals[corners]
        normal *= 1 if np.cross(b - a, c - a) @ sight >= 0 else -1
        total += normal / np.linalg.norm(normal)
        sights += sight / np.linalg.norm(sight)
    sights /= np.linalg.norm(sights)
    if total @ sights < 0:
        total -= (total @ sights) * sights
    return Pixel(len(samples) / 4, {k: v for k, v in reads.items() if v > 0}, total / np.linalg.norm(total))


def texel(of: Scene, mesh: TexelMesh, number: int) -> Texel | None:
    """Where a texel is seen, or None."""
    height, width = of.passes.size
    corners, weights = of.passes.charts.f[mesh.face[number]], mesh.weights[number].astype(float)
    point, normal = weights @ of.points[corners], weights @ of.normals[corners]
    normal /= np.linalg.norm(normal)
    cosine = float(-normal @ point / np.linalg.norm(point))
    intrinsics = of.passes.shot.camera.intrinsics[of.frame]
    x, y = (intrinsics @ (point / point[2]))[:2]
    if cosine <= 0.05 or point[2] <= 0 or not (0 <= x < width and 0 <= y < height):
        return None
    before = 0 if of.hidden[int(y), int(x)] else of.fine.depth_m[int(2 * y), int(2 * x)]
    if point[2] >= before + 0.02 + 0.012 / max(cosine, 0.1):
        return None
    rendered, taps, distance = of.passes.frame(of.frame), {}, 0.0
    for row in (int(np.floor(y - 0.5)), int(np.floor(y - 0.5)) + 1):
        for column in (int(np.floor(x - 0.5)), int(np.floor(x - 0.5)) + 1):
            share = (1 - abs(y - 0.5 - row)) * (1 - abs(x - 0.5 - column))
            if not (0 <= row < height and 0 <= column < width):
                continue
            distance += share * of.distance[row, column]
            if rendered.part[row, column] > 0 and abs(rendered.depth_m[row, column] - point[2]) < 0.05:
                taps[row * width + column] = share
    total = sum(taps.values())
    if total <= 0:
        return None
    quality = cosine**2 * min(max((distance - 0.5) / 3, 0.02), 1)
    return Texel(np.array([x, y]), {k: v / total for k, v in taps.items()}, normal, quality)


def distances(passes: ShotPasses, frame: int) -> NDArray[Any]:
    """Pixels to the nearest one off the bodies, or one more than to the nearest beside a step in depth."""
    rendered = passes.frame(frame)
    body, depth = rendered.part > 0, rendered.depth_m
    height, width = body.shape
    marked = []  # row, column, distance there
    for row in range(height):
        for column in range(width):
            if not body[row, column]:
                marked.append((row, column, 0))
                continue
            for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                y, x = row + down, column + right
                if 0 <= y < height and 0 <= x < width and body[y, x] and abs(depth[y, x] - depth[row, column]) > 0.05:
                    marked.append((row, column, 1))
    found = np.full(body.shape, np.inf)
    for row in range(height):
        for column in range(width):
            if not body[row, column]:
                found[row, column] = 0
            elif marked:
                found[row, column] = min(np.hypot(y - row, x - column) + more for y, x, more in marked)
    return found
