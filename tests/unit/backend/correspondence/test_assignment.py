"""The per-part assignment: features, the exact solver, and whole frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from backend.correspondence.assignment import match_assignment
from backend.correspondence.features import Features, part_features
from backend.correspondence.lap import assign_points
from backend.correspondence.types import IUV
from shared.errors import PassesError
from tests.reference import assignment as twin

BOTH = pytest.mark.parametrize("features", ["paper", "released"])


def labels(seed: int, height: int, width: int, parts: tuple[int, ...]) -> IUV:
    """Random labels out of `parts` and random chart positions."""
    rng = np.random.default_rng(seed)
    part = rng.choice(np.array(parts, np.uint8), (height, width))
    return IUV(part, rng.random((height, width, 2), np.float32))


def smooth(seed: int, count: int, shift: float, low: float = 0.0) -> NDArray[Any]:
    """Features of a body-like patch: a bent grid, moved a little and cut off at one side."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(count)))
    y, x = (axis.reshape(-1)[:count] for axis in np.mgrid[:side, :side] / side)
    u, v = x + 0.1 * np.sin(5 * y) + shift, y + 0.1 * np.cos(4 * x)
    points = 255 * np.column_stack([u, v, 0.2 * np.hypot(x - 0.5, y - 0.5)]) + rng.normal(0, 0.3, (count, 3))
    cloud: NDArray[Any] = points[x >= low]
    return cloud


@BOTH
def test_features_equal_the_twin(features: Features) -> None:
    frame = labels(3, 9, 7, (0, 2, 2, 15))
    for part in (2, 15):
        pixels = np.flatnonzero(frame.part == part)
        places, expected = twin.features(frame.part, frame.uv, part, features)
        assert np.array_equal(places[:, 0] * 7 + places[:, 1], pixels)
        np.testing.assert_allclose(part_features(frame, pixels, features), expected, rtol=0, atol=1e-10)


def test_paper_features_by_hand() -> None:
    part = np.zeros((4, 5), np.uint8)
    part[1, 1] = part[1, 3] = 9
    uv = np.zeros((4, 5, 2), np.float32)
    uv[1, 1], uv[1, 3] = (0.2, 1.0), (0.4, 0.0)
    got = part_features(IUV(part, uv), np.array([6, 8]), "paper")
    np.testing.assert_allclose(got, [[51, 255, 1], [102, 0, 1]], atol=1e-5)


def test_released_features_by_hand() -> None:
    part = np.zeros((3, 5), np.uint8)
    part[1, 1:4] = 9
    uv = np.zeros((3, 5, 2), np.float32)
    uv[1, 1:4, 0] = 0.2, 0.4, 0.6
    got = part_features(IUV(part, uv), np.array([6, 7, 8]), "released")
    # Columns lie at -1.5, 0, 1.5 and the single row at -0.5: L1 distances 2, 0.5, 2, scaled by 63.75 / 2.
    np.testing.assert_allclose(got, [[-51, 0, 63.75], [0, 0, 15.9375], [51, 0, 63.75]], atol=1e-5)


def test_unknown_features_are_refused() -> None:
    frame = labels(0, 2, 2, (1,))
    with pytest.raises(PassesError, match="no features named 'papers'"):
        match_assignment(frame, frame, features="papers")  # type: ignore[arg-type]


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 3), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_solver_finds_the_best_of_all_pairings(n: int, m: int, d: int, seed: int, sparse: bool) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(0, 4, (n, d)).astype(float), rng.integers(0, 4, (m, d)).astype(float)
    row, column = assign_points(rows, columns, dense_pairs=0 if sparse else 10**6)
    assert row.size == min(n, m) and len(set(row)) == len(set(column)) == row.size
    assert np.array_equal(row, np.sort(row))
    total = np.linalg.norm(rows[row] - columns[column], axis=1).sum()
    assert total == pytest.approx(twin.smallest_sum(rows, columns), abs=1e-9)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (smooth(1, 400, 0.0), smooth(2, 400, 0.02)),
        (smooth(1, 400, 0.0), smooth(2, 400, 0.0, low=0.3)),
        (smooth(1, 400, 0.0, low=0.4), smooth(2, 400, 0.0)[:380]),
        (smooth(1, 300, 0.5), smooth(2, 500, 0.0)),
        (np.floor(smooth(1, 400, 0.0) / 16), np.floor(smooth(2, 420, 0.02) / 16)),
        (np.zeros((90, 3)), np.zeros((70, 3))),
        (np.eye(3)[np.arange(120) % 3], np.ones((150, 3))),
    ],
    ids=["moved", "cut", "cut other side", "far apart", "many equal", "all equal", "all equidistant"],
)
def test_sparse_solver_reaches_the_dense_optimum(rows: NDArray[Any], columns: NDArray[Any]) -> None:
    row, column = assign_points(rows, columns, dense_pairs=0)
    cost = cdist(rows, columns)
    optimum = cost[linear_sum_assignment(cost)].sum()
    assert row.size == min(len(rows), len(columns))
    assert len(set(row)) == len(set(column)) == row.size
    assert cost[row, column].sum() == pytest.approx(optimum, abs=1e-4)


