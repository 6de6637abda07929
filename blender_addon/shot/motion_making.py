"""The one motion that the backend's program is making, and what becomes of it in the scene."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ..client.command_process import CommandProcess
from ..help.places import MOTION
from ..shared.errors import LatentManError
from ..shared.files.frame_files import file_error
from ..shared.protocol.command_lines import Step, Written
from ..typed_bpy import windows
from .generation import BackendChoice
from .problems import Problems
from .video import video_command

_BLOCKING_SLEEP_S = 0.02
Receive = Callable[[Written], None]  # puts what was made into the scene; may raise LatentManError


class MotionMaking:
    """A part of the one `Generation`: stepped by its timer, closed with it and when another file is opened."""

    def __init__(self) -> None:
        self.label = ""
        self._process = CommandProcess()
        self._receive: Receive | None = None

    @property
    def running(self) -> bool:
        """Whether a motion is being made."""
        return self._process.running

    @property
    def progress(self) -> Step | None:
        """How far it is; None before the first step."""
        return self._process.progress

    @property
    def why_busy(self) -> str:
        """Why a button that makes a motion is grey; empty while none is being made."""
        return f"Wait until {self.label!r} is done, or cancel it" if self.running else ""

    def start(self, choice: BackendChoice, words: tuple[str, ...], target: Path, label: str, receive: Receive) -> None:
        """Begin, and return at once; `receive` gets what was made, in the main thread. Raises LatentManError."""
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise file_error(error) from error
        self._process.start(video_command(choice), *words, target=target)
        self.label, self._receive = label, receive

    def step(self, problems: Problems) -> None:
        """Look at it; what went wrong stands in the panel."""
        try:
            self._step()
        except LatentManError as error:
            problems.say(error, MOTION)

    def finish(self) -> None:
        """For scripts: wait until it is made and in the scene. Raises LatentManError."""
        while self.running:
            self._step()
            time.sleep(_BLOCKING_SLEEP_S)

    def close(self) -> None:
        """Stop it, now. Harmless when called twice."""
        self._process.close()
        self._receive = None

    def _step(self) -> None:
        written = self._process.step()
        if written is not None and self._receive is not None:
            receive, self._receive = self._receive, None
            receive(written)


def in_window() -> Any:
    """A context in which operators run from a timer: the first window's, the present one in the background."""
    shown = windows()
    return bpy.context.temp_override(window=shown[0]) if shown else bpy.context.temp_override()
