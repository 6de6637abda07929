"""One patch laid flat: an embedding that cannot fold over (Tutte), then low stretch at every step without a fold.

Floater, "Mean value coordinates", 2003, for the start; the symmetric Dirichlet energy and its local-global descent
after Rabinovich et al., "Scalable Locally Injective Mappings", 2017. A step is taken only if every triangle keeps its
orientation and the boundary does not cross itself, so the result is one-to-one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import bmat, coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import splu, spsolve

from backend.make.body.surface import IntArray, Patch, triangle_areas

Array = NDArray[np.float64]

ROUNDS: Final = 60
ENOUGH: Final = 5e-3  # stop once a round lowers the energy by less than this share of what is above the least
LEAST_ENERGY: Final = 4.0  # of a patch that is laid flat without stretch
PROXIMAL: Final = 1e-4
SMALLEST_STEP: Final = 1e-3
SHORT_STEP: Final = 0.3  # points that keep a step shorter than this are held
HOLD: Final = 1e4
RELEASE_AFTER: Final = 20


@dataclass(frozen=True, slots=True)
class _Rest:
    """The patch's triangles in their own planes: gradient operators and areas."""

    gradient_x: csc_matrix  # (n, m)
    gradient_y: csc_matrix  # (n, m)
    shares: Array  # (n,) of the patch's area


def flatten(patch: Patch) -> Array:
    """Flat places (m, 2) in metres for the patch's points; one-to-one, low in stretch, orientation kept.

    The patch must be a disk, up to holes (they are filled for the start and stay holes). Where the boundary runs into
    itself the points that meet are held for some rounds, and the rest goes on.
    """
    flat = _start(_filled(patch), patch)
    rest = _rest(patch)
    area = triangle_areas(patch.points, patch.triangles).sum()
    flat *= np.sqrt(area / _signed_areas(flat, patch.triangles).sum())
    energy = _energy(rest, flat)
    held = np.zeros(len(flat))
    for index in range(ROUNDS):
        if index % RELEASE_AFTER == 0:
            held[:] = 0.0
        move = _solve(rest, flat, held) - flat
        step, reached, meeting = _line_search(patch, rest, flat, move, energy)
        held[meeting] = HOLD
        flat = flat + step * move
        gain, energy = energy - reached, reached
        if gain < ENOUGH * (energy - LEAST_ENERGY) and not len(meeting):
            break
    return flat


def _filled(patch: Patch) -> IntArray:
    """The triangles and, for every hole, a fan about one further point (numbered after the patch's own)."""
    fans = [patch.triangles]
    for index, loop in enumerate(patch.loops[1:]):
        hub = np.full(len(loop), len(patch.points) + index)
        fans.append(np.stack([np.roll(loop, -1), loop, hub], axis=1))
    return np.concatenate(fans)


def _start(triangles: IntArray, patch: Patch) -> Array:
    """Tutte's embedding on a circle with mean value weights; (m, 2) for the patch's own points."""
    hubs = [patch.points[loop].mean(axis=0) for loop in patch.loops[1:]]
    points = np.concatenate([patch.points, *(hub[None] for hub in hubs)])
    loop = patch.loops[0]
    lengths = np.linalg.norm(points[loop] - points[np.roll(loop, -1)], axis=1)
    angle = 2.0 * np.pi * (np.cumsum(lengths) - lengths) / lengths.sum()
    places = np.zeros((len(points), 2))
    places[loop] = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    matrix = _mean_value_weights(points, triangles)
    inner = np.setdiff1d(np.arange(len(points)), loop)
    if len(inner):
        laplacian = (diags(np.asarray(matrix.sum(axis=1)).ravel()) - matrix).tocsr()[inner]
        places[inner] = spsolve(laplacian[:, inner].tocsc(), -laplacian[:, loop] @ places[loop]).reshape(-1, 2)
    return places[: len(patch.points)]


def _mean_value_weights(points: Array, triangles: IntArray) -> csc_matrix:
    rows, columns, values = [], [], []
    for corner in range(3):
        here, after, before = (triangles[:, (corner + turn) % 3] for turn in (0, 1, 2))
        one, other = points[after] - points[here], points[before] - points[here]
        length_one, length_other = np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1)
        across = np.linalg.norm(np.cross(one, other), axis=1)
        half_tangent = across / np.maximum(length_one * length_other + np.sum(one * other, axis=1), 1e-15)
        half_tangent = np.clip(half_tangent, 1e-4, 1e4)
        rows += [here, here]
        columns += [after, before]
        values += [half_tangent / np.maximum(length_one, 1e-9), half_tangent / np.maximum(length_other, 1e-9)]
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return coo_matrix(entries, shape=(len(points),) * 2).tocsc()


def _rest(patch: Patch) -> _Rest:
    corner = patch.points[patch.triangles]
    edge, other = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    width = np.maximum(np.linalg.norm(edge, axis=1), 1e-9)
    along = np.sum(other * edge, axis=1) / width
    height = np.maximum(np.linalg.norm(np.cross(edge, other), axis=1) / width, 1e-7 * width)
    zero = np.zeros_like(width)
    by_x = np.stack([-1.0 / width, 1.0 / width, zero], axis=1)
    by_y = np.stack([(along - width) / (width * height), -along / (width * height), 1.0 / height], axis=1)
    rows = np.repeat(np.arange(len(corner)), 3)
    shape = (len(corner), len(patch.points))
    x, y = (coo_matrix((by.ravel(), (rows, patch.triangles.ravel())), shape=shape).tocsc() for by in (by_x, by_y))
    areas = np.maximum(triangle_areas(patch.points, patch.triangles), 1e-12)
    return _Rest(x, y, areas / areas.sum())


