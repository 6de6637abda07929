"""What of a clip is kept, and which frames each text gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from backend.contract.motion_model import SpokenClause
from backend.models.mdm.model import MDMModel
from backend.motion.edits import EditedClip, keep, parse_spans
from backend.motion.timing import timed
from backend.motion.windows import Clause
from shared.errors import InputError
from shared.motion.humanml.layout import LOWER_BODY

CLIP = EditedClip(np.arange(50 * 263, dtype=np.float32).reshape(50, 263))


def code_of(what: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(InputError) as caught:
        what(*arguments, **named)
    return caught.value.code


def test_spans_are_pairs_of_frames() -> None:
    assert parse_spans("0-20, 60-80,7") == ((0, 20), (60, 80), (7, 7))
    assert parse_spans("") == ()
    for text in ("20-0", "a", "1-", "-3", "1-2-3"):
        assert code_of(parse_spans, text) == "motion.spans"


def test_kept_frames_are_the_clips() -> None:
    known = keep(CLIP, 80, ((0, 9), (40, 49)))
    rows = np.flatnonzero(known.mask.any(axis=1)).tolist()
    assert rows == [*range(10), *range(40, 50)]
    assert known.mask[rows].all()
    np.testing.assert_array_equal(known.values[rows], CLIP.features[rows])


def test_the_lower_body_is_kept_as_long_as_the_clip_is() -> None:
    known = keep(CLIP, 60, lower_body=True)
    np.testing.assert_array_equal(known.mask[:50], np.broadcast_to(LOWER_BODY, (50, 263)))
    assert not known.mask[50:].any()
    shorter = keep(CLIP, 30, ((0, 3),), lower_body=True)
    assert shorter.mask[:4].all()
    np.testing.assert_array_equal(shorter.values, CLIP.features[:30])


@pytest.mark.parametrize("spans", [((40, 50),), ((0, 49),), ()])
def test_spans_that_leave_nothing_to_do_or_lie_outside_are_told(spans: tuple[tuple[int, int], ...]) -> None:
    assert code_of(keep, CLIP, 50, spans) == "motion.spans"


def test_texts_share_the_time_or_have_their_own(mdm: MDMModel) -> None:
    assert timed(mdm, ["a"]).clauses == (Clause("a", 0, 120),)
    assert timed(mdm, ["a", "red"]).clauses == (Clause("a", 0, 60), Clause("red", 60, 120))
    assert timed(mdm, ["a", "red"], [5.0]).clauses == (Clause("a", 0, 50), Clause("red", 50, 100))
    assert timed(mdm, ["a", "red"], [1.0, 2.0]).clauses == (Clause("a", 0, 20), Clause("red", 20, 60))
    assert timed(mdm, ["a", "red", "on"], [0.25]).frames == 6  # too short to be shared: two frames each


@pytest.mark.parametrize("seconds", [[1.0, 2.0, 3.0], [0.0], [float("nan")], [601.0], [-1.0]])
def test_times_that_cannot_be_are_told(mdm: MDMModel, seconds: list[float]) -> None:
    assert code_of(timed, mdm, ["a", "red"], seconds) == "motion.seconds"
    assert code_of(timed, mdm, [" "]) == "motion.no_text"


@dataclass(frozen=True)
class Reading:
    """A model that reads times and hints out of texts, as the embedded one does."""

    clauses: tuple[SpokenClause, ...]

    def read(self, _text: str) -> tuple[SpokenClause, ...]:
        return self.clauses


@pytest.mark.parametrize(
    ("said", "total", "frames"),
    [
        ((2.0, None), None, [40, 60]),  # three seconds for one of several that says none
        ((2.0, None), 6.0, [40, 80]),  # the rest of the time
        ((2.0, None), 2.0, [16, 24]),  # no rest: in proportion
        ((2.0, 4.0), 3.0, [20, 40]),
        ((None, None), 4.0, [40, 40]),
    ],
)
def test_clauses_that_say_their_time_get_it_where_there_is_room(
    said: tuple[float | None, ...], total: float | None, frames: list[int]
) -> None:
    model: Any = Reading(tuple(SpokenClause("x", seconds, note=f"{seconds}") for seconds in said))
    got = timed(model, ["x"], None if total is None else [total])
    assert [clause.stop - clause.start for clause in got.clauses] == frames
    assert len(got.notes) == len(said)
