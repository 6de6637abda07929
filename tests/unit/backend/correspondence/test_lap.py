"""The sparse assignment solver: paths on a graph, the search for cheaper pairs, and the proof."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from backend.correspondence.lap import assign_points, check_optimal
from backend.correspondence.lap_candidates import NEIGHBOURS, TOLERANCE, WORST, Graph, PairSearch, first_graph
from backend.correspondence.lap_paths import Pairing, pair_graph, unpaired
from shared.errors import JobError

FORBIDDEN = 1e6


def random_graph(seed: int, rows: int, columns: int, values: int) -> tuple[Graph, NDArray[Any]]:
    """A graph that joins every row, of few different costs, and its dense cost matrix."""
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, values, (rows, columns)).astype(float)
    edge = rng.random((rows, columns)) < 0.4
    edge[np.arange(rows), rng.permutation(columns)[:rows]] = True
    row, column = np.nonzero(edge)
    return Graph(row, column, cost[row, column]), np.where(edge, cost, FORBIDDEN)


def assert_proved(graph: Graph, pairing: Pairing, dense: NDArray[Any]) -> None:
    rows, columns = dense.shape
    column = pairing.column_of_row
    assert np.unique(column).size == rows
    cost = dense[np.arange(rows), column]
    assert (graph.cost - pairing.u[graph.row] - pairing.v[graph.column]).min() > -1e-9
    np.testing.assert_allclose(pairing.u + pairing.v[column], cost, rtol=0, atol=1e-9)
    left_over = np.setdiff1d(np.arange(columns), column)
    assert pairing.v.max() <= 0 and np.abs(pairing.v[left_over]).max(initial=0) < 1e-9
    assert (pairing.row_of_column[left_over] == rows).all()
    assert cost.sum() == pytest.approx(dense[linear_sum_assignment(dense)].sum(), abs=1e-9)


@given(st.integers(1, 12), st.integers(0, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_paths_find_the_optimum_and_prices_that_prove_it(rows: int, more: int, values: int, seed: int) -> None:
    graph, dense = random_graph(seed, rows, rows + more, values)
    assert_proved(graph, pair_graph(graph, unpaired(rows, rows + more)), dense)


@given(st.integers(2, 12), st.integers(0, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_a_pairing_is_taken_up_again_on_a_graph_with_more_edges(rows: int, more: int, seed: int) -> None:
    graph, dense = random_graph(seed, rows, rows + more, 6)
    few = np.random.default_rng(seed).random(graph.row.size) < 0.5
    few |= graph.column == pair_graph(graph, unpaired(rows, rows + more)).column_of_row[graph.row]
    begun = pair_graph(Graph(graph.row[few], graph.column[few], graph.cost[few] + 1), unpaired(rows, rows + more))
    assert_proved(graph, pair_graph(graph, begun), dense)


@given(st.integers(1, 10), st.integers(0, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_any_prices_are_a_start(rows: int, more: int, seed: int) -> None:
    graph, dense = random_graph(seed, rows, rows + more, 5)
    v = np.random.default_rng(seed).normal(0, 10, rows + more)
    start = Pairing(np.full(rows + more, -1), np.zeros(rows), v)
    assert_proved(graph, pair_graph(graph, start), dense)


@pytest.mark.parametrize("distance", [0.0, 0.5, 30.0])
def test_the_search_misses_no_row_that_a_pair_undercuts(distance: float) -> None:
    rng = np.random.default_rng(8)
    rows, columns = rng.normal(0, 10, (700, 3)), rng.normal(3, 10, (900, 3))
    u, v = rng.normal(distance, 1, 700), -np.abs(rng.normal(0, 2, 900))
    slack = cdist(rows, columns) - u[:, None] - v
    found = PairSearch(rows, columns).undercutting(u, v)
    below = slack < -TOLERANCE
    assert np.array_equal(np.unique(found.row), np.flatnonzero(below.any(axis=1)))
    assert below[found.row, found.column].all()
    assert np.array_equal(np.bincount(found.row, minlength=700), np.minimum(below.sum(axis=1), WORST))
    worst = np.sort(slack, axis=1)[:, WORST - 1]
    assert (slack[found.row, found.column] <= np.maximum(worst[found.row], -TOLERANCE)).all()
    np.testing.assert_allclose(found.cost, cdist(rows, columns)[found.row, found.column], rtol=0, atol=1e-12)


def test_the_first_graph_holds_the_neighbours_of_both_sides_before_and_after_a_move() -> None:
    rng = np.random.default_rng(4)
    rows, columns = rng.random((50, 2)), rng.random((60, 2)) + (0.4, 0)
    graph, cost = first_graph(rows, columns), cdist(rows, columns)
    expected = {(i, i) for i in range(50)}
    for distance in (cost, cdist(rows - rows.mean(0), columns - columns.mean(0))):
        expected |= {(i, j) for i in range(50) for j in np.argsort(distance[i])[:NEIGHBOURS].tolist()}
        expected |= {(i, j) for j in range(60) for i in np.argsort(distance[:, j])[:NEIGHBOURS].tolist()}
    edges = list(zip(graph.row.tolist(), graph.column.tolist(), strict=True))
    assert edges == sorted(expected)
    np.testing.assert_allclose(graph.cost, cost[graph.row, graph.column], rtol=0, atol=1e-12)


def test_the_proof_refuses_what_is_not_proved() -> None:
    rows, columns = np.array([[0.0], [1.0]]), np.array([[0.0], [1.0], [5.0]])
    good = Pairing(np.array([0, 1, 2]), np.zeros(2), np.zeros(3))
    check_optimal(rows, columns, good)
    for wrong in (
        Pairing(np.array([1, 0, 2]), np.zeros(2), np.zeros(3)),  # crossed, at a cost of 2
        Pairing(np.array([0, 1, 2]), np.array([-1.0, 0.0]), np.zeros(3)),  # dearer than its prices
        Pairing(np.array([0, 1, 2]), np.zeros(2), np.array([0.0, 0.0, -1.0])),  # a column left over has a price
        Pairing(np.array([0, 1, 2]), np.full(2, -1.0), np.ones(3)),  # prices above zero prove nothing
    ):
        with pytest.raises(JobError, match="is not the best one"):
            check_optimal(rows, columns, wrong)


def clouds(seed: int, *counts_and_shifts: tuple[int, float]) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(shift, 1, (count, 3)) for count, shift in counts_and_shifts])


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (clouds(1, (200, 0), (100, 50)), clouds(2, (100, 0), (200, 50))),
        (clouds(1, (200, 0), (100, 50)), clouds(2, (120, 0), (300, 50))),
        (clouds(1, (300, 0), (40, 50)), clouds(2, (100, 0), (40, 50))),
        (clouds(1, (250, 0)), clouds(2, (250, 1000))),
        (np.repeat(clouds(1, (15, 0)), 20, axis=0), np.repeat(clouds(2, (17, 0)), 18, axis=0)),
        (np.floor(clouds(1, (400, 0))), np.floor(clouds(2, (400, 0)))),
        (np.arange(300.0)[:, None], np.arange(300.0)[:, None] + 7),
        (np.exp(3 * clouds(1, (300, 0))), np.exp(3 * clouds(2, (310, 0)))),
    ],
    ids=["clusters", "more columns", "more rows", "far apart", "duplicates", "ties", "line", "all scales"],
)
def test_sparse_solver_reaches_the_dense_optimum_on_hard_inputs(rows: NDArray[Any], columns: NDArray[Any]) -> None:
    row, column = assign_points(rows, columns, dense_pairs=0)
    cost = cdist(rows, columns)
    optimum = cost[linear_sum_assignment(cost)].sum()
    assert row.size == min(cost.shape) and len(set(row)) == len(set(column)) == row.size
    assert cost[row, column].sum() == pytest.approx(optimum, rel=1e-12, abs=1e-4)
