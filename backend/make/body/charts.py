"""One-to-one uv charts for the parts of a body: each part's surface laid flat in the unit square."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from backend.make.body.flatten import flatten
from backend.make.body.packing import pack, upright
from backend.make.body.surface import IntArray, Patch, patches, split_by_thickness

Array = NDArray[np.float64]

FLATTEST_BAG: Final = 0.42  # a patch rounder than this is laid flat whole; a hand or a foot is a bag and is split
DEEPEST_SPLIT: Final = 6
UP: Final = np.array([0.3, 1.0, 0.1])  # v grows along this where the piece has an extent in it


def make_charts(vertices: Array, triangles: IntArray, part: NDArray[np.uint8]) -> NDArray[np.float32]:
    """chart_uv (F, 3, 2) in 0..1 for triangles (F, 3) over vertices (V, 3), one chart for each part (F,).

    No two triangles of a part overlap and none is turned over: (part, u, v) names one surface point. Where a part is
    a bag (hand, foot) or has several pieces, its chart holds the pieces side by side.
    """
    chart_uv = np.zeros((len(triangles), 3, 2))
    for label in np.unique(part):
        rows = np.flatnonzero(part == label)
        pieces = [leaf for patch in patches(vertices, triangles, rows) for leaf in _leaves(patch, 0)]
        laid = [(_turned_up(upright(flatten(piece)), piece), piece) for piece in pieces]
        laid.sort(key=lambda pair: -float(np.ptp(pair[0], axis=0).prod()))
        packed = pack([(flat, piece.triangles) for flat, piece in laid])
        for places, (_, piece) in zip(packed, laid, strict=True):
            chart_uv[piece.rows] = places[piece.triangles]
    return chart_uv.astype(np.float32)


def _leaves(patch: Patch, depth: int) -> list[Patch]:
    """The patch itself where it can be laid flat with little stretch, else the leaves of its two sides."""
    if patch.is_disk and (patch.roundness() > FLATTEST_BAG or len(patch.rows) < 8):
        return [patch]
    if depth == DEEPEST_SPLIT:
        raise ValueError(f"a patch of {len(patch.rows)} triangles is no disk after {depth} splits")
    side = split_by_thickness(patch)
    if side.all() or not side.any():
        centres = patch.points[patch.triangles].mean(axis=1)
        widest = int(np.argmax(np.ptp(centres, axis=0)))
        side = centres[:, widest] > np.median(centres[:, widest])
    found: list[Patch] = []
    for chosen in (side, ~side):
        own = np.flatnonzero(chosen)
        for leaf in patches(patch.points, patch.triangles, own):
            whole = Patch(patch.rows[leaf.rows], leaf.triangles, leaf.points, leaf.loops)
            found += _leaves(whole, depth + 1)
    return found


def _turned_up(flat: Array, piece: Patch) -> Array:
    """The places, turned half round if v would grow against UP."""
    height = piece.points @ UP
    if np.sum((flat[:, 1] - flat[:, 1].mean()) * (height - height.mean())) < 0.0:
        flat = -flat
    return np.asarray(flat - flat.min(axis=0))
