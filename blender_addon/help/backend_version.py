"""Which version the backend has, and whether it is the add-on's."""

from __future__ import annotations

import re

from ..client.backend_command import BackendCommand
from .answer import Answer


class BackendVersion:
    """The version of one backend at a time: each program is asked once, in a process of its own."""

    def __init__(self) -> None:
        self._answer = Answer()
        self._command: BackendCommand | None = None
        self._known: dict[tuple[str, ...], str] = {}

    @property
    def running(self) -> bool:
        """Whether an answer is still to come."""
        return self._answer.running

    def of(self, command: BackendCommand) -> str:
        """Its version; empty while it is not known, and if it does not say."""
        return self._known.get(command.words, "")

    def ask(self, command: BackendCommand) -> None:
        """Start asking, unless this program was asked before; `step` takes the answer."""
        if command.words in self._known or (self.running and command == self._command):
            return
        self._command = command
        try:
            self._answer.ask(command, "--version")
        except OSError:
            self._known[command.words] = ""

    def step(self) -> None:
        """Take the answer once it is there."""
        text = self._answer.take()
        if text is not None and self._command is not None:
            found = re.fullmatch(r"latentman (\d+(?:\.\w+)*)", text.strip())
            self._known[self._command.words] = found[1] if found else ""

    def forget(self) -> None:
        """Ask again: another version may have been installed in the same place."""
        self._known = {}

    def close(self) -> None:
        """End what runs. Harmless when called twice."""
        self._answer.close()


def why_not_this_version(backend: str, addon: str) -> str:
    """What is wrong with a backend's version beside the add-on's, in one sentence; empty if nothing is wrong or the
    backend's version is not known."""
    if not backend or _numbers(backend) == _numbers(addon):
        return ""
    if _numbers(backend) < _numbers(addon):
        return f"The backend {backend} is older than the add-on {addon}: install the backend again."
    return f"The backend {backend} is newer than the add-on {addon}: update the add-on."


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
