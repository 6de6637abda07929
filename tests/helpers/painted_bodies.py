"""Bodies with a known paint under a known light, as a camera shows them: four samples a pixel, without texels."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from backend.passes.shot_passes import ShotPasses
from backend.surface.gbuffer import camera_frame, drawn, g_buffer
from backend.surface.light import brightness
from backend.surface.shot_surface import ShotSurface
from backend.surface.texels import rest_vertices, unit, vertex_normals
from tests.helpers.surface_bodies import shown, sphere

Floats = NDArray[np.float32]
Paint = Callable[[NDArray[Any]], NDArray[Any]]  # rest places (n, 3) -> colours (n, 3) 0..1

RADIUS = 0.5
LIGHT = np.array([0.2, -0.25, -0.15, 0.05, 0.0, 0.03, -0.06, 0.04], np.float32)


def spots(place: NDArray[Any]) -> NDArray[Any]:
    """A smooth paint in all three colours, two or three spots across a ball."""
    waves = np.stack([np.sin(9 * place[:, 0] + 1), np.sin(8 * place[:, 2]), np.cos(7 * place[:, 1] + place[:, 0])], 1)
    return np.asarray(0.5 + 0.2 * waves)


def plain(colour: tuple[float, float, float]) -> Paint:
    """One colour all over."""
    return lambda place: np.tile(np.asarray(colour, float), (len(place), 1))


def turned(vertices: NDArray[Any], degrees: float) -> NDArray[Any]:
    """Vertices (V, 3) turned about the upright axis, and nodding by up to 40 degrees as they turn."""
    turn, nod = np.radians(degrees), np.radians(40 * np.sin(np.radians(4 * degrees)))
    about_z = np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(nod), np.sin(nod)], [0, -np.sin(nod), np.cos(nod)]])
    return np.asarray(vertices @ about_z @ about_x)


@cache
def turning_ball(
    frames: int = 6, degrees: float = 12.0, bodies: int = 1, shift_m: float = 0.0, start: int = 0
) -> ShotSurface:
    """The surface of a ball, or of several beside each other, turning before a camera that stands still.

    `shift_m` moves them to the right a frame. Of `frames` the first one shown is `start`.
    """
    vertices, faces = sphere(RADIUS / bodies, 3)
    side = 1.05 * RADIUS * (2 * np.arange(bodies) - bodies + 1) / bodies
    shots = [
        np.concatenate([turned(vertices, degrees * frame) + (x + shift_m * frame, 0, 0) for x in side])
        for frame in range(start, start + frames)
    ]
    counts = [len(vertices)] * bodies
    every = np.concatenate([faces + len(vertices) * body for body in range(bodies)])
    part = np.resize([1, 2], len(faces))
    rest = np.concatenate([vertices] * bodies)
    return ShotSurface(shown(shots, every, counts=counts, rest=rest, part=np.tile(part, bodies)))


def picture(passes: ShotPasses, frame: int, paint: Paint, light: Floats, background: Floats) -> Floats:
    """One frame (height, width, 3): the painted and lit bodies before a `background` (height, width, 3)."""
    camera = camera_frame(passes, frame)
    buffer, faces = g_buffer(passes, frame, camera), passes.charts.f
    rest = np.einsum("sk,ski->si", buffer.weights, rest_vertices(passes).astype(float)[faces[buffer.face]])
    normals = vertex_normals(faces, camera.vertices)[faces[buffer.face]]
    normal = unit(np.einsum("sk,ski->si", buffer.weights, normals)).astype(np.float32)
    colour = paint(rest) * brightness(light, normal)[:, None]
    size = buffer.alpha.size
    count = np.bincount(buffer.pixel, minlength=size)
    total = np.stack([np.bincount(buffer.pixel, colour[:, channel], size) for channel in range(3)], axis=1)
    body = total / np.maximum(count, 1)[:, None]
    alpha = buffer.alpha.reshape(-1, 1)
    flat = alpha * body + (1 - alpha) * background.reshape(-1, 3)
    return np.asarray(flat.reshape(background.shape), np.float32)


def pictures(
    surface: ShotSurface, paint: Paint = spots, light: Floats = LIGHT, background: Floats | None = None
) -> Floats:
    """All frames of a shot (frames, height, width, 3)."""
    passes = surface.passes
    behind = scenery(passes.size) if background is None else background
    return np.stack([picture(passes, frame, paint, light, behind) for frame in passes.positions])


def scenery(size: tuple[int, int]) -> Floats:
    """A smooth background (height, width, 3)."""
    row, column = np.mgrid[: size[0], : size[1]] / max(size)
    picture: Floats = np.stack([0.2 + 0.3 * column, 0.3 + 0.4 * row, 0.6 - 0.3 * row * column], 2).astype(np.float32)
    return picture


def inner(passes: ShotPasses, frame: int, pixels: int = 2) -> NDArray[np.bool_]:
    """The pixels (height, width) that lie at least so far inside a body; with a negative number, so far outside."""
    body = drawn(passes, camera_frame(passes, frame), 1).pixel
    mask = np.zeros(passes.size[0] * passes.size[1], bool)
    mask[body] = True
    square, mask = np.ones((3, 3), bool), mask.reshape(passes.size)
    if pixels < 0:
        return np.asarray(~binary_dilation(mask, square, -pixels))
    return np.asarray(binary_erosion(mask, square, pixels))
