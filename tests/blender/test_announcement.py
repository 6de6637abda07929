"""The end of a shot, told in the status bar and on the desktop."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from blender_addon.client.progress import GenerateState
from blender_addon.help.notification import Note
from blender_addon.shot.announcement import LONG_WORK_S, Announcer, Ending

GUARD_S = 60.0  # ends a test that would hang; nothing is measured with it


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notify-send that keeps its last argument in a file."""
    path = tmp_path / "notify-send"
    path.write_text(f"#!{sys.executable}\nimport sys\nopen({str(tmp_path / 'told')!r}, 'w').write(sys.argv[-1])\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "told"


DONE = Ending(GenerateState.DONE, "take-003", 48, 720.0)
FAILED = Ending(GenerateState.FAILED, "take-003", 48, LONG_WORK_S, "The backend ended with code -9.")


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (DONE, "take-003 is finished: 48 frames in 12 min"),
        (FAILED, "take-003 failed after 60 s: The backend ended with code -9."),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="the program is Linux's")
def test_long_work_is_told_on_the_desktop(desktop: Path, ending: Ending, text: str) -> None:
    announcer = Announcer()
    announcer.tell(ending, on_desktop=True)
    limit = time.monotonic() + GUARD_S
    while not desktop.exists() or not desktop.read_text():
        assert time.monotonic() < limit
        time.sleep(0.01)
    assert desktop.read_text() == text
    announcer.close()
    announcer.close()


@pytest.mark.parametrize(
    ("ending", "on_desktop"),
    [
        (DONE, False),
        (Ending(GenerateState.DONE, "take-003", 48, LONG_WORK_S - 1), True),
        (Ending(GenerateState.CANCELLED, "take-003", 48, 720.0), True),
    ],
)
def test_short_work_a_cancel_and_who_does_not_want_it_start_nothing(
    monkeypatch: pytest.MonkeyPatch, ending: Ending, on_desktop: bool
) -> None:
    announcer = Announcer()
    started: list[Note] = []
    monkeypatch.setattr(announcer._notifier, "show", started.append)
    announcer.tell(ending, on_desktop=on_desktop)
    announcer.step()
    announcer.close()
    assert started == []
