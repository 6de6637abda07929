"""Keyed prompts: what is read, what is refused, and how the frames between two keys are mixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.errors import InputError
from shared.jobs.keyed_prompts import MAX_KEYS, PromptKey, format_prompts, parse_prompts, prompt_mixes, read_prompts


def keys_of(*pairs: tuple[int, str]) -> tuple[PromptKey, ...]:
    return tuple(PromptKey(frame, prompt) for frame, prompt in pairs)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("1: a robot dancing, 30: a knight dancing", keys_of((1, "a robot dancing"), (30, "a knight dancing"))),
        ("1: a robot\n30: a knight\n", keys_of((1, "a robot"), (30, "a knight"))),
        ("\r\n  1: a robot,\r\n\r\n 30:\ta knight , \r\n", keys_of((1, "a robot"), (30, "a knight"))),
        ("7: a robot", keys_of((7, "a robot"))),
        ("0: a, b, 5: c,9: d", keys_of((0, "a, b"), (5, "c"), (9, "d"))),
        ("1: a robot, 16:9, at 12:30, 2 arms", keys_of((1, "a robot, 16:9, at 12:30, 2 arms"))),
        ("1: (a robot:1.2), [x: y]", keys_of((1, "(a robot:1.2), [x: y]"))),
        ("1: a robot, 12:, 20:", keys_of((1, "a robot"), (12, ""), (20, ""))),
        ("1: a robot, ,, 20: a, knight,,", keys_of((1, "a robot"), (20, "a, knight"))),
        ("1:\n5: a robot\n9:", keys_of((1, ""), (5, "a robot"), (9, ""))),
        ("1: Zürich \N{ROBOT FACE}", keys_of((1, "Zürich \N{ROBOT FACE}"))),
    ],
)
def test_keyed_prompts_are_read_and_written(text: str, keys: tuple[PromptKey, ...]) -> None:
    assert parse_prompts(text) == keys
    assert parse_prompts(format_prompts(keys)) == keys


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "have no key"),
        (" \n\n", "have no key"),
        ("a robot", 'no frame at the start of line 1, "a robot"'),
        ("1: a robot\n30; a knight", "no frame at the start of line 2"),
        ("1: a robot\na knight", "no frame at the start of line 2"),
        ("1:a robot", "no frame at the start of line 1"),
        ("-1: a robot", "no frame at the start of line 1"),
        ("1.5: a robot", "no frame at the start of line 1"),
        (", 1: a robot", "no frame at the start of line 1"),
        ("1: a robot, 1: a knight", "name frame 1 twice"),
        ("30: a robot, 1: a knight", "have frame 1 after frame 30"),
        ("1: , 30:", "are all empty"),
        ("1048575: a robot", "at frame 1048575, outside 0 to 1048574"),
        ("1: a\0b", "null character"),
        ("1: " + "x" * 200_000, "longer than 200,000 characters"),
        ("\n".join(f"{frame}: a" for frame in range(MAX_KEYS + 1)), "have 1,001 keys"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_prompts(text)
    assert sentence in caught.value.message
    assert caught.value.code == "job.prompts" and caught.value.hint


def test_frames_between_two_keys_are_mixed_by_their_number() -> None:
    keys = keys_of((10, "a"), (20, "b"), (30, "a"), (40, "a"))
    frames = (1, 10, 12, 19, 20, 25, 30, 33, 40, 99)
    prompts, mixes = prompt_mixes(keys, frames)
    assert prompts == ("a", "b")
    # A twin: how much of "b" is seen, as a curve through the keys.
    expected = np.interp(frames, [10, 20, 30, 40], [0, 1, 0, 0])
    found = [
        (1 - mix.weight) * (prompts[mix.before] == "b") + mix.weight * (prompts[mix.after] == "b") for mix in mixes
    ]
    np.testing.assert_allclose(found, expected, atol=1e-15)
    assert all(mix.weight == 0 for mix in mixes if mix.before == mix.after)


def test_prompts_that_no_frame_needs_are_left_out() -> None:
    keys = keys_of((10, "a"), (20, "b"), (30, "c"), (40, "d"))
    assert prompt_mixes(keys, (1, 10))[0] == ("a",)
    assert prompt_mixes(keys, (30, 35))[0] == ("c", "d")
    assert prompt_mixes(keys, (40, 50))[0] == ("d",)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_in_another_encoding_is_refused_in_a_sentence(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_bytes("1: ein Bär".encode(encoding))
    with pytest.raises(InputError, match=r"prompts\.txt are not UTF-8\. Save them as UTF-8"):
        read_prompts(tmp_path / "prompts.txt")
