"""The linear assignment problem over points, solved exactly whatever the number of points.

Small problems go to SciPy's dense solver. Large ones, whose dense cost matrix would take gigabytes, are solved on a
sparse graph of near pairs, and the result is proved: the graph's dual variables (u, v) are checked against ALL pairs,
in blocks that a bounding-box test cannot rule out, and every pair with cost < u + v joins the graph until none is
left. The optimum of the whole problem is then the graph's (column generation; Volgenant and Jonker's sparse solver,
as SciPy has it, does each round).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from shared.errors import JobError, PassesError

from .ragged import ranges

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Up to this many pairs (3,000 x 3,000 points: 72 MB) the dense solver is the quicker one.
DENSE_PAIRS = 9_000_000

NEIGHBOURS = 12
BLOCK = 32
# A pair may undercut the dual variables by this much (feature units) and still count as no improvement.
TOLERANCE = 1e-7
# SciPy's sparse solver drops pairs of cost zero; a constant on every pair changes no assignment.
COST_SHIFT = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Graph:
    """Candidate pairs, sorted by row, each once."""

    row: Ints  # (edges,)
    column: Ints  # (edges,)
    cost: Floats  # (edges,)


@dataclass(frozen=True, slots=True, eq=False)
class _Duals:
    """u_row + v_column <= cost on the graph, with v <= 0 and v = 0 for columns that are not assigned."""

    u: Floats  # (rows,)
    v: Floats  # (columns,)


def assign_points(rows: Floats, columns: Floats, *, dense_pairs: int = DENSE_PAIRS) -> tuple[Ints, Ints]:
    """The injective pairing of two point sets with the smallest sum of Euclidean distances.

    `rows` (n, d) and `columns` (m, d) are finite; min(n, m) pairs come back as two index arrays, sorted by row. The
    result depends on nothing but the arguments. Problems of more than `dense_pairs` = n m are solved sparsely, with
    the same sum; where several pairings have it, which one is returned may differ. Raises PassesError on other shapes.
    """
    if rows.ndim != 2 or columns.ndim != 2 or rows.shape[1] != columns.shape[1]:
        raise PassesError(
            "correspondence.shape", f"Points {rows.shape} and {columns.shape} cannot be paired; both must be (n, d)."
        )
    if not (np.isfinite(rows).all() and np.isfinite(columns).all()):
        raise PassesError("correspondence.not_finite", "Points to be paired are not finite numbers.")
    if not len(rows) or not len(columns):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if len(rows) > len(columns):
        column, row = assign_points(columns, rows, dense_pairs=dense_pairs)
        order = np.argsort(row)
        return row[order], column[order]
    if len(rows) * len(columns) <= dense_pairs:
        row, column = linear_sum_assignment(cdist(rows, columns))
        return row.astype(np.int64), column.astype(np.int64)
    return np.arange(len(rows)), _assign_sparse(rows, columns)


def _assign_sparse(rows: Floats, columns: Floats) -> Ints:
    """The column of each row; at least as many columns as rows."""
    shape = (len(rows), len(columns))
    blocks = _blocks(rows), _blocks(columns)
    graph = _first_graph(rows, columns)
    while True:
        matrix = csr_matrix((graph.cost + COST_SHIFT, (graph.row, graph.column)), shape=shape)
        column_of_row = np.asarray(min_weight_full_bipartite_matching(matrix)[1], np.int64)
        duals = _graph_duals(graph, column_of_row, shape[1])
        row, column, cost = _undercutting(rows, columns, duals, blocks)
        if not row.size:
            return column_of_row
        graph = _unique_graph(
            np.concatenate([graph.row, row]),
            np.concatenate([graph.column, column]),
            np.concatenate([graph.cost, cost]),
            shape[1],
        )


def _first_graph(rows: Floats, columns: Floats) -> _Graph:
    """Each point's nearest neighbours, from both sides, and one pairing of all rows so that a solution exists."""
    every_row, every_column = np.arange(len(rows)), np.arange(len(columns))
    per_row, per_column = min(NEIGHBOURS, len(columns)), min(NEIGHBOURS, len(rows))
    row_cost, row_near = cKDTree(columns).query(rows, np.arange(1, per_row + 1))
    column_cost, column_near = cKDTree(rows).query(columns, np.arange(1, per_column + 1))
    row = np.concatenate([every_row.repeat(per_row), column_near.ravel(), every_row])
    column = np.concatenate([row_near.ravel(), every_column.repeat(per_column), every_row])
    straight = np.linalg.norm(rows - columns[: len(rows)], axis=1)
    cost = np.concatenate([row_cost.ravel(), column_cost.ravel(), straight])
    return _unique_graph(row, column, cost, len(columns))


