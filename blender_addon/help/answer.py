"""A short command's answer: a process that is looked at now and then, never waited for."""

from __future__ import annotations

import subprocess
import tempfile
from typing import IO

from ..child_process import NO_WINDOW
from ..client.backend_command import BackendCommand


class Answer:
    """What one command at a time says."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the answer is still to come."""
        return self._process is not None

    def ask(self, command: BackendCommand, *words: str) -> None:
        """Start one of the backend's commands; `take` brings what it prints. Raises OSError if it cannot start."""
        self.close()
        self._output = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                command.other(*words),
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                cwd=command.folder,
                creationflags=NO_WINDOW,
            )
        except OSError:
            self.close()
            raise

    def take(self) -> str | None:
        """All that it has printed, once it has ended; None before, and after it was taken."""
        if self._process is None or self._process.poll() is None or self._output is None:
            return None
        self._output.seek(0)
        text = self._output.read().decode("utf-8", "replace")
        self.close()
        return text

    def close(self) -> None:
        """End what runs. Harmless when called twice."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
        if self._output is not None:
            self._output.close()
        self._process = self._output = None
