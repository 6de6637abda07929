"""Exact correspondence: where the surface point under a pixel of one frame lies in another frame, and if it is seen.

A pixel's (part, u, v) names one point of the body. The point is found in the charts (triangle and barycentric
weights), carried to the other frame by that frame's evaluated vertices, projected with its camera, and compared with
its depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.correspondence.chart_index import ChartIndex, find_in_charts
from backend.correspondence.indexing import closest_one_to_one
from backend.correspondence.types import Matches
from backend.passes.shot_passes import ShotPasses
from shared.errors import PassesError

# A point found in the charts must project back to its own pixel this closely; u and v as 16-bit floats cost 0.2 px.
REPROJECTION_PX = 1.0

# How far the depth seen at a pixel's centre may lie from the depth that the point's triangle, prolonged to that
# centre, would have there: a hundredth of a metre for the curvature between them, and the prolongation itself.
DEPTH_TOLERANCE_M = 0.01

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SurfacePoints:
    """Points of the body's surface that pixels of a frame show."""

    frame: int  # position in the shot's frames
    pixel: Ints  # (n,) flat index at the passes' resolution, strictly increasing
    face: Ints  # (n,) triangle of the ChartIndex
    weights: Floats  # (n, 3) barycentric
    front: NDArray[np.bool_]  # (n,) the side of the triangle that is seen


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceTrack:
    """Where surface points lie in a frame."""

    position: Floats  # (n, 2) x, y in pixels of the passes, sub-pixel; a pixel's centre is at +0.5
    depth_m: Floats  # (n,) planar distance from the camera
    visible: NDArray[np.bool_]  # (n,) inside the picture, facing as in the source frame, not occluded


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """The body of one frame before its camera."""

    corners: Floats  # (faces, 9) metres, three corners' x right, y down, z forward
    intrinsics: Floats  # (3, 3) pixels

    def project(self, points: Floats) -> Floats:
        """(n, 3) metres -> (n, 2) pixels; points behind the camera come out as NaN."""
        depth = np.where(points[:, 2] > 0, points[:, 2], np.nan)
        return np.asarray((points @ self.intrinsics.T)[:, :2] / depth[:, None])

    def corners_of(self, face: Ints) -> Floats:
        """(n,) triangles -> (n, 3, 3) metres."""
        return self.corners.take(face, axis=0).reshape(-1, 3, 3)


def _view(passes: ShotPasses, index: ChartIndex, frame: int) -> _View:
    count = len(passes.shot.frames)
    if not 0 <= frame < count:
        raise PassesError("correspondence.frame", f"The shot has {count} frames; there is none at position {frame}.")
    matrix = passes.shot.camera.world_to_camera[frame]
    world = passes.vertices[frame].astype(np.float64)
    camera = world @ matrix[:3, :3].T + matrix[:3, 3]
    corners = camera.take(index.face_vertices.reshape(-1), axis=0).reshape(-1, 9)
    return _View(corners, passes.shot.camera.intrinsics[frame])


def surface_points(passes: ShotPasses, index: ChartIndex, frame: int, pixels: Ints | None = None) -> SurfacePoints:
    """The surface points under `pixels` (n,) of a frame (flat, increasing; default: every body pixel).

    Where the charts name several points (an edge, or two characters of one body) the one that projects closest to the
    pixel's centre is taken. Background pixels are left out. Raises PassesError if the vertices are not those that
    the passes show.
    """
    view = _view(passes, index, frame)
    labels = passes.frame(frame)
    part, uv = labels.part.reshape(-1), labels.uv.reshape(-1, 2)
    pixels = np.flatnonzero(part) if pixels is None else pixels[part[pixels] > 0]
    hits = find_in_charts(index, part[pixels], uv[pixels])
    corners = view.corners_of(hits.face)
    pixel = pixels[hits.point]
    centre = _centres(pixel, passes.shot.width)
    error = np.hypot(*(view.project(_combine(hits.weights, corners)) - centre).T)
    best = _closest_hits(hits.point, error)
    if best.size < pixels.size / 2:
        raise PassesError(
            "passes.vertices",
            f"The passes of frame {passes.shot.frames[frame]} do not show the vertices stored with them "
            f"({best.size} of {pixels.size} pixels agree).",
            "Render the passes again.",
        )
    corners = corners.take(best, axis=0)
    front = _faces_front(corners, _normals(corners))
    return SurfacePoints(frame, pixel[best], hits.face[best], hits.weights[best], front)


def track_points(passes: ShotPasses, index: ChartIndex, points: SurfacePoints, frame: int) -> SurfaceTrack:
    """Where `points` lie in another frame of the shot, and which of them are seen there.

    A point is seen if its pixel lies in the picture, its triangle shows the same side as in the points' own frame, and
    the depth at that pixel's centre agrees with the triangle's within `DEPTH_TOLERANCE_M` plus the triangle's own
    change of depth between the point and the centre.
    """
    view = _view(passes, index, frame)
    corners = view.corners_of(points.face)
    place = _combine(points.weights, corners)
    position = view.project(place)
    height, width = passes.size
    inside = _inside(position, height, width)
    cell = np.floor(np.where(inside[:, None], position, 0)).astype(np.int64)
    seen = passes.frame(frame).depth_m[cell[:, 1], cell[:, 0]].astype(np.float64)
    normals = _normals(corners)
    expected = _prolonged_depth(corners, normals, cell.astype(np.float64) + 0.5, view.intrinsics)
    tolerance = DEPTH_TOLERANCE_M + np.abs(expected - place[:, 2])
    with np.errstate(invalid="ignore"):
        agrees = np.abs(seen - expected) <= tolerance
    visible = inside & agrees & (_faces_front(corners, normals) == points.front)
    return SurfaceTrack(position, place[:, 2], visible)


