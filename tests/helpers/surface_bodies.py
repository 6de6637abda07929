"""Small bodies whose surfaces are known by hand, and passes of them in front of one camera."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.passes.shot_passes import Charts, FramesInMemory, ShotPasses
from shared.shot import ShotCamera, ShotCharacter
from tests.helpers.synthetic_passes import render_passes

SIZE = (36, 48)
FOCAL = 60.0
DISTANCE = 2.0  # the camera stands this far from the origin and looks at it

Mesh = tuple[NDArray[Any], NDArray[Any]]  # vertices (V, 3), faces (F, 3) that look outwards


def cube(side: float = 1.0) -> Mesh:
    """A cube round the origin: 8 vertices, 12 triangles."""
    vertices = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [corners for a, b, c, d in quads for corners in ((a, b, c), (a, c, d))]
    return (vertices - 0.5) * side, np.array(faces)


def sphere(radius: float = 0.5, level: int = 2) -> Mesh:
    """An octahedron whose triangles are quartered `level` times and drawn out to the sphere."""
    vertices = [np.array(v, float) for v in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))]
    faces = [(0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4), (2, 0, 5), (1, 2, 5), (3, 1, 5), (0, 3, 5)]
    for _ in range(level):
        middles: dict[tuple[int, int], int] = {}
        finer = []
        for corners in faces:
            ring = []
            for a, b in zip(corners, (*corners[1:], corners[0]), strict=True):
                key = (min(a, b), max(a, b))
                if key not in middles:
                    middles[key] = len(vertices)
                    vertices.append(vertices[a] + vertices[b])
                    vertices[-1] /= np.linalg.norm(vertices[-1])
                ring.append(middles[key])
            (a, b, c), (ab, bc, ca) = corners, ring
            finer += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        faces = finer
    return radius * np.array(vertices), np.array(faces)


def sheet(columns: int, rows: int, width: float, height: float) -> Mesh:
    """A flat sheet in the plane Y = 0 that looks towards -Y, the camera."""
    x, z = np.meshgrid(np.linspace(-0.5, 0.5, columns + 1), np.linspace(-0.5, 0.5, rows + 1))
    corner = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    above = corner + columns + 1
    faces = np.concatenate([np.stack([corner, corner + 1, above + 1], 1), np.stack([corner, above + 1, above], 1)])
    return np.stack([width * x.ravel(), np.zeros(x.size), height * z.ravel()], 1), faces


def joined(*meshes: Mesh) -> Mesh:
    """Several bodies in one array."""
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in meshes[:-1])])
    faces = [faces + start for (_, faces), start in zip(meshes, starts, strict=True)]
    return np.concatenate([vertices for vertices, _ in meshes]), np.concatenate(faces)


def shown(
    frames: Sequence[NDArray[Any]],
    faces: NDArray[Any],
    *,
    counts: Sequence[int] = (),  # vertices of each body
    rest: NDArray[Any] | None = None,
    part: NDArray[Any] | None = None,  # (F,) 1..24; by turns without it
    chart_uv: NDArray[Any] | None = None,  # (F, 3, 2); half a square each without it
    size: tuple[int, int] = SIZE,
    focal_px: float = FOCAL,
) -> ShotPasses:
    """Passes of vertices (V, 3), frame by frame."""
    uv = np.tile(np.array([(0, 0), (1, 0), (0, 1)], float), (len(faces), 1, 1)) if chart_uv is None else chart_uv
    parts = (np.arange(len(faces)) % 24 + 1 if part is None else part).astype(np.uint8)
    charts = Charts(
        faces.astype(np.int32), parts, uv.astype(np.float32), None if rest is None else rest.astype(np.float32)
    )
    passes = render_passes(np.stack(list(frames)), charts, size=size, focal_px=focal_px, camera_m=(0.0, -DISTANCE, 0.0))
    characters, start = [], 0
    for count in counts or (len(frames[0]),):
        joints = np.zeros((len(frames), 24, 3))
        characters.append(ShotCharacter(f"body {start}", start, count, joints, joints[..., :2]))
        start += count
    return dataclasses.replace(passes, shot=dataclasses.replace(passes.shot, characters=tuple(characters)))


def with_moving_camera(passes: ShotPasses, motions: NDArray[Any]) -> ShotPasses:
    """The same pictures, of bodies moved by `motions` (frames, 4, 4) before cameras that moved with them."""
    vertices = np.einsum("fij,fvj->fvi", motions[:, :3, :3], passes.vertices.astype(float)) + motions[:, None, :3, 3]
    matrices = passes.shot.camera.world_to_camera @ np.linalg.inv(motions)
    camera = ShotCamera(matrices, passes.shot.camera.intrinsics)
    shot = dataclasses.replace(passes.shot, camera=camera)
    return dataclasses.replace(passes, shot=shot, vertices=vertices.astype(np.float32))


def with_occluder(passes: ShotPasses, rows: slice, columns: slice) -> ShotPasses:
    """The passes with an object that is no body before the block of pixels."""
    stacked = passes.read(passes.positions)
    stacked.depth_m[:, rows, columns] = np.inf
    stacked.part[:, rows, columns] = 0
    stacked.uv[:, rows, columns] = 0
    return dataclasses.replace(passes, source=FramesInMemory(stacked))
