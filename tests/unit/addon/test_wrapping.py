"""How the sentences of a panel are cut into lines; a letter is as wide as one unit here."""

from __future__ import annotations

import pytest

from blender_addon.ui.wrapping import wrapped


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("one", ["one"]),
        ("one two three four", ["one two", "three four"]),
        ("a /long/path/that/does/not/fit", ["a", "/long/", "path/that/", "does/not/", "fit"]),
        ("abcdefghijklmnopqrstuvwxyz", ["abcdefghij", "klmnopqrst", "uvwxyz"]),
    ],
)
def test_lines_are_not_wider_than_the_panel(text: str, lines: list[str]) -> None:
    assert wrapped(text, 10, len) == lines


def test_a_panel_narrower_than_a_letter_ends() -> None:
    assert wrapped("abc", 0.5, len) == ["a", "b", "c"]
