"""A take as a video file: `latentman video`, a process that is looked at now and then, never waited for. No bpy."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..child_process import NO_WINDOW
from ..shared.errors import BackendError, InputError
from ..shared.files.frame_files import PART_SUFFIX
from .backend_command import BackendCommand

VIDEO_SUFFIX = ".mp4"
_LINE_LENGTH = 300
_NAME = "latentman: "  # how its sentences begin


@dataclass(frozen=True, slots=True)
class VideoOrder:
    """Which frames become which file."""

    folder: Path
    target: Path


class VideoProcess:
    """One video at a time; `saved` is the last one that was written."""

    def __init__(self) -> None:
        self.saved: Path | None = None
        self._order: VideoOrder | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether a video is being written."""
        return self._process is not None

    @property
    def target(self) -> Path | None:
        """The file that is being written; None while there is none."""
        return None if self._order is None else self._order.target

    def start(self, command: BackendCommand, order: VideoOrder) -> None:
        """Begin, and return at once. Raises InputError while another one is being written, BackendError where the
        program cannot be started."""
        if self.running:
            raise InputError("video.busy", f"{self.target} is still being written.", "Wait until it is there.")
        self.saved = None
        output = tempfile.TemporaryFile()
        words = command.other("video", str(order.folder), "--output", str(order.target))
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                cwd=command.folder,
                env={**os.environ, **dict(command.environment)},
                creationflags=NO_WINDOW,
            )
        except OSError as error:
            output.close()
            raise BackendError(
                "backend.start", f"The backend {words[0]} could not be started: {error.strerror}.", "Ask the doctor."
            ) from error
        self._order, self._output = order, output

    def step(self) -> bool:
        """Whether it still runs. Raises BackendError with the program's own sentence where it has failed."""
        if self._process is None or self._order is None or self._output is None:
            return False
        code = self._process.poll()
        if code is None:
            return True
        self._output.seek(0)
        said, target = _sentence(self._output.read()), self._order.target
        self.close()
        if code:
            raise BackendError("video.failed", said or f"{target} was not written: the backend ended with code {code}.")
        self.saved = target
        return False

    def close(self) -> None:
        """End what runs, and remove what it has begun to write. Harmless when called twice."""
        if self._process is not None and self._order is not None:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
                self._order.target.with_name(f"{self._order.target.name}{PART_SUFFIX}").unlink(missing_ok=True)
            self._process.wait()
        if self._output is not None:
            self._output.close()
        self._order = self._process = self._output = None


def _sentence(said: bytes) -> str:
    """The last line of what the program said, without its name."""
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].removeprefix(_NAME)[:_LINE_LENGTH] if lines else ""
