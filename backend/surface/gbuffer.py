"""What the camera sees of the bodies in one frame: coverage in quarters of a pixel, and the surface that covers it.

The surface is drawn here from the shot's vertices and camera, at pixel centres and at two by two samples a pixel. The
rendered passes say where another object hides a body: there our centre shows it and theirs does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve

from backend.passes.exr import FramePasses
from backend.passes.shot_passes import ShotPasses
from backend.surface.raster import Fragments, rasterise

SAMPLES = 2  # a pixel's side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CameraFrame:
    """The bodies of one frame before its camera: x right, y down, z forward."""

    vertices: Floats  # (V, 3) metres
    intrinsics: Floats  # (3, 3) pixels

    def place(self, points: Floats) -> Floats:
        """Points (n, 3) metres -> (n, 2) pixels, centres at +0.5; those behind the camera are NaN."""
        depth = np.where(points[:, 2:] > 0, points[:, 2:], np.nan)
        return np.asarray((points @ self.intrinsics[:2].T) / depth)


@dataclass(frozen=True, slots=True, eq=False)
class GBuffer:
    """Coverage of one frame, and the samples of the pixels that have any."""

    alpha: NDArray[np.float32]  # (height, width) 0, .25, .5, .75 or 1
    hidden: NDArray[np.bool_]  # (height, width) another object stands before a body
    depth: NDArray[np.float32]  # (2 height, 2 width) metres of the nearest surface, hidden or not; inf = none
    pixel: Ints  # (s,) the picture's pixel that a sample lies in, by the samples' rows
    face: Ints  # (s,)
    weights: Floats  # (s, 3)


def camera_frame(passes: ShotPasses, frame: int) -> CameraFrame:
    """The vertices of a frame in its camera."""
    matrix, intrinsics = passes.shot.camera.world_to_camera[frame], passes.shot.camera.intrinsics[frame]
    vertices = passes.vertices[frame].astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    return CameraFrame(vertices, np.asarray(intrinsics, np.float64))


def g_buffer(passes: ShotPasses, frame: int, camera: CameraFrame | None = None) -> GBuffer:
    """Draw one frame. Coverage is partial at silhouettes alone. Raises PassesError for a frame that cannot be used."""
    camera = camera or camera_frame(passes, frame)
    height, width = passes.size
    fine, centres = drawn(passes, camera, SAMPLES), drawn(passes, camera, 1)
    row, column = np.divmod(fine.pixel, SAMPLES * width)
    pixel = row // SAMPLES * width + column // SAMPLES
    shown = np.zeros(height * width, bool)
    shown[centres.pixel] = True
    counts = np.bincount(pixel, minlength=height * width).reshape(height, width)
    hidden, kept = _occlusion(shown.reshape(height, width), counts, passes.frame(frame))
    alpha = np.where(kept, counts / SAMPLES**2, 0).astype(np.float32)
    depth = np.full(SAMPLES**2 * height * width, np.inf, np.float32)
    depth[fine.pixel] = fine.depth
    seen = np.flatnonzero(kept.ravel()[pixel])
    return GBuffer(
        alpha=alpha,
        hidden=hidden,
        depth=depth.reshape(SAMPLES * height, SAMPLES * width),
        pixel=pixel[seen],
        face=fine.face[seen],
        weights=fine.weights[seen],
    )


def drawn(passes: ShotPasses, camera: CameraFrame, samples: int) -> Fragments:
    """The surface at `samples` x `samples` places a pixel, of the bodies alone; 1 is the pixels' centres."""
    height, width = passes.size
    faces = passes.charts.f
    return rasterise(
        camera.place(camera.vertices)[faces] * samples, camera.vertices[:, 2][faces], height * samples, width * samples
    )


def _occlusion(
    shown: NDArray[np.bool_], counts: Ints, passes: FramePasses
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which pixels another object hides, and which keep their coverage.

    A lone pixel of the silhouette that the passes miss is rounding, not an object: the edge runs through its centre.
    Where a body covers a part of a pixel and not its centre, the pixel is hidden as most of the body's pixels around it
    are.
    """
    rendered = passes.part > 0
    hidden = shown & ~rendered
    if not hidden.any():
        return hidden, np.ones_like(hidden)
    hidden &= ~((counts < SAMPLES**2) & (_around(hidden) == 1))
    fringe = ~shown & (_around(hidden) > _around(rendered))
    return hidden, ~(hidden | fringe)


def _around(marked: NDArray[np.bool_]) -> Ints:
    """How many of the nine pixels round each one are marked."""
    return np.asarray(convolve(marked.astype(np.int64), np.ones((3, 3), np.int64), mode="constant"))
