"""Clothes that leave the body's outline: simple meshes, skinned to the body."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from backend.make.training.renders.figure import FloatArray, IntArray, Landmarks, Mesh, vertex_normals

HEAD_JOINT, PELVIS_JOINT, CHEST_JOINT = 15, 0, 9


class Cloth(IntEnum):
    """Labels of the faces of clothes; the body's own are 1 to 24."""

    HEADGEAR = 101
    BRIM = 102
    VISOR = 103
    SKIRT = 104
    CAPE = 105
    PACK = 106
    EXTRA = 107


def _grid_faces(rows: int, columns: int, closed: bool) -> IntArray:
    """Triangles of a (rows, columns) grid of points; `closed` joins the last column to the first."""
    last = columns if closed else columns - 1
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(last), indexing="ij")
    d = (c + 1) % columns
    a, b, e, f = r * columns + c, r * columns + d, (r + 1) * columns + c, (r + 1) * columns + d
    halves = [np.stack([a, b, e], -1).reshape(-1, 3), np.stack([b, f, e], -1).reshape(-1, 3)]
    return np.asarray(np.concatenate(halves), np.int32)


def _rigid(points: FloatArray, faces: IntArray, joint: int, label: int) -> Mesh:
    weights = np.zeros((len(points), 24), np.float32)
    weights[:, joint] = 1
    return _skinned(points, faces, weights, label)


def _skinned(points: FloatArray, faces: IntArray, weights: FloatArray, label: int) -> Mesh:
    points = points.astype(np.float32)
    return Mesh(points, vertex_normals(points, faces), weights, faces, np.full(len(faces), label, np.int32))


def _turned(
    profile: NDArray[np.float64], centre: FloatArray, squash: float = 1.0, columns: int = 28
) -> tuple[FloatArray, IntArray]:
    """A surface of revolution about y: `profile` (n, 2) holds (radius, height above `centre`)."""
    angle = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    ring = np.stack([np.sin(angle) * squash, np.zeros(columns), np.cos(angle)], 1)
    points = (
        profile[:, :1, None] * ring[None]
        + np.stack([np.zeros(len(profile)), profile[:, 1], np.zeros(len(profile))], 1)[:, None]
    )
    return (points.reshape(-1, 3) + centre).astype(np.float32), _grid_faces(len(profile), columns, True)


def sphere(centre: FloatArray, radii: tuple[float, float, float], joint: int, label: int) -> Mesh:
    """An ellipsoid rigid with a joint (helmet, wig, bun, pompon)."""
    t = np.linspace(0, np.pi, 18)
    points, faces = _turned(np.stack([np.sin(t), np.cos(t)], 1), np.zeros(3, np.float32))
    return _rigid(points * np.array(radii, np.float32) + centre, faces, joint, label)


def box(centre: FloatArray, half: tuple[float, float, float], joint: int, label: int) -> Mesh:
    """A box rigid with a joint (robot head, pack). Its corners keep the sides' normals apart."""
    points: list[NDArray[np.float64]] = []
    faces: list[list[int]] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            corners = np.zeros((4, 3))
            corners[:, axis] = sign
            corners[:, (axis + 1) % 3] = (-1, 1, 1, -1)
            corners[:, (axis + 2) % 3] = (-1, -1, 1, 1)
            faces += [[len(points) * 4 + i for i in tri] for tri in ((0, 1, 2), (0, 2, 3))]
            points.append(corners * np.array(half) + centre)
    index = np.array(faces, np.int32)
    flat = np.concatenate(points).astype(np.float32)
    outward = np.einsum(
        "fa,fa->f",
        np.cross(flat[index[:, 1]] - flat[index[:, 0]], flat[index[:, 2]] - flat[index[:, 0]]),
        flat[index[:, 0]] - centre,
    )
    index[outward < 0] = index[outward < 0][:, ::-1]
    return _rigid(flat, index, joint, label)