def _jacobians(rest: _Rest, flat: Array) -> Array:
    return np.stack([rest.gradient_x @ flat, rest.gradient_y @ flat], axis=2)  # (n, 2, 2): d(u, v) / d(x, y)


def _energy(rest: _Rest, flat: Array) -> float:
    jacobian = _jacobians(rest, flat)
    square = np.sum(jacobian**2, axis=(1, 2))
    determinant = np.linalg.det(jacobian)
    if determinant.min() <= 0.0:
        return float("inf")
    return float(np.sum(rest.shares * square * (1.0 + 1.0 / determinant**2)))


def _solve(rest: _Rest, flat: Array, held: Array) -> Array:
    """Minimum of the reweighted quadratic proxy: W (J - R) with W from the singular values (equation 24)."""
    left, singular, right = np.linalg.svd(_jacobians(rest, flat))
    singular = np.maximum(singular, 1e-9)
    gradient = singular - singular**-3
    away = singular - 1.0
    weight = np.where(np.abs(away) < 1e-6, 2.0, np.sqrt(np.maximum(gradient / np.where(away == 0, 1, away), 1e-12)))
    weights = (left * weight[:, None, :]) @ left.transpose(0, 2, 1)
    goal = left @ right
    area = np.sqrt(rest.shares)[:, None, None]
    weights, goal = weights * area, (weights * area) @ goal
    blocks, sides = [], []
    for row in range(2):
        for operator, column in ((rest.gradient_x, 0), (rest.gradient_y, 1)):
            blocks.append([diags(weights[:, row, 0]) @ operator, diags(weights[:, row, 1]) @ operator])
            sides.append(goal[:, row, column])
    return _least_squares(blocks, np.concatenate(sides), flat, PROXIMAL + held)


def _least_squares(blocks: list[list[csc_matrix]], side: Array, flat: Array, stay: Array) -> Array:
    """Places (m, 2) that fit the blocks best, each drawn to where it is with the strength `stay` (m,)."""
    matrix = bmat(blocks).tocsc()
    strength = np.tile(stay, 2)
    normal = (matrix.T @ matrix + diags(strength)).tocsc()
    solution = splu(normal).solve(matrix.T @ side + strength * flat.T.ravel())
    return np.asarray(solution.reshape(2, -1).T)


def _line_search(patch: Patch, rest: _Rest, flat: Array, move: Array, energy: float) -> tuple[float, float, IntArray]:
    """The longest tried step that lowers the energy and stays one-to-one, the energy there, and the points that meet.

    Those are the boundary points that cross at the last step that had to be given up for it; none if it is not short.
    """
    step = min(1.0, 0.9 * _first_fold(flat, move, patch.triangles))
    meeting: list[IntArray] = []
    while step > SMALLEST_STEP:
        candidate = flat + step * move
        crossing = [loop[crossing_points(candidate[loop])] for loop in patch.loops]
        reached = _energy(rest, candidate)
        if any(len(points) for points in crossing):
            meeting += crossing if step < SHORT_STEP or not meeting else []
        elif reached < energy:
            return step, reached, _joined(meeting if step < SHORT_STEP else [])
        step *= 0.6
    return 0.0, energy, _joined(meeting)


def _joined(points: list[IntArray]) -> IntArray:
    return np.asarray(np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *points])))


def _signed_areas(flat: Array, triangles: IntArray) -> Array:
    one, other = flat[triangles[:, 1]] - flat[triangles[:, 0]], flat[triangles[:, 2]] - flat[triangles[:, 0]]
    return np.asarray(0.5 * (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]))


def _first_fold(flat: Array, move: Array, triangles: IntArray) -> float:
    """The smallest positive step at which a triangle's area becomes zero."""

    def cross(a: Array, b: Array) -> Array:
        return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])

    one, other = flat[triangles[:, 1]] - flat[triangles[:, 0]], flat[triangles[:, 2]] - flat[triangles[:, 0]]
    by_one, by_other = move[triangles[:, 1]] - move[triangles[:, 0]], move[triangles[:, 2]] - move[triangles[:, 0]]
    a, b, c = cross(by_one, by_other), cross(one, by_other) + cross(by_one, other), cross(one, other)
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0.0))
    stable = -0.5 * (b + np.where(b >= 0.0, root, -root))
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.concatenate([stable / a, c / stable])
    real = np.tile(b * b - 4 * a * c >= 0.0, 2)
    steps = steps[real & np.isfinite(steps) & (steps > 0.0)]
    return float(steps.min()) if len(steps) else float("inf")


def crossing_points(polygon: Array) -> IntArray:
    """Points of a closed polygon (n, 2) whose edges cross or touch another edge; none if the polygon is simple."""
    count = len(polygon)
    start, end = polygon, np.roll(polygon, -1, axis=0)
    low, high = np.minimum(start, end), np.maximum(start, end)
    near = (low[:, None, 0] <= high[None, :, 0]) & (low[:, None, 1] <= high[None, :, 1])
    i, j = np.nonzero(np.triu(near & near.T, k=2))
    apart = ~((i == 0) & (j == count - 1))
    i, j = i[apart], j[apart]

    def side(a: Array, b: Array, p: Array) -> Array:
        return np.asarray((b[:, 0] - a[:, 0]) * (p[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (p[:, 0] - a[:, 0]))

    one = side(start[i], end[i], start[j]) * side(start[i], end[i], end[j])
    other = side(start[j], end[j], start[i]) * side(start[j], end[j], end[i])
    meet = (one <= 0.0) & (other <= 0.0)
    edges = np.concatenate([i[meet], j[meet]])
    return np.asarray(np.unique(np.concatenate([edges, (edges + 1) % count])))
