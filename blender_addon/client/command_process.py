"""A command of `latentman` that makes one file: a process that is looked at now and then, never waited for. No bpy.

It is started with `--json`, and tells its progress and its end by lines (`shared.protocol.command_lines`).
"""

from __future__ import annotations

import os
import queue
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO

from ..child_process import KILL_WAIT_S, NEW_GROUP, NO_WINDOW, kill_group, pump_lines
from ..shared.errors import BackendError, InputError, error_of
from ..shared.files.frame_files import PART_SUFFIX
from ..shared.protocol.command_lines import Failed, Line, Step, Written, read_line
from .backend_command import BackendCommand

_LINE_LENGTH = 300


class CommandProcess:
    """One run of a command at a time."""

    def __init__(self) -> None:
        self.progress: Step | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._target: Path | None = None
        self._said: IO[bytes] | None = None  # what it prints for people
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader: threading.Thread | None = None
        self._end: Written | Failed | None = None

    @property
    def running(self) -> bool:
        """Whether a command is under way."""
        return self._process is not None

    def start(self, command: BackendCommand, *words: str, target: Path) -> None:
        """Begin, and return at once; `target` is the file that it makes.

        Raises InputError while another one runs, BackendError where the program cannot be started.
        """
        if self.running:
            raise InputError("backend.busy", f"{self._target} is still being made.", "Wait for it, or cancel it.")
        self.progress = self._end = None
        self._target, self._said, self._lines = target, tempfile.TemporaryFile(), queue.SimpleQueue()
        # The options come first: what follows "--" is text.
        whole = command.other(words[0], "--output", str(target), "--json", *words[1:])
        try:
            self._process = subprocess.Popen(
                whole,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._said,
                cwd=command.folder,
                env={**os.environ, **dict(command.environment)},
                creationflags=NO_WINDOW | NEW_GROUP,
                start_new_session=True,
            )
        except OSError as error:
            self.close()
            why = f"The backend {whole[0]} could not be started: {error.strerror}."
            raise BackendError("backend.start", why, "Ask the doctor.") from error
        # The thread only moves lines from the pipe; it touches neither Blender nor this object's state.
        self._reader = threading.Thread(target=pump_lines, args=(self._process.stdout, self._lines.put), daemon=True)
        self._reader.start()

    def step(self) -> Written | None:
        """What was made, once; None while it runs, or if nothing runs.

        Raises the command's own error, or BackendError where it ended without a word.
        """
        if self._process is None:
            return None
        while not self._lines.empty():
            data = self._lines.get()
            if data is None:
                return self._ended(self._process.wait())
            self._take(read_line(data.decode("utf-8", "replace")))
        return None

    def close(self) -> None:
        """End what runs, and remove what it has begun to write. Harmless when called twice."""
        if self._process is not None:
            unfinished = self._process.poll() is None
            kill_group(self._process)
            if self._reader is not None:
                self._reader.join(KILL_WAIT_S)
            if self._process.stdout is not None:
                self._process.stdout.close()
            if unfinished and self._target is not None:
                self._target.with_name(f"{self._target.name}{PART_SUFFIX}").unlink(missing_ok=True)
        if self._said is not None:
            self._said.close()
        self._process = self._target = self._said = self._reader = None

    def _take(self, line: Line | None) -> None:
        if isinstance(line, Step):
            self.progress = line
        elif line is not None:
            self._end = line

    def _ended(self, code: int) -> Written:
        said = b""
        if self._said is not None:
            self._said.seek(0)
            said = self._said.read()
        end, last = self._end, said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        self.close()
        if isinstance(end, Failed):
            raise error_of(end)
        if end is None or code:
            sentence = last.removeprefix("latentman: ")[:_LINE_LENGTH] or f"The backend ended with code {code}."
            raise BackendError("backend.command_failed", sentence, "Ask the doctor.")
        return end