def cone_hat(marks: Landmarks, height: float, brim: float) -> list[Mesh]:
    """A wizard's hat."""
    base = np.array([0, marks.eyes + 0.045, marks.head_centre[2]], np.float32)
    r = marks.head_radius * 0.95
    cone = np.array([[r, 0.0], [r * 0.7, height * 0.35], [r * 0.35, height * 0.7], [0.005, height]])
    rim = np.array([[r * 0.9, 0.012], [r + brim, -0.012], [r * 0.9, -0.014]])
    return [
        _rigid(*_turned(cone, base), HEAD_JOINT, Cloth.HEADGEAR),
        _rigid(*_turned(rim, base), HEAD_JOINT, Cloth.BRIM),
    ]


def round_hat(marks: Landmarks, height: float, brim: float, upturn: float = 0.0) -> list[Mesh]:
    """A hat with a flat crown and a round brim; `upturn` raises the brim's outer edge (cowboy, fire helmet, pirate)."""
    base = np.array([0, marks.eyes + 0.05, marks.head_centre[2]], np.float32)
    r = marks.head_radius * 1.0
    crown = np.array([[r, 0.0], [r * 1.02, height * 0.5], [r * 0.85, height * 0.9], [r * 0.5, height], [0.0, height]])
    rim = np.array(
        [[r * 0.9, 0.015], [r + brim * 0.6, 0.01], [r + brim, upturn], [r + brim * 0.6, -0.005], [r * 0.9, -0.01]]
    )
    return [
        _rigid(*_turned(crown, base), HEAD_JOINT, Cloth.HEADGEAR),
        _rigid(*_turned(rim, base, 1.1), HEAD_JOINT, Cloth.BRIM),
    ]


def skirt(marks: Landmarks, length: float, flare: float, label: int = Cloth.SKIRT) -> Mesh:
    """A skirt, robe or tutu from the waist down: `length` metres long, `flare` metres wider at the hem."""
    rows, columns = 10, 40
    t = np.linspace(0, 1, rows)
    top = marks.waist - 0.02
    radius = 0.155 + (0.02 + flare) * np.sqrt(t)
    folds = 1 + 0.06 * t[:, None] * np.sin(np.arange(columns) * 2 * np.pi * 8 / columns)
    angle = np.arange(columns) * 2 * np.pi / columns
    points = np.zeros((rows, columns, 3), np.float32)
    points[..., 0] = radius[:, None] * folds * np.sin(angle) * 1.1
    points[..., 1] = (top - length * t)[:, None]
    points[..., 2] = radius[:, None] * folds * np.cos(angle) * 0.95 + marks.joints[0, 2]
    flat = points.reshape(-1, 3)
    below = np.clip((top - flat[:, 1] - 0.12) / 0.9, 0, 0.75)
    left = np.clip(0.5 + flat[:, 0] / 0.3, 0, 1)
    weights = np.zeros((len(flat), 24), np.float32)
    weights[:, PELVIS_JOINT] = 1 - below
    weights[:, 1], weights[:, 2] = below * left, below * (1 - left)
    return _skinned(flat, _grid_faces(rows, columns, True), weights, label)


def cape(marks: Landmarks, length: float, flare: float, blow: float) -> Mesh:
    """A cape from the shoulders down the back; `blow` lifts its hem backwards (metres)."""
    rows, columns = 12, 24
    t, s = np.linspace(0, 1, rows)[:, None], np.linspace(-1, 1, columns)[None]
    points = np.zeros((rows, columns, 3), np.float32)
    half = marks.shoulder_x * 0.95 + flare * t
    points[..., 0] = half * s
    points[..., 1] = marks.neck - 0.02 - 0.05 * np.abs(s) ** 2 * (1 - t) - length * t
    back = marks.joints[9, 2] - 0.15
    points[..., 2] = back - 0.05 * t - blow * t**1.5 + 0.06 * s**2 * (1 - t) + 0.025 * t * np.sin(s * 9)
    flat = points.reshape(-1, 3)
    lower = np.clip(np.repeat(t[:, 0], columns) * 1.3 - 0.2, 0, 0.8)
    weights = np.zeros((len(flat), 24), np.float32)
    weights[:, CHEST_JOINT] = 1 - lower
    weights[:, PELVIS_JOINT] = lower
    return _skinned(flat, _grid_faces(rows, columns, False), weights, Cloth.CAPE)
