"""Surface points of a shot, followed exactly: the pixel in which every frame shows them, and exact optical flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.correspondence.chart_index import ChartIndex
from backend.correspondence.surface import SurfacePoints, surface_points, track_points
from backend.passes.shot_passes import ShotPasses

# Points of a shot that are followed at most: more do not change the mean, and 200 frames still take seconds.
POINTS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class PointsToFollow:
    """Surface points of all frames of a shot."""

    points: SurfacePoints  # `pixel` is that of the point's own frame; `frame` says nothing
    source: NDArray[np.int64]  # (points,) position of the point's own frame


@dataclass(frozen=True, slots=True, eq=False)
class FollowedPoints:
    """The pixel that shows each point in each frame, at the passes' size."""

    pixel: NDArray[np.int32]  # (points, frames) flat index, -1 = not seen there


@dataclass(frozen=True, slots=True, eq=False)
class BackwardFlow:
    """Where the body's pixels of a frame lie in the frame before it."""

    pixel: NDArray[np.int64]  # (n,) flat index in the frame
    position: NDArray[np.float64]  # (n, 2) x, y in the frame before, in pixels, a pixel's centre at +0.5


def points_to_follow(passes: ShotPasses, index: ChartIndex, limit: int = POINTS) -> PointsToFollow:
    """The surface points under every n-th body pixel of every frame.

    What is seen often and large counts for more, as it does to the eye. n is the smallest that keeps to `limit`
    points. Raises PassesError if the passes do not show their vertices.
    """
    shown = sum(int(np.count_nonzero(passes.frame(source).part)) for source in passes.positions)
    step = max(1, -(-shown // limit))
    sources = [
        surface_points(passes, index, source, np.flatnonzero(passes.frame(source).part)[::step])
        for source in passes.positions
    ]
    joined = SurfacePoints(  # of all frames, for following them needs only what is fixed to the surface
        0,
        *(np.concatenate([getattr(part, name) for part in sources]) for name in ("pixel", "face", "weights", "front")),
    )
    return PointsToFollow(joined, np.repeat(np.arange(len(sources)), [part.pixel.size for part in sources]))


def follow_points(passes: ShotPasses, index: ChartIndex, chosen: PointsToFollow) -> FollowedPoints:
    """Follow the points through all frames. Raises PassesError if the passes do not show their vertices."""
    points, width = chosen.points, passes.shot.width
    pixel = np.full((points.pixel.size, len(passes.positions)), -1, np.int32)
    for frame in passes.positions:
        track = track_points(passes, index, points, frame)
        column, row = np.floor(track.position[track.visible]).astype(np.int32).T
        pixel[track.visible, frame] = row * width + column
    pixel[np.arange(points.pixel.size), chosen.source] = points.pixel
    return FollowedPoints(pixel)


def backward_flow(passes: ShotPasses, index: ChartIndex, frame: int) -> BackwardFlow:
    """The exact flow from `frame` (at least 1) to the frame before it, of all body pixels that are seen there too.

    Raises PassesError if the passes do not show their vertices.
    """
    points = surface_points(passes, index, frame)
    track = track_points(passes, index, points, frame - 1)
    return BackwardFlow(points.pixel[track.visible], track.position[track.visible])
