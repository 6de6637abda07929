"""The assignment problem on a sparse graph, solved from any prices by shortest augmenting paths, many at a time.

SciPy's own sparse solver starts from nothing and searches for one path after the other. Here one run of Dijkstra's
algorithm, from all rows that lack a column at once, grows a forest of shortest paths; the trees have nothing in common,
so that every tree which reaches a free column is augmented in the same step (a primal-dual step as in the Hungarian
method). A pairing found before, on a graph with fewer edges, is a start like any other: only the rows whose column a
new edge undercuts are joined again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from backend.correspondence.indexing import ranges
from backend.correspondence.lap_candidates import Graph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FREE = -1
# Rounding leaves joined edges this far (feature units) from their prices at most; what is farther is undercut.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """Who is joined with whom, and the prices: u_row + v_column <= cost on the graph, equal where a pair is joined.

    v <= 0, and v = 0 for the columns left over, up to rounding.
    """

    row_of_column: Ints  # (columns,) `rows` (the spare row) for a column left over, FREE before anything is solved
    u: Floats  # (rows,)
    v: Floats  # (columns,)

    @property
    def column_of_row(self) -> Ints:
        """(rows,) the column of each row of a solved pairing."""
        return np.argsort(self.row_of_column, kind="stable")[: self.u.size]


@dataclass(slots=True, eq=False)
class _Search:
    """A pairing in the making. The last row is the spare one: it joins any column at no cost, as many as are left."""

    edges: Graph  # with the spare row's
    start: Ints  # (rows + 2,) where each row's edges begin
    u: Floats  # (rows + 1,)
    v: Floats  # (columns,)
    row_of_column: Ints  # (columns,)
    lacking: Ints  # (rows + 1,) how many columns each row still lacks


@dataclass(frozen=True, slots=True, eq=False)
class _Forest:
    """Shortest paths by reduced cost from the rows that lack a column.

    Nodes are the rows, the spare one, and the free columns. To arrive at a joined column is to arrive at its row.
    """

    node_of_column: Ints  # (columns,)
    reduced: Floats  # (edges,)
    distance: Floats  # (nodes,)
    before: Ints  # (nodes,) the node before on the path
    root: Ints  # (nodes,) the path's first row


def unpaired(rows: int, columns: int) -> Pairing:
    """The start from nothing."""
    return Pairing(np.full(columns, FREE), np.zeros(rows), np.zeros(columns))


def pair_graph(graph: Graph, begun: Pairing) -> Pairing:
    """The cheapest pairing of all rows on a graph that has one, from the prices and joined pairs of `begun`.

    At least as many columns as rows. Only `v` and `row_of_column` of `begun` are read; its pairs must be edges.
    """
    search = _begin(graph, begun)
    while search.lacking.any():
        _augment(search)
    highest = search.v.max()
    return Pairing(search.row_of_column, search.u[:-1] + highest, search.v - highest)


def _begin(graph: Graph, begun: Pairing) -> _Search:
    """Prices that hold on the graph, and those pairs of `begun` that are still as cheap as their prices."""
    spare, columns = begun.u.size, begun.v.size
    every = np.arange(columns)
    edges = Graph(
        np.concatenate([graph.row, np.full(columns, spare)]),
        np.concatenate([graph.column, every]),
        np.concatenate([graph.cost, np.zeros(columns)]),
    )
    start = np.searchsorted(edges.row, np.arange(spare + 2))
    v, row_of_column = begun.v.copy(), begun.row_of_column.copy()
    u = np.minimum.reduceat(edges.cost - v[edges.column], start[:-1])
    undercut = (row_of_column[edges.column] == edges.row) & (_reduced(edges, u, v) > ROUNDING)
    row_of_column[edges.column[undercut]] = FREE
    lacking = np.append(np.ones(spare, np.int64), columns - spare)
    np.subtract.at(lacking, row_of_column[row_of_column != FREE], 1)
    return _Search(edges, start, u, v, row_of_column, lacking)


def _reduced(edges: Graph, u: Floats, v: Floats) -> Floats:
    return np.asarray((edges.cost - v[edges.column]) - u[edges.row])


def _augment(search: _Search) -> None:
    """One more column for at least one row: a path to its nearest free column in every tree that has one."""
    forest = _grow(search)
    ends = _path_ends(forest, search.lacking)
    farthest = forest.distance[ends].max()
    edge = _path_edges(search, forest, ends)
    search.u -= np.minimum(forest.distance[: search.u.size], farthest)
    search.v += np.minimum(forest.distance[forest.node_of_column], farthest)
    search.row_of_column[search.edges.column[edge]] = search.edges.row[edge]
    np.subtract.at(search.lacking, forest.root[ends], 1)


def _grow(search: _Search) -> _Forest:
    rows = search.u.size
    free = np.flatnonzero(search.row_of_column == FREE)
    node_of_column = search.row_of_column.copy()
    node_of_column[free] = rows + np.arange(free.size)
    reduced = np.maximum(_reduced(search.edges, search.u, search.v), 0)
    target = node_of_column[search.edges.column].astype(np.int32)
    start = np.concatenate([search.start, np.full(free.size, target.size)]).astype(np.int32)
    sources = np.flatnonzero(search.lacking[:-1])
    # The spare row comes last: while it holds columns, one tree grows through it into every free one.
    sources = sources if sources.size else np.array([rows - 1])
    nodes = rows + free.size
    distance, before, root = dijkstra(
        csr_matrix((reduced, target, start), shape=(nodes, nodes)),
        indices=sources,
        return_predecessors=True,
        min_only=True,
    )
    return _Forest(node_of_column, reduced, distance, before.astype(np.int64), root.astype(np.int64))


def _path_ends(forest: _Forest, lacking: Ints) -> Ints:
    """The free column, as a node, nearest to each root; if the spare row is the root, to each of its branches."""
    end = np.arange(lacking.size, forest.distance.size)
    end = end[np.isfinite(forest.distance[end])]
    end = end[np.argsort(forest.distance[end], kind="stable")]
    spare_alone = not lacking[:-1].any()
    tree = _branches(forest, end) if spare_alone else forest.root[end]
    nearest = np.sort(np.unique(tree, return_index=True)[1])
    return np.asarray(end[nearest[: lacking[-1]] if spare_alone else nearest])


def _branches(forest: _Forest, nodes: Ints) -> Ints:
    """The second node of each path, given its last."""
    while True:
        before = forest.before[nodes]
        inside = before != forest.root[nodes]
        if not inside.any():
            return nodes
        nodes = np.where(inside, before, nodes)


def _path_edges(search: _Search, forest: _Forest, ends: Ints) -> Ints:
    """The edges of all paths: of those that join two nodes, the cheapest."""
    nodes, path = ends, [ends]
    while True:
        before = forest.before[nodes]
        nodes = before[before != forest.root[nodes]]
        if not nodes.size:
            break
        path.append(nodes)
    arrived = np.concatenate(path)
    left = forest.before[arrived]
    first, last = search.start[left], search.start[left + 1]
    edge = ranges(first, last)
    step = np.arange(arrived.size).repeat(last - first)
    joins = forest.node_of_column[search.edges.column[edge]] == arrived[step]
    edge, step = edge[joins], step[joins]
    order = np.lexsort((forest.reduced[edge], step))
    return np.asarray(edge[order][np.unique(step[order], return_index=True)[1]])
