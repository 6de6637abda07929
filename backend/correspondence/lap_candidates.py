"""The pairs of points that an assignment is looked for among, and the search of all other pairs for a cheaper one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEIGHBOURS = 12
# So many undercutting pairs of a row are taken at once: more of them, and later searches find fewer.
WORST = 48
BLOCK = 64
# A pair may undercut the prices by this much (feature units) and still count as no improvement.
TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Candidate pairs, sorted by row, each once."""

    row: Ints  # (edges,)
    column: Ints  # (edges,)
    cost: Floats  # (edges,)


def first_graph(rows: Floats, columns: Floats) -> Graph:
    """Each point's nearest neighbours, from both sides, and one pairing of all rows so that a solution exists.

    Neighbours are looked for where the points lie, and again with the rows moved to the columns' mean: where one set
    has moved as a whole, the first sort is of little use.
    """
    every = np.arange(len(rows))
    near = _neighbours(rows, columns), _neighbours(rows - rows.mean(0) + columns.mean(0), columns)
    row = np.concatenate([every, *(pairs[0] for pairs in near)])
    column = np.concatenate([every, *(pairs[1] for pairs in near)])
    return _unique_graph(row, column, np.linalg.norm(rows[row] - columns[column], axis=1), len(columns))


def _neighbours(rows: Floats, columns: Floats) -> tuple[Ints, Ints]:
    per_row, per_column = min(NEIGHBOURS, len(columns)), min(NEIGHBOURS, len(rows))
    row_near = cKDTree(columns).query(rows, np.arange(1, per_row + 1))[1]
    column_near = cKDTree(rows).query(columns, np.arange(1, per_column + 1))[1]
    row = np.concatenate([np.arange(len(rows)).repeat(per_row), column_near.ravel()])
    return row, np.concatenate([row_near.ravel(), np.arange(len(columns)).repeat(per_column)])


def _unique_graph(row: Ints, column: Ints, cost: Floats, columns: int) -> Graph:
    _, first = np.unique(row * columns + column, return_index=True)
    return Graph(row[first].astype(np.int64), column[first].astype(np.int64), cost[first])


class PairSearch:
    """All pairs of two point sets (rows (n, d), columns (m, d)), in blocks of points that lie close together."""

    def __init__(self, rows: Floats, columns: Floats) -> None:
        self.rows, self.columns = rows, columns
        self.row_blocks, self.column_blocks = _blocks(rows), _blocks(columns)
        self.row_box = _boxes(rows, self.row_blocks)
        self.column_box = _boxes(columns, self.column_blocks)

    def undercutting(self, u: Floats, v: Floats) -> Graph:
        """Of the pairs with cost < u + v, the worst `WORST` of each row. None is the proof that u and v hold."""
        u_high, v_high = u[self.row_blocks].max(1), v[self.column_blocks].max(1)
        low, high = self.column_box
        found: list[tuple[Ints, Ints, Floats]] = []
        for block, row_low, row_high, most in zip(self.row_blocks, *self.row_box, u_high, strict=True):
            gap = np.maximum(np.maximum(low - row_high, row_low - high), 0)
            near = np.sqrt((gap**2).sum(1)) < most + v_high - TOLERANCE
            column = np.unique(self.column_blocks[near])
            cost = cdist(self.rows[block], self.columns[column])
            slack = cost - u[block, None] - v[column]
            for i in np.flatnonzero((slack < -TOLERANCE).any(axis=1)):
                below = np.flatnonzero(slack[i] < -TOLERANCE)
                worst = below[np.argsort(slack[i, below], kind="stable")[:WORST]]
                found.append((np.full(worst.size, block[i]), column[worst], cost[i, worst]))
        if not found:
            return Graph(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        row, column, cost = (np.concatenate(part) for part in zip(*found, strict=True))
        return _unique_graph(row, column, cost, len(self.columns))

    def joined(self, one: Graph, other: Graph) -> Graph:
        """The edges of both graphs."""
        return _unique_graph(
            np.concatenate([one.row, other.row]),
            np.concatenate([one.column, other.column]),
            np.concatenate([one.cost, other.cost]),
            len(self.columns),
        )


def _boxes(points: Floats, blocks: Ints) -> tuple[Floats, Floats]:
    inside = points[blocks]
    return inside.min(1), inside.max(1)


def _blocks(points: Floats) -> Ints:
    """Point indices in compact groups: (groups, at most BLOCK), the last points repeated to fill the table.

    Halves every group at the median of its longest side until it is small enough.
    """
    levels = max(0, int(np.ceil(np.log2(len(points) / BLOCK))))
    size = -(-len(points) // 2**levels)
    table = np.minimum(np.arange(size * 2**levels), len(points) - 1)[None]
    for _ in range(levels):
        inside = points[table]
        axis = np.ptp(inside, axis=1).argmax(axis=1)
        order = np.take_along_axis(inside, axis[:, None, None], axis=2)[..., 0].argsort(axis=1, kind="stable")
        table = np.take_along_axis(table, order, axis=1).reshape(2 * len(table), -1)
    return table
