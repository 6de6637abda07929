"""How strongly, and how lawfully, the body is shaded: whether it gets brighter where it turns towards the light.

A steady clip may have been bought with flat light: colours that are fixed to the surface and forget the light change
least of all. So the clip's shading is measured beside its differences, as that of an unconstrained clip is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_erosion

from backend.correspondence.chart_index import ChartIndex
from backend.correspondence.surface import SurfacePoints
from backend.measure.metrics.followed import FollowedPoints
from backend.measure.metrics.pictures import checked_pictures
from backend.measure.metrics.sharpness import MARGIN_PX, REC709
from backend.passes.shot_passes import ShotPasses
from shared.errors import InputError

# Towards the light, in the camera's axes (x right, y down, z forward): the mean of the directions that
# `make.training.renders.places.random_light` draws from, above and in front, as often on the left as on the right.
TOWARDS_LIGHT = (0.0, -0.9, -0.7)

# A body that hardly turns shows the same light in every frame: below this standard deviation of the Lambert term over
# a point's frames a slope would be noise.
LEAST_CHANGE = 0.005

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shading:
    """Shading of a clip; `dataclasses.asdict` of it is JSON-able. None = the light on the body does not change."""

    slope: float | None  # grey levels (0..255) from unlit to fully lit
    r: float | None  # correlation of what the slope is fitted to: 1 = all change of brightness is this light
    points: int  # that are seen in two frames at least


def lambert_light(passes: ShotPasses, index: ChartIndex, points: SurfacePoints) -> NDArray[np.float32]:
    """The Lambert term max(0, n . l) of surface points in every frame, (points, frames), 0..1.

    The light is fixed to the camera (`TOWARDS_LIGHT`). Normals are those of the vertices, interpolated, on the side
    of the surface that the points' own frame shows.
    """
    light = np.asarray(TOWARDS_LIGHT) / np.linalg.norm(TOWARDS_LIGHT)
    found = np.empty((points.pixel.size, len(passes.positions)), np.float32)
    corners = index.face_vertices[points.face]
    side = np.where(points.front, 1.0, -1.0)
    for frame in passes.positions:
        rotation = passes.shot.camera.world_to_camera[frame, :3, :3]
        normals = _vertex_normals(passes.vertices[frame].astype(np.float64) @ rotation.T, index.face_vertices)
        blended = np.einsum("nk,nki->ni", points.weights, normals[corners])
        length = np.maximum(np.linalg.norm(blended, axis=1), 1e-12)
        found[:, frame] = np.maximum(side * (blended @ light) / length, 0)
    return found


def shading(
    images: ArrayLike, part: NDArray[np.uint8], followed: FollowedPoints, lambert: NDArray[np.float32]
) -> Shading:
    """The slope of luma on the Lambert term, both less their means over the frames that see the point.

    `images` (frames, H, W, 3) 0..255, `part` (frames, H, W) the passes' labels, `lambert` (points, frames). A point's
    own colour cancels out. Points and frames are pooled; pixels within `MARGIN_PX` of the silhouette do not count.
    Raises InputError if the arguments do not fit together.
    """
    pictures = checked_pictures(images)
    frames, height, width = pictures.shape[:3]
    fits = followed.pixel.shape == lambert.shape and lambert.shape[1] == frames
    if not fits or part.shape != (frames, height, width):
        raise InputError(
            "metrics.size",
            f"Pictures {pictures.shape} do not fit labels of shape {part.shape}, points {followed.pixel.shape} and "
            f"light {lambert.shape}.",
        )
    seen = followed.pixel >= 0
    luma = np.zeros(lambert.shape)
    for frame in range(frames):
        inside = binary_erosion(part[frame] > 0, np.ones((3, 3)), iterations=MARGIN_PX).reshape(-1)
        pixel = np.maximum(followed.pixel[:, frame], 0)
        seen[:, frame] &= inside[pixel]
        luma[:, frame] = pictures[frame].reshape(-1, 3)[pixel] @ np.asarray(REC709)
    often = seen.sum(axis=1) >= 2
    bright, light = (_demeaned(values[often].astype(np.float64), seen[often]) for values in (luma, lambert))
    return _fitted(bright, light, int(np.count_nonzero(seen[often])), int(np.count_nonzero(often)))


def _fitted(bright: Floats, light: Floats, seen: int, points: int) -> Shading:
    across, square = float((bright * light).sum()), float((light**2).sum())
    if not seen or square < seen * LEAST_CHANGE**2:
        return Shading(None, None, points)
    spread = float((square * (bright**2).sum()) ** 0.5)
    return Shading(across / square, across / spread if spread else 0.0, points)


def _demeaned(values: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Values (points, frames) less their mean over the frames that see the point; 0 where it is not seen."""
    mean = np.where(seen, values, 0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return np.asarray(np.where(seen, values - mean[:, None], 0))


def _vertex_normals(points: Floats, faces: NDArray[np.int64]) -> Floats:
    """Area-weighted normals (V, 3), of any length."""
    first, second, third = (points[faces[:, k]] for k in range(3))
    across = np.cross(second - first, third - first)
    total = [np.bincount(faces.reshape(-1), np.repeat(across[:, axis], 3), len(points)) for axis in range(3)]
    return np.stack(total, axis=1)
