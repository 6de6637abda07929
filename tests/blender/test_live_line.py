"""The batch command's progress: one line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import os

import pytest

from blender_addon.cli.live_line import LiveLine


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def as_seen(written: str) -> list[str]:
    """What a terminal shows of it: a carriage return goes back to the line's start and writes over it."""
    lines = []
    for line in written.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


def test_a_terminal_has_one_line_that_is_written_over() -> None:
    stream = Terminal()
    line = LiveLine(stream)
    line.show(0.25, "latentman: sampling, step 5 of 20, 31 s left")
    line.show(0.5, "latentman: decoding")
    assert as_seen(stream.getvalue()) == [" 50% [##########..........] latentman: decoding"]
    line.keep("latentman: no camera.")
    line.show(1.0, "Done")
    line.end()
    kept = [
        " 50% [##########..........] latentman: decoding",
        "latentman: no camera.",
        "100% [####################] Done",
    ]
    assert as_seen(stream.getvalue()) == [*kept, ""]


def test_a_line_is_cut_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((40, 24)))
    stream = Terminal()
    LiveLine(stream).show(0.0, "x" * 100)
    assert len(as_seen(stream.getvalue())[0]) == 39


def test_elsewhere_each_one_is_a_plain_line() -> None:
    stream = io.StringIO()
    line = LiveLine(stream)
    line.show(0.5, "latentman: decoding")
    line.end()
    assert stream.getvalue() == "[ 50%] latentman: decoding\n"
