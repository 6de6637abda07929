"""Mesh colours, the slow and obvious way: every grid point of every face by exact fractions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A texel by its place: ("vertex", v), ("edge", lower vertex, upper vertex, part of the way), or ("face", f, b, c).
Name = tuple[Any, ...]
Point = tuple[Fraction, Fraction, Fraction]  # barycentric


def intervals(rest: NDArray[Any], a: int, b: int, spacing_m: float) -> int:
    """n_e of the edge between two vertices."""
    n, length = 1, float(np.linalg.norm(rest[a] - rest[b]))
    while n < 32 and length / n > spacing_m:
        n *= 2
    return n


def face_intervals(corners: NDArray[Any], rest: NDArray[Any], spacing_m: float) -> int:
    """n_f of a face."""
    a, b, c = (int(corner) for corner in corners)
    return max(intervals(rest, *ends, spacing_m) for ends in ((a, b), (b, c), (c, a)))


def grid(n: int) -> Iterator[Point]:
    """The points of a face's grid."""
    for c in range(n + 1):
        for b in range(n + 1 - c):
            yield Fraction(n - b - c, n), Fraction(b, n), Fraction(c, n)


def texels_at(
    face: int, corners: NDArray[Any], point: Point, rest: NDArray[Any], spacing_m: float
) -> dict[Name, Fraction]:
    """The texels that a grid point is made of, and their shares."""
    zeros = [k for k in range(3) if point[k] == 0]
    if len(zeros) == 0:
        return {("face", face, point[1], point[2]): Fraction(1)}
    if len(zeros) == 2:
        return {("vertex", int(corners[next(k for k in range(3) if point[k] == 1)])): Fraction(1)}
    low, high = sorted((int(corners[k]), point[k]) for k in range(3) if k != zeros[0])
    n = intervals(rest, low[0], high[0], spacing_m)
    before = Fraction(int(high[1] * n), n)
    share = (high[1] - before) * n
    found = {_on_edge(low[0], high[0], before): 1 - share}
    if share:
        found[_on_edge(low[0], high[0], before + Fraction(1, n))] = share
    return found


def _on_edge(low: int, high: int, along: Fraction) -> Name:
    if along in (0, 1):
        return "vertex", low if along == 0 else high
    return "edge", low, high, along


def all_texels(faces: NDArray[Any], rest: NDArray[Any], spacing_m: float) -> set[Name]:
    """Every texel of a mesh."""
    names: set[Name] = set()
    for face, corners in enumerate(faces):
        for point in grid(face_intervals(corners, rest, spacing_m)):
            names |= set(texels_at(face, corners, point, rest, spacing_m))
    return names


def name_of(face: int, corners: NDArray[Any], weights: NDArray[Any], rest: NDArray[Any], spacing_m: float) -> Name:
    """The texel at a grid point given by float weights."""
    n = face_intervals(corners, rest, spacing_m)
    a, b, c = (Fraction(round(float(weight) * n), n) for weight in weights)
    (name,) = texels_at(face, corners, (a, b, c), rest, spacing_m)
    return name


def lookup(
    face: int, corners: NDArray[Any], weights: NDArray[Any], rest: NDArray[Any], spacing_m: float
) -> dict[Name, float]:
    """The texels that a surface point reads, and their weights: of all cells of the grid the one that holds it."""
    n = face_intervals(corners, rest, spacing_m)
    best, inner = next(_cells(n)), np.full(3, -np.inf)
    for cell in _cells(n):
        place = np.array([[float(value) for value in point] for point in cell])
        found = np.linalg.solve(place.T, np.asarray(weights, float))
        if found.min() > inner.min():
            best, inner = cell, found
    merged: dict[Name, float] = defaultdict(float)
    for point, weight in zip(best, inner, strict=True):
        for name, share in texels_at(face, corners, point, rest, spacing_m).items():
            merged[name] += float(share) * weight
    return dict(merged)


def _cells(n: int) -> Iterator[tuple[Point, Point, Point]]:
    """The small triangles of a grid: those that stand like the face, and those between them on their tip."""
    for missing, turn in ((1, 1), (2, -1)):
        for c in range(n + 1 - missing):
            for b in range(n + 1 - missing - c):
                base = (n - missing - b - c, b, c)
                lift = 0 if turn == 1 else 1
                corner = [[base[k] + lift + (turn if k == own else 0) for k in range(3)] for own in range(3)]
                first, second, third = ((Fraction(x, n), Fraction(y, n), Fraction(z, n)) for x, y, z in corner)
                yield first, second, third
