"""The end of a process in words: signals, exit codes, and what is said of memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

from shared.protocol.process_end import how_it_ended, probably_out_of_memory


@pytest.mark.parametrize(
    ("code", "platform", "words"),
    [
        (-9, "linux", "was stopped by the system, probably because memory ran out (SIGKILL)"),
        (137, "linux", "was stopped by the system, probably because memory ran out (SIGKILL)"),
        (-9, "darwin", "was killed from outside (SIGKILL)"),
        (-11, "linux", "crashed (SIGSEGV)"),
        (-15, "linux", "was stopped by another program (SIGTERM)"),
        (0, "linux", "ended unexpectedly"),
        (1, "linux", "ended with exit code 1"),
        (127, "linux", "could not be run: a program that it needs was not found"),
        (200, "linux", "ended with exit code 200"),
        (-400, "linux", "was stopped by a signal (signal 400)"),
        (-1073741819, "win32", "crashed: it accessed memory that is not its own"),
        (3, "win32", "ended with exit code 3"),
    ],
)
def test_an_end_is_told_in_words(code: int, platform: str, words: str) -> None:
    assert how_it_ended(code, platform) == words


@pytest.mark.parametrize(
    ("code", "platform", "expected"),
    [(-9, "linux", True), (137, "linux", True), (-9, "darwin", False), (-11, "linux", False), (9, "win32", False)],
)
def test_memory_is_suspected_where_the_system_ends_programs_for_it(code: int, platform: str, expected: bool) -> None:
    assert probably_out_of_memory(code, platform) is expected
    assert ("memory ran out" in how_it_ended(code, platform)) is expected


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX systems")
def test_a_real_process_that_crashes_is_told_so() -> None:
    done = subprocess.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 6)"], check=False)
    assert how_it_ended(done.returncode) == "crashed (SIGABRT)"
