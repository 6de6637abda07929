"""Windows: every frame is made once, in a window that a model can see, with what is known around it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.contract.motion_model import MotionModelFacts
from backend.motion.windows import Clause, Frames, Window, plan_windows

MDM = MotionModelFacts("MDM", longest=196, context=20, paced=False, steps=50, guidance_scale=2.5)
DIP = MotionModelFacts("DiP", longest=60, context=20, paced=True, steps=10, guidance_scale=7.5)


def all_of(frames: int) -> Frames:
    return np.ones(frames, dtype=bool)


def only(frames: int, *spans: tuple[int, int]) -> Frames:
    unknown = np.zeros(frames, dtype=bool)
    for start, stop in spans:
        unknown[start:stop] = True
    return unknown


def spans(windows: list[Window]) -> list[tuple[int, int]]:
    return [(window.start, window.stop) for window in windows]


def test_a_short_clip_is_one_window() -> None:
    assert plan_windows(all_of(120), [Clause("a", 0, 120)], MDM) == [Window("a", 0, 120)]
    assert spans(plan_windows(all_of(196), [Clause("a", 0, 196)], MDM)) == [(0, 196)]


def test_a_longer_clip_reaches_back_so_that_its_last_window_is_full() -> None:
    assert spans(plan_windows(all_of(240), [Clause("a", 0, 240)], MDM)) == [(0, 196), (44, 240)]
    assert spans(plan_windows(all_of(500), [Clause("a", 0, 500)], MDM)) == [(0, 196), (176, 372), (304, 500)]


def test_a_clause_goes_on_from_the_end_of_the_one_before() -> None:
    clauses = [Clause("a", 0, 60), Clause("b", 60, 300)]
    assert plan_windows(all_of(300), clauses, MDM) == [Window("a", 0, 60), Window("b", 40, 236), Window("b", 104, 300)]


def test_a_gap_is_seen_with_the_keys_on_both_sides() -> None:
    assert spans(plan_windows(only(120, (40, 80)), [Clause("a", 0, 120)], MDM)) == [(0, 120)]
    assert spans(plan_windows(only(400, (100, 150)), [Clause("a", 0, 400)], MDM)) == [(80, 276)]
    # A clause that ends where the gap ends still sees the keys behind it.
    clauses = [Clause("a", 0, 80), Clause("b", 80, 200)]
    assert spans(plan_windows(only(200, (40, 80)), clauses, MDM)) == [(0, 100)]


def test_frames_of_a_later_clause_are_not_seen_before_they_are_made() -> None:
    clauses = [Clause("a", 0, 60), Clause("b", 60, 120)]
    windows = plan_windows(only(120, (30, 60), (65, 90)), clauses, MDM)
    assert spans(windows) == [(0, 65), (40, 120)]


def test_nothing_is_made_where_everything_is_known() -> None:
    assert plan_windows(np.zeros(50, dtype=bool), [Clause("a", 0, 50)], MDM) == []


def test_a_paced_model_goes_on_by_its_own_step() -> None:
    assert spans(plan_windows(all_of(100), [Clause("a", 0, 100)], DIP)) == [(0, 40), (20, 80), (60, 100)]
    clauses = [Clause("a", 0, 30), Clause("b", 30, 90)]
    assert spans(plan_windows(all_of(90), clauses, DIP)) == [(0, 30), (10, 70), (50, 90)]
    clauses = [Clause("a", 0, 5), Clause("b", 5, 50)]
    assert spans(plan_windows(all_of(50), clauses, DIP)) == [(0, 5), (0, 45), (25, 50)]


@pytest.mark.parametrize("facts", [MDM, DIP], ids=["MDM", "DiP"])
@given(
    lengths=st.lists(st.integers(2, 260), min_size=1, max_size=4),
    known=st.lists(st.tuples(st.integers(0, 600), st.integers(1, 80)), max_size=4),
)
def test_any_plan_makes_each_unknown_frame_once(
    facts: MotionModelFacts, lengths: list[int], known: list[tuple[int, int]]
) -> None:
    ends = np.cumsum(lengths).tolist()
    clauses = [Clause(str(end), end - length, end) for end, length in zip(ends, lengths, strict=True)]
    left = all_of(ends[-1])
    for start, length in known:
        left[start : start + length] = False
    for window in plan_windows(left, clauses, facts):
        assert 0 <= window.start < window.stop <= len(left)
        assert window.stop - window.start <= facts.longest
        first = window.start + int(np.argmax(left[window.start : window.stop]))
        assert left[first]
        clause = next(one for one in clauses if one.start <= first < one.stop)
        assert window.text == clause.text
        assert not left[clause.stop : window.stop].any()  # what another text describes is only seen once it is there
        assert first - window.start >= min(first, facts.context)
        if facts.paced:
            assert first - window.start <= facts.context
            assert window.stop - first <= facts.longest - facts.context
        left[first : window.stop] = False
    assert not left.any()
