"""The linear assignment problem over points, solved exactly whatever the number of points.

Small problems go to SciPy's dense solver. Large ones, whose dense cost matrix would take gigabytes, are solved on a
sparse graph of near pairs, and the result is proved: the graph's prices, or dual variables (u, v), are checked against
ALL pairs, in blocks that a bounding-box test cannot rule out, and pairs with cost < u + v join the graph until there
are none. The optimum of the whole problem is then the graph's (column generation). Each round goes on from the last
one's prices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from backend.correspondence.lap_candidates import TOLERANCE, PairSearch, first_graph
from backend.correspondence.lap_paths import Pairing, pair_graph, unpaired
from shared.errors import JobError, PassesError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Up to this many pairs (1,000 x 1,000 points) the dense solver is the quicker one.
DENSE_PAIRS = 1_000_000


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
    graph, search = first_graph(rows, columns), PairSearch(rows, columns)
    pairing = unpaired(len(rows), len(columns))
    while True:
        pairing = pair_graph(graph, pairing)
        cheaper = search.undercutting(pairing.u, pairing.v)
        if not cheaper.row.size:
            check_optimal(rows, columns, pairing)
            return pairing.column_of_row
        graph = search.joined(graph, cheaper)


def check_optimal(rows: Floats, columns: Floats, pairing: Pairing) -> None:
    """The rest of the proof, once no pair of points undercuts the prices: a pairing costs what its prices come to.

    No pairing can cost less than sum(u) + sum(v) as long as v <= 0. Raises JobError if this one costs more.
    """
    column = pairing.column_of_row
    over = np.linalg.norm(rows - columns[column], axis=1) - pairing.u - pairing.v[column]
    unused = np.delete(pairing.v, column)
    once = np.unique(column).size == len(rows)
    if not once or pairing.v.max() > 0 or over.max() > TOLERANCE or unused.min(initial=0) < -TOLERANCE:
        raise JobError(
            "correspondence.not_optimal", "The assignment solver returned a pairing that is not the best one."
        )