def test_solver_is_deterministic() -> None:
    rows, columns = np.floor(smooth(1, 300, 0.0) / 8), np.floor(smooth(2, 330, 0.02) / 8)
    for dense_pairs in (0, 10**6):
        first = assign_points(rows, columns, dense_pairs=dense_pairs)
        second = assign_points(rows.copy(), columns.copy(), dense_pairs=dense_pairs)
        assert np.array_equal(first, second)


def test_solver_refuses_what_is_no_set_of_points() -> None:
    with pytest.raises(PassesError, match="both must be"):
        assign_points(np.zeros((3, 2)), np.zeros((3, 3)))
    with pytest.raises(PassesError, match="not finite"):
        assign_points(np.full((1, 2), np.nan), np.zeros((1, 2)))
    assert assign_points(np.zeros((0, 2)), np.zeros((3, 2)))[0].size == 0


@BOTH
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_frames_are_matched_at_the_smallest_cost_part_by_part(features: Features, seed: int) -> None:
    current, reference = labels(seed, 3, 4, (0, 1, 1, 7, 24)), labels(seed + 1, 3, 4, (0, 1, 7, 7, 23))
    matches = match_assignment(current, reference, features=features)
    here, there = current.part.reshape(-1)[matches.current], reference.part.reshape(-1)[matches.reference]
    assert np.array_equal(here, there) and (here > 0).all()
    for part in range(1, 25):
        counts = int((current.part == part).sum()), int((reference.part == part).sum())
        joined = here == part
        assert joined.sum() == min(counts)
        if not joined.any():
            continue
        place, a = twin.features(current.part, current.uv, part, features)
        other, b = twin.features(reference.part, reference.uv, part, features)
        i = [int(np.flatnonzero(place @ (4, 1) == pixel)[0]) for pixel in matches.current[joined]]
        j = [int(np.flatnonzero(other @ (4, 1) == pixel)[0]) for pixel in matches.reference[joined]]
        cost = np.linalg.norm(a[i] - b[j], axis=1).sum()
        if max(counts) <= 7:
            assert cost == pytest.approx(twin.smallest_sum(a, b), abs=1e-6)


@BOTH
def test_matching_a_frame_with_itself_is_the_identity(features: Features) -> None:
    frame = labels(5, 12, 9, (0, 3, 14))
    matches = match_assignment(frame, frame, features=features)
    assert np.array_equal(matches.current, np.flatnonzero(frame.part))
    assert np.array_equal(matches.reference, matches.current)


@BOTH
def test_both_directions_join_the_same_number(features: Features) -> None:
    one, two = labels(1, 16, 16, (0, 1, 2, 3)), labels(2, 16, 16, (0, 2, 3, 4))
    assert len(match_assignment(one, two, features=features)) == len(match_assignment(two, one, features=features)) > 0


@BOTH
def test_missing_parts_single_pixels_and_empty_frames(features: Features) -> None:
    empty = labels(0, 6, 6, (0,))
    single = IUV(np.where(np.arange(36).reshape(6, 6) == 14, 5, 0).astype(np.uint8), empty.uv)
    other = IUV(np.where(np.arange(36).reshape(6, 6) == 30, 5, 0).astype(np.uint8), empty.uv)
    elsewhere = IUV(np.where(single.part == 5, 6, 0).astype(np.uint8), empty.uv)
    for current, reference in ((empty, empty), (empty, single), (single, empty), (single, elsewhere)):
        assert len(match_assignment(current, reference, features=features)) == 0
    matches = match_assignment(single, other, features=features)
    assert matches.current.tolist() == [14] and matches.reference.tolist() == [30]


def test_frames_of_different_size_are_refused() -> None:
    with pytest.raises(PassesError, match="different size"):
        match_assignment(labels(0, 4, 4, (1,)), labels(0, 4, 5, (1,)))
