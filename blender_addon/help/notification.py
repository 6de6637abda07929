"""A notification on the desktop, by what the system has; none if it has nothing.

Texts reach the program as arguments or in its environment, never through a shell. Nobody waits for it.
"""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from ..child_process import NO_WINDOW

APP_NAME = "LatentMan"


@dataclass(frozen=True, slots=True)
class Note:
    """What the user is told; a title does not begin with "-"."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Way:
    """How a system shows a note: a program, its arguments, and what is added to its environment."""

    program: str
    arguments: Callable[[Note], tuple[str, ...]]
    environment: Callable[[Note], dict[str, str]] = lambda note: {}


def _notify_send(note: Note) -> tuple[str, ...]:
    # The text of a freedesktop notification is markup; its title is not.
    return (f"--app-name={APP_NAME}", "--", note.title, html.escape(note.text, quote=False))


_APPLE_SCRIPT = ("on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run")


def _osascript(note: Note) -> tuple[str, ...]:
    lines = [word for line in _APPLE_SCRIPT for word in ("-e", line)]
    return (*lines, note.title, note.text)


# PowerShell makes one script of all its arguments, so the text comes in its environment.
_TOAST_SCRIPT = "; ".join(
    (
        "$null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications,"
        " ContentType = WindowsRuntime]",
        "$null = [Windows.Data.Xml.Dom.XmlDocument, Windows.Data.Xml.Dom.XmlDocument, ContentType = WindowsRuntime]",
        "$document = [Windows.Data.Xml.Dom.XmlDocument]::new()",
        "$document.LoadXml($env:LATENTMAN_TOAST)",
        "$toast = [Windows.UI.Notifications.ToastNotification]::new($document)",
        "[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($env:LATENTMAN_SENDER).Show($toast)",
    )
)
# Windows shows toasts of registered programs only; PowerShell is one.
_POWERSHELL_ID = r"{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\WindowsPowerShell\v1.0\powershell.exe"


def _powershell(note: Note) -> tuple[str, ...]:
    return ("-NoProfile", "-NonInteractive", "-WindowStyle", "Hidden", "-Command", _TOAST_SCRIPT)


def _powershell_environment(note: Note) -> dict[str, str]:
    lines = "".join(f"<text>{html.escape(line)}</text>" for line in (note.title, note.text))
    toast = f'<toast><visual><binding template="ToastGeneric">{lines}</binding></visual></toast>'
    return {"LATENTMAN_TOAST": toast, "LATENTMAN_SENDER": _POWERSHELL_ID}


# By sys.platform.
WAYS: dict[str, Way] = {
    "linux": Way("notify-send", _notify_send),
    "darwin": Way("osascript", _osascript),
    "win32": Way("powershell", _powershell, _powershell_environment),
}


class Notifier:
    """Shows notes, and reaps the programs that did."""

    def __init__(self, platform: str = sys.platform) -> None:
        self._way = WAYS.get(platform)
        self._running: list[subprocess.Popen[bytes]] = []

    def show(self, note: Note) -> bool:
        """Show it without waiting; False if the system has no program for it or it does not start."""
        self.step()
        program = None if self._way is None else shutil.which(self._way.program)
        if self._way is None or program is None:
            return False
        try:
            process = subprocess.Popen(
                (program, *self._way.arguments(note)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **self._way.environment(note)},
                start_new_session=sys.platform != "win32",
                creationflags=NO_WINDOW,
            )
        except OSError:
            return False
        self._running.append(process)
        return True

    def step(self) -> None:
        """Reap the programs that have ended."""
        self._running = [process for process in self._running if process.poll() is None]

    def close(self) -> None:
        """End those that still run. Harmless when called twice."""
        for process in self._running:
            process.kill()
            process.wait()
        self._running = []
