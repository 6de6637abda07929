"""A perfectly steady body: the shot's own passes, painted with a texture that is fixed to the surface.

Measured like any result it gives the resampling floor: what of a figure is owed to comparing whole pixels, and not to
any change of the painted body. A figure near the floor cannot be bettered.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from backend.correspondence.chart_index import ChartIndex
from backend.correspondence.surface import surface_points
from backend.passes.shot_passes import ShotPasses

GREY = 128
# Waves of each length, in pixels of the picture at the body's mean distance: from the finest that a picture of an
# autoencoder shows to half a limb. Each octave is as strong as the next, as in natural pictures.
WAVELENGTHS_PX = (4.0, 8.0, 16.0, 32.0)
WAVES_A_LENGTH = 6
CONTRAST = 40.0  # standard deviation of a channel, of 255

Floats = NDArray[np.float64]


def textured_render(passes: ShotPasses, index: ChartIndex, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures (frames, H, W, 3) of the shot's body in a texture of random waves, before plain grey.

    A pixel shows the texture at the surface point under its centre. The texture is a function of the point's place in
    the first frame, in metres, so it moves with the body and stretches as its skin does. Raises PassesError if the
    passes do not show their vertices.
    """
    rng = np.random.default_rng(seed)
    waves, phases = _waves(rng, _pixel_m(passes))
    height, width = passes.size
    pictures = np.full((len(passes.positions), height * width, 3), GREY, np.uint8)
    for frame, picture in enumerate(pictures):
        body = passes.frame(frame).part > 0
        if not body.any():
            continue
        points = surface_points(passes, index, frame)
        corners = passes.vertices[0][index.face_vertices[points.face]].astype(np.float64)
        place = np.einsum("nk,nki->ni", points.weights, corners)
        picture[points.pixel] = _colour(place, waves, phases)
        _fill(picture.reshape(height, width, 3), body, points.pixel)
    return pictures.reshape(-1, height, width, 3)


def _pixel_m(passes: ShotPasses) -> float:
    """The width of a pixel on the body, in metres, in the middle of the shot's depth range."""
    focal = float(passes.shot.camera.intrinsics[0, 0, 0])
    return 0.5 * (passes.shot.near_m + passes.shot.far_m) / focal


def _waves(rng: np.random.Generator, pixel_m: float) -> tuple[Floats, Floats]:
    """Wave vectors (channels, waves, 3) in radians a metre, in random directions, and phases (channels, waves)."""
    length_m = np.repeat(WAVELENGTHS_PX, WAVES_A_LENGTH) * pixel_m
    direction = rng.normal(size=(3, length_m.size, 3))
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    return direction * (2 * np.pi / length_m)[:, None], rng.uniform(0, 2 * np.pi, (3, length_m.size))


def _colour(place: Floats, waves: Floats, phases: Floats) -> NDArray[np.uint8]:
    """Colours (n, 3) at places (n, 3)."""
    height = np.cos(np.einsum("ni,cwi->ncw", place, waves) + phases).sum(axis=2) * (2 / phases.shape[1]) ** 0.5
    return np.asarray(np.clip(GREY + CONTRAST * height, 0, 255).round(), np.uint8)


def _fill(picture: NDArray[np.uint8], body: NDArray[np.bool_], found: NDArray[np.int64]) -> None:
    """Give body pixels whose point the charts do not tell (a few on seams) the colour of the nearest that has one."""
    missing = np.ones(body.shape, bool)
    missing.reshape(-1)[found] = False
    if found.size and (missing & body).any():
        row, column = distance_transform_edt(missing, return_distances=False, return_indices=True)
        holes = missing & body
        picture[holes] = picture[row[holes], column[holes]]
