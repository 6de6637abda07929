"""Types, sampling, the one-to-one rule, the reference modes and the chain of copies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.correspondence.assignment import match_assignment
from backend.correspondence.chain import ReferenceMode, match_chain, next_reference, root_map
from backend.correspondence.indexing import closest_one_to_one, ranges
from backend.correspondence.pairs import resize_iuv
from backend.correspondence.types import IUV, Matches, empty_matches
from shared.errors import PassesError
from tests.reference.chain import copy_along, greedy_one_to_one


def random_matches(rng: np.random.Generator, height: int, width: int) -> Matches:
    cells = height * width
    count = int(rng.integers(0, cells + 1))
    current = np.sort(rng.permutation(cells)[:count])
    return Matches(current, rng.permutation(cells)[:count], height, width)


def random_frame(seed: int) -> IUV:
    rng = np.random.default_rng(seed)
    part = rng.choice(np.array([0, 1, 1, 4], np.uint8), (8, 8))
    return IUV(part, rng.random((8, 8, 2), np.float32))


@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.booleans())
@settings(max_examples=60, deadline=None)
def test_root_map_equals_copying_in_sequence(seed: int, pairs: int, from_first: bool) -> None:
    rng = np.random.default_rng(seed)
    chain = [random_matches(rng, 4, 5) for _ in range(pairs)]
    frames = rng.normal(size=(pairs + 1, 20, 3)).astype(np.float32)
    root = root_map(chain, 20, reference_mode="first" if from_first else "prev")
    expected = copy_along(frames, chain, from_first=from_first)
    assert frames[root.frame, root.cell].tobytes() == expected.tobytes()
    assert (root.frame <= np.arange(pairs + 1)[:, None]).all()


def test_root_map_refuses_matches_of_another_size() -> None:
    with pytest.raises(PassesError, match="frame 2 are for 3x2 pixels, not for 4"):
        root_map([empty_matches(2, 2), empty_matches(2, 3)], 4)


def test_a_pixel_that_nothing_matches_is_its_own_root() -> None:
    root = root_map([empty_matches(2, 2)] * 2, 4)
    assert np.array_equal(root.frame, [[0] * 4, [1] * 4, [2] * 4])
    assert np.array_equal(root.cell, [[0, 1, 2, 3]] * 3)


def test_prev_matches_raw_consecutive_frames_and_first_frame_zero() -> None:
    frames = [random_frame(seed) for seed in range(4)]
    cases: tuple[tuple[ReferenceMode, list[int]], ...] = (("prev", [0, 1, 2]), ("first", [0, 0, 0]))
    for mode, reference in cases:
        chain = tuple(match_chain(frames, reference_mode=mode))
        assert len(chain) == 3
        for i, matches in enumerate(chain, start=1):
            expected = match_assignment(frames[i], frames[reference[i - 1]])
            assert np.array_equal(matches.current, expected.current)
            assert np.array_equal(matches.reference, expected.reference)


def test_prev_new_carries_the_labels_of_frame_zero_down_the_chain() -> None:
    frames = [random_frame(seed) for seed in range(4)]
    chain = tuple(match_chain(frames, features="released", reference_mode="prev_new"))
    carried = copy_along(np.stack([frame.uv.reshape(-1, 2) for frame in frames]), chain)
    for i in (1, 2, 3):
        reference = IUV(frames[i - 1].part, carried[i - 1].reshape(8, 8, 2))
        expected = match_assignment(frames[i], reference, features="released")
        assert np.array_equal(chain[i - 1].reference, expected.reference)
    plain = tuple(match_chain(frames, features="released"))
    assert any(not np.array_equal(a.reference, b.reference) for a, b in zip(chain, plain, strict=True))


def test_next_reference_leaves_its_arguments_alone() -> None:
    current, reference = random_frame(1), random_frame(2)
    before = current.uv.copy()
    matches = match_assignment(current, reference)
    following = next_reference(current, reference, matches, "prev_new")
    assert np.array_equal(current.uv, before)
    flat = following.uv.reshape(-1, 2)
    assert np.array_equal(flat[matches.current], reference.uv.reshape(-1, 2)[matches.reference])
    untouched = np.setdiff1d(np.arange(64), matches.current)
    assert np.array_equal(flat[untouched], before.reshape(-1, 2)[untouched])


def test_unknown_reference_mode_is_refused() -> None:
    with pytest.raises(PassesError, match="no reference mode named 'last'"):
        tuple(match_chain([random_frame(0), random_frame(1)], reference_mode="last"))  # type: ignore[arg-type]


def test_no_frames_have_no_matches() -> None:
    assert tuple(match_chain([])) == ()
    assert tuple(match_chain([random_frame(0)])) == ()


@given(st.integers(0, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_one_to_one_rule_equals_the_greedy_twin(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    current, reference = np.sort(rng.permutation(12)[:count]), rng.integers(0, 5, count)
    distance = rng.integers(0, 4, count).astype(float)
    matches = closest_one_to_one(current, reference, distance, 3, 4)
    pairs = list(zip(matches.current.tolist(), matches.reference.tolist(), strict=True))
    assert pairs == greedy_one_to_one(current, reference, distance)


def test_ranges_lists_half_open_ranges() -> None:
    assert ranges(np.array([4, 0, 9]), np.array([6, 0, 12])).tolist() == [4, 5, 9, 10, 11]


@given(st.integers(1, 20), st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_resize_takes_the_sample_at_floor_of_index_times_scale(height: int, width: int) -> None:
    part = (np.arange(400).reshape(20, 20) % 25).astype(np.uint8)
    frame = IUV(part, np.stack([part, part], -1).astype(np.float32) / 25)
    small = resize_iuv(frame, height, width)
    for y in range(height):
        for x in range(width):
            source = (y * 20) // height, (x * 20) // width
            assert small.part[y, x] == part[source] and small.uv[y, x, 0] == frame.uv[source][0]


def test_sizes_that_do_not_fit_are_refused() -> None:
    frame = random_frame(0)
    with pytest.raises(PassesError, match="at least that size, not 8x8"):
        resize_iuv(frame, 9, 8)


def test_labels_are_checked() -> None:
    with pytest.raises(PassesError, match="do not fit together"):
        IUV(np.zeros((2, 2), np.uint8), np.zeros((2, 3, 2), np.float32))
    with pytest.raises(PassesError, match="25"):
        IUV(np.full((2, 2), 25, np.uint8), np.zeros((2, 2, 2), np.float32))


@pytest.mark.parametrize(
    ("current", "reference", "code"),
    [
        ([0, 1], [0], "correspondence.shape"),
        ([1, 0], [0, 1], "correspondence.injective"),
        ([1, 1], [0, 1], "correspondence.injective"),
        ([0, 1], [2, 2], "correspondence.injective"),
        ([0, 4], [0, 1], "correspondence.range"),
        ([0, 1], [-1, 1], "correspondence.range"),
    ],
)
def test_matches_are_checked(current: list[int], reference: list[int], code: str) -> None:
    with pytest.raises(PassesError) as caught:
        Matches(np.array(current), np.array(reference), 2, 2)
    assert caught.value.code == code
