"""Telling the user that a shot has ended: in Blender's status bar, and after long work on the desktop."""

from __future__ import annotations

import time
from dataclasses import dataclass

import bpy

from ..client.progress import GenerateState, duration_text
from ..help.notification import APP_NAME, Note, Notifier
from ..typed_bpy import windows

LONG_WORK_S = 60.0
SHOWN_S = 15.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a shot ended: a take's name, its frames, how long it took, and why it failed."""

    state: GenerateState
    take: str
    frames: int
    seconds: float
    reason: str = ""

    @property
    def text(self) -> str:
        """One line."""
        if self.state is GenerateState.DONE:
            return f"{self.take} is finished: {self.frames} frames in {duration_text(self.seconds)}"
        return f"{self.take} failed after {duration_text(self.seconds)}: {self.reason}"

    @property
    def wanted(self) -> bool:
        """Whether the user does not know it already: who cancels does."""
        return self.state in (GenerateState.DONE, GenerateState.FAILED)


class Announcer:
    """Says how shots ended. Blender's status bar says its own things again after a while."""

    def __init__(self) -> None:
        self._notifier = Notifier()
        self._shown_until: float | None = None

    def tell(self, ending: Ending, *, on_desktop: bool) -> None:
        """Say it; on the desktop only after long work, where the user wants it and the system can."""
        if not ending.wanted:
            return
        _set_status(f"{APP_NAME}: {ending.text}")
        self._shown_until = time.monotonic() + SHOWN_S
        if on_desktop and ending.seconds >= LONG_WORK_S:
            self._notifier.show(Note(APP_NAME, ending.text))

    def step(self) -> None:
        """Take back what has been shown for long enough."""
        self._notifier.step()
        if self._shown_until is not None and time.monotonic() > self._shown_until:
            self._clear()

    def close(self) -> None:
        """Take everything back. Harmless when called twice."""
        self._notifier.close()
        self._clear()

    def _clear(self) -> None:
        if self._shown_until is not None:
            self._shown_until = None
            _set_status(None)


def _set_status(text: str | None) -> None:
    """The text of every window's status bar; None gives it back to Blender."""
    for window in windows():
        with bpy.context.temp_override(window=window):
            window.workspace.status_text_set(text)