def match_surface(
    passes: ShotPasses, index: ChartIndex, current: int, reference: int, height: int, width: int
) -> Matches:
    """Join the cells of two frames that show the same surface point, at `height` x `width` cells a picture.

    A cell of the current frame stands for the surface point at its centre (the pixel that holds the centre); it is
    joined with the cell of the reference frame that this point falls in, if it is seen there. Of several cells that
    fall in one, the one closest to its centre wins. Raises PassesError for a size above the passes'.
    """
    full_height, full_width = passes.size
    samples = _cell_samples((full_height, full_width), height, width)
    points = surface_points(passes, index, current, samples)
    track = track_points(passes, index, points, reference)
    cell = np.searchsorted(samples, points.pixel)
    centre = np.column_stack([cell % width, cell // width]) + 0.5
    scale = np.array([full_width / width, full_height / height])
    # The sampled pixel's centre is up to half a pixel off the cell's; the same offset holds in the reference.
    offset = _centres(points.pixel, full_width) / scale - centre
    target = track.position / scale - offset
    kept = track.visible & _inside(target, height, width)
    target = target[kept]
    landed = np.floor(target).astype(np.int64)
    distance = np.hypot(*(target - landed - 0.5).T)
    return closest_one_to_one(cell[kept], landed[:, 1] * width + landed[:, 0], distance, height, width)


def _closest_hits(point: Ints, error: Floats) -> Ints:
    """The hit with the smallest error of each point, the first of equal ones, if it is at most REPROJECTION_PX.

    `point` (hits,) is ascending, errors may be NaN.
    """
    if not point.size:
        return np.empty(0, np.int64)
    first = np.flatnonzero(np.diff(point, prepend=-1))
    error = np.where(error <= REPROJECTION_PX, error, np.inf)
    smallest = np.minimum.reduceat(error, first).repeat(np.diff(first, append=point.size))
    hit = np.flatnonzero((error == smallest) & np.isfinite(error))
    return np.asarray(hit[np.diff(point[hit], prepend=-1) != 0])


def _cell_samples(full: tuple[int, int], height: int, width: int) -> Ints:
    """The pixel that holds each cell's centre: flat indices, increasing."""
    full_height, full_width = full
    if not (1 <= height <= full_height and 1 <= width <= full_width):
        raise PassesError(
            "correspondence.size",
            f"Matches at {width}x{height} need passes of at least that size, not {full_width}x{full_height}.",
        )
    rows = ((np.arange(height) + 0.5) * full_height / height).astype(np.int64)
    columns = ((np.arange(width) + 0.5) * full_width / width).astype(np.int64)
    return np.asarray((rows[:, None] * full_width + columns).reshape(-1))


def _centres(pixel: Ints, width: int) -> Floats:
    """Picture positions (n, 2) of pixel centres."""
    row, column = np.divmod(pixel, width)
    centres: Floats = np.column_stack([column, row]) + 0.5
    return centres


def _inside(position: Floats, height: int, width: int) -> NDArray[np.bool_]:
    """Which positions (n, 2) lie in the picture; NaN does not."""
    x, y = position.T
    with np.errstate(invalid="ignore"):
        return np.asarray((x >= 0) & (y >= 0) & (x < width) & (y < height))


def _combine(weights: Floats, corners: Floats) -> Floats:
    return np.asarray(np.einsum("nk,nki->ni", weights, corners))


def _normals(corners: Floats) -> Floats:
    """Triangle normals (n, 3), of any length, from corners (n, 3, 3)."""
    # Written out, for NumPy's own cross product takes half as long again.
    (ax, ay, az), (bx, by, bz) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    normals: Floats = np.column_stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
    return normals


def _faces_front(corners: Floats, normals: Floats) -> NDArray[np.bool_]:
    """Whether the corners (n, 3, 3) in camera metres go round one way or the other as the camera sees them."""
    return np.asarray(_dot(normals, corners[:, 0]) < 0)


def _dot(one: Floats, other: Floats) -> Floats:
    return np.asarray(np.einsum("ni,ni->n", one, other))


def _prolonged_depth(corners: Floats, normals: Floats, position: Floats, intrinsics: Floats) -> Floats:
    """The depth (n,) at which the rays through picture positions (n, 2) meet the triangles' planes; NaN if never."""
    ray = np.column_stack([position, np.ones(len(position))]) @ np.linalg.inv(intrinsics).T
    slope, height = _dot(normals, ray), _dot(normals, corners[:, 0])
    depth: Floats = np.divide(height, slope, out=np.full(len(ray), np.nan), where=slope * height > 0)
    return depth