def _unique_graph(row: Ints, column: Ints, cost: Floats, columns: int) -> _Graph:
    _, first = np.unique(row * columns + column, return_index=True)
    return _Graph(row[first].astype(np.int64), column[first].astype(np.int64), cost[first])


def _graph_duals(graph: _Graph, column_of_row: Ints, columns: int) -> _Duals:
    """Dual variables that prove `column_of_row` optimal on the graph. Raises JobError if it is not.

    The largest v with v <= 0 and v_j <= v_match(i) + c_ij - c_i,match(i) on every edge is a shortest-path problem
    from the unassigned columns; only the edges of rows whose column has changed are looked at again.
    """
    rows = column_of_row.size
    start = np.searchsorted(graph.row, np.arange(rows + 1))
    matched_cost = np.empty(rows)
    matched = graph.column == column_of_row[graph.row]
    matched_cost[graph.row[matched]] = graph.cost[matched]
    step = graph.cost - matched_cost[graph.row]
    row_of_column = np.full(columns, -1, np.int64)
    row_of_column[column_of_row] = np.arange(rows)

    v = np.zeros(columns)
    edges = np.arange(graph.row.size)
    while edges.size:
        reached = v[column_of_row[graph.row[edges]]] + step[edges]
        # The margin keeps rounding from going round a cycle of cost zero for ever.
        better = reached < v[graph.column[edges]] - TOLERANCE / 10
        np.minimum.at(v, graph.column[edges[better]], reached[better])
        changed = row_of_column[np.unique(graph.column[edges[better]])]
        if (changed < 0).any():
            raise JobError(
                "correspondence.not_optimal", "The assignment solver returned a pairing that can be bettered."
            )
        edges = ranges(start[changed], start[changed + 1])
    return _Duals(matched_cost - v[column_of_row], v)


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


def _undercutting(rows: Floats, columns: Floats, duals: _Duals, blocks: tuple[Ints, Ints]) -> tuple[Ints, Ints, Floats]:
    """Pairs whose cost is below u + v, the worst few of each row: row, column, cost. None is the proof."""
    row_blocks, column_blocks = blocks
    row_low, row_high = rows[row_blocks].min(1), rows[row_blocks].max(1)
    column_low, column_high = columns[column_blocks].min(1), columns[column_blocks].max(1)
    v_high = duals.v[column_blocks].max(1)
    found: list[tuple[Ints, Ints, Floats]] = []
    for block, low, high in zip(row_blocks, row_low, row_high, strict=True):
        gap = np.maximum(np.maximum(column_low - high, low - column_high), 0)
        near = np.sqrt((gap**2).sum(1)) < duals.u[block].max() + v_high - TOLERANCE
        column = column_blocks[near].ravel()
        cost = cdist(rows[block], columns[column])
        slack = cost - duals.u[block, None] - duals.v[column]
        for i in np.flatnonzero((slack < -TOLERANCE).any(axis=1)):
            below = np.flatnonzero(slack[i] < -TOLERANCE)
            worst = below[np.argsort(slack[i, below], kind="stable")[:NEIGHBOURS]]
            found.append((np.full(worst.size, block[i]), column[worst], cost[i, worst]))
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    row, column, cost = (np.concatenate(part) for part in zip(*found, strict=True))
    return row, column, cost
