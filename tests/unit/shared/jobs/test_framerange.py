from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InputError
from shared.jobs.frame_range import format_frames, held_for, parse_frames


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("7", (7,)),
        ("1-4", (1, 2, 3, 4)),
        ("1-3, 9,5-9x2", (1, 2, 3, 5, 7, 9)),
        ("3,1,2,2", (1, 2, 3)),
        ("5-5", (5,)),
        ("0-10x20", (0,)),
    ],
)
def test_ranges(text: str, frames: tuple[int, ...]) -> None:
    assert parse_frames(text) == frames


@pytest.mark.parametrize("text", ["a", "1-", "-1", "1-2-3", "1x2", "1.5", "1-9x", "٣", "1;2", "99999999"])
def test_what_is_no_range_is_named(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_frames(f"1,{text}")
    assert caught.value.code == "frames.syntax"
    assert text in caught.value.message


@pytest.mark.parametrize("text", ["", " ", ",,"])
def test_an_empty_range(text: str) -> None:
    with pytest.raises(InputError, match="contains no frame"):
        parse_frames(text)


@pytest.mark.parametrize("text", ["9-1", "1-9x0", "1-2000000"])
def test_spans_that_cannot_be(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_frames(text)
    assert caught.value.code == "frames.span"


def test_too_many_frames() -> None:
    with pytest.raises(InputError) as caught:
        parse_frames("1-10001")
    assert caught.value.code == "frames.many"
    assert len(parse_frames("1-10000")) == 10_000


@given(st.sets(st.integers(0, 300), min_size=1))
def test_what_is_written_is_read_back(frames: set[int]) -> None:
    wanted = tuple(sorted(frames))
    assert parse_frames(format_frames(wanted)) == wanted


@pytest.mark.parametrize(
    ("frames", "text"), [((1, 2, 3, 7), "1-3,7"), ((1, 3, 5), "1-5x2"), ((4, 9), "4,9"), ((4, 5), "4-5")]
)
def test_written_short(frames: tuple[int, ...], text: str) -> None:
    assert format_frames(frames) == text


@pytest.mark.parametrize(
    ("frames", "held"),
    [
        ((1, 2, 3), (1, 1, 1)),
        ((1, 3, 5, 7), (2, 2, 2, 2)),  # 1-8x2 lasts for eight frames
        ((2, 4, 5), (2, 1, 1)),
        ((1, 2, 9), (1, 7, 1)),
        ((5,), (1,)),
    ],
)
def test_a_frame_is_held_until_the_next(frames: tuple[int, ...], held: tuple[int, ...]) -> None:
    assert held_for(frames) == held
