"""The backend as a process of our own: keys over its standard input, the port over its standard output.

Nothing secret is in its arguments, its environment or a file. The closing of its standard input ends it, so it cannot
outlive this process, however this process ends.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from ..child_process import KILL_WAIT_S, NEW_GROUP, kill_group, pump_lines
from ..shared.errors import BackendError, LatentManError
from ..shared.files.frame_files import storage_error
from ..shared.protocol.client.transport import LaunchKeys
from ..shared.protocol.launch import ConnectionInfo, parse_reply, path_text
from ..shared.protocol.process_end import OUT_OF_MEMORY_HINT, how_it_ended, probably_out_of_memory
from .backend_command import BackendCommand

START_LIMIT_S = 60.0
CLIENT_NAME = "Blender"  # as whoever finds the folder in use is told
LOG_FILE = "backend.log"
_END_WAIT_S = 20.0  # the backend may wait that long for its worker
_START_HINT = "Check which backend the preferences name. The log and the doctor say more."
_SLOW_HINT = "Start it again: a slow disk may need longer the first time. The log says how far it got."
_DIED_HINT = "Finished frames are kept: resume. If it ends again, the log and the doctor say more."
_MEMORY_HINT = f"Finished frames are kept. {OUT_OF_MEMORY_HINT}"


class BackendProcess:
    """A running backend; a `ConnectionSource`."""

    def __init__(self, command: BackendCommand, work_folder: Path, now: float) -> None:
        """Start it, and return at once. Raises BackendError if it cannot be started."""
        self._command = command
        self._started_at = now
        self._connection: ConnectionInfo | None = None
        self._closed = False
        self._reaper: threading.Thread | None = None
        self._log_file = work_folder / LOG_FILE
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._keys = LaunchKeys.make()
        self._process = _start(command, work_folder, self._log_file)
        # The thread only moves lines from the pipe; it touches neither Blender nor this object's state.
        self._reader = threading.Thread(target=pump_lines, args=(self._process.stdout, self._lines.put), daemon=True)
        self._reader.start()
        _write_line(self._process, self._keys.request(path_text(work_folder), CLIENT_NAME).line())

    def check(self, now: float) -> None:
        """Raise the backend's own error, or BackendError where it has ended or says nothing for a minute."""
        if self._closed:
            raise BackendError("backend.closed", "The backend was closed.", "Start it again.")
        if self._connection is None:
            self._connection = self._read_connection()
        if self._process.poll() is not None:
            self.end()  # not `close`: a thread takes what is left, and Blender need not wait for it
            raise self._death(self._process.returncode)
        if self._connection is None and now - self._started_at > START_LIMIT_S:
            self.end()
            sentence = f"The backend on this machine was started, but did not answer within {START_LIMIT_S:g} s."
            raise BackendError("backend.start_slow", sentence, _SLOW_HINT)

    def find(self, now: float) -> ConnectionInfo | None:
        """Its address and keys once it listens."""
        return self._connection

    @property
    def ended(self) -> bool:
        """Whether the process has ended after `end` or `close`, and all that belonged to it is given back."""
        return self._closed and (self._reaper is None or not self._reaper.is_alive())

    def end(self) -> None:
        """As `close`, but the waiting is done by a thread, which touches nothing but the process."""
        if self._closed:
            return
        self._closed = True
        self._reaper = threading.Thread(target=self._reap, daemon=True)
        self._reaper.start()

    def close(self) -> None:
        """Close its standard input, wait until it has ended, and kill it if it has not. Harmless when called twice."""
        if not self._closed:
            self._closed = True
            self._reap()
        elif self._reaper is not None:
            self._reaper.join()

    def kill(self) -> None:
        """End it now. Nothing is lost: what it has journaled is whole, and its workers end when its pipes close."""
        self.end()
        kill_group(self._process)
        self.close()

    def _reap(self) -> None:
        with contextlib.suppress(OSError):
            _standard_input(self._process).close()
        try:
            self._process.wait(_END_WAIT_S)
        except subprocess.TimeoutExpired:
            kill_group(self._process)
        self._reader.join(KILL_WAIT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read_connection(self) -> ConnectionInfo | None:
        try:
            line = self._lines.get_nowait()
        except queue.Empty:
            return None
        if line is None:  # its output has ended without a word: it is ending
            return None
        try:
            reply = parse_reply(line)
        except LatentManError:
            self.end()
            raise
        return self._keys.connection(reply.port)

    def _death(self, code: int) -> BackendError:
        """What is told of a backend that has ended: before it listened the command is at fault, after that the
        machine. Its log stays a file, which the panel opens."""
        if self._connection is None:
            sentence = f"The backend ({self._command.program}) {how_it_ended(code)} before it was ready."
            return BackendError("backend.start_failed", sentence, _START_HINT)
        sentence = f"The backend (process {self._process.pid} on this machine) {how_it_ended(code)}."
        return BackendError("backend.died", sentence, _MEMORY_HINT if probably_out_of_memory(code) else _DIED_HINT)


def _start(command: BackendCommand, work_folder: Path, log_file: Path) -> subprocess.Popen[bytes]:
    try:
        work_folder.mkdir(parents=True, exist_ok=True)
        log = log_file.open("wb")
    except OSError as error:
        raise storage_error(error, work_folder) from error
    with log:
        try:
            # A session of its own: Ctrl-C in the terminal is for us, and the backend ends with our pipe.
            return subprocess.Popen(
                command.words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=command.folder,
                env={**os.environ, **dict(command.environment)},
                start_new_session=sys.platform != "win32",
                creationflags=NEW_GROUP,
            )
        except OSError as error:
            raise BackendError(
                "backend.start", f"The backend {command.words[0]} could not be started: {error.strerror}.", _START_HINT
            ) from error


def _standard_input(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise BackendError("backend.start", "The backend was started without a pipe.")
    return process.stdin


def _write_line(process: subprocess.Popen[bytes], line: bytes) -> None:
    """Write one short line past any buffer. Where the process has died already, `check` reports it: the signal that
    such a write raises would end Blender, which unlike Python does not ignore it."""
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN) if hasattr(signal, "SIGPIPE") else None
    try:
        with contextlib.suppress(OSError):
            os.write(_standard_input(process).fileno(), line)
    finally:
        if before is not None:
            signal.signal(signal.SIGPIPE, before)
