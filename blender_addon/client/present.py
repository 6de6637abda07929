"""What of a request lies on disk already: looked at, not computed."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..shared.errors import InputError
from ..shared.files.digest import sha256_bytes
from ..shared.files.frame_files import PNG_SIGNATURE, frame_name
from ..shared.jobs.job import Job, parse_job
from .request import GenerateRequest, placeholder_inputs
from .result_file import JOB_FILE


@dataclass(frozen=True, slots=True)
class MethodPresent:
    """One method's frames that are there; `same_settings` is False if they were made with other settings."""

    method: str
    frames: int
    same_settings: bool


@dataclass(frozen=True, slots=True)
class Present:
    """Files of earlier runs in a request's folders. Which of them still hold depends on pose and camera, and is only
    known when the shot is evaluated."""

    passes: int
    methods: tuple[MethodPresent, ...]


def look_for_present(request: GenerateRequest) -> Present:
    """Count the passes and frames of the request that are there."""
    frames = request.template.frames
    methods = []
    for method in request.methods:
        folder = request.frames_folder(method)
        there = sum((folder / frame_name(frame)).is_file() for frame in frames)
        wanted = request.job(method, request.template.inputs)
        methods.append(MethodPresent(method, there, equal_settings(stored_job(folder), wanted)))
    passes = sum((request.passes_folder / frame_name(frame, ".exr")).is_file() for frame in frames)
    return Present(passes, tuple(methods))


def stored_job(folder: Path) -> Job | None:
    """The job whose frames lie in a folder; None if that is not known."""
    try:
        return parse_job((folder / JOB_FILE).read_bytes())
    except (OSError, InputError):
        return None


def equal_settings(one: Job | None, other: Job | None) -> bool:
    """Whether two jobs differ in their inputs at most."""
    if one is None or other is None:
        return False
    inputs = placeholder_inputs(1)
    return dataclasses.replace(one, inputs=inputs) == dataclasses.replace(other, inputs=inputs)


class FrameLook:
    """Finds the PNG files that an earlier run left, a few at a time; the backend says which of them belong to the job.

    `found` has their SHA-256 by frame.
    """

    def __init__(self, folder: Path, frames: Sequence[int]) -> None:
        self._folder = folder
        self._to_do = deque(frames)
        self.found: dict[int, str] = {}

    def step(self, limit: float) -> bool:
        """Read files until `limit` on the monotonic clock; True once all have been looked at."""
        while self._to_do and time.monotonic() < limit:
            self._look_at(self._to_do.popleft())
        return not self._to_do

    def _look_at(self, frame: int) -> None:
        path = self._folder / frame_name(frame)
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if data.startswith(PNG_SIGNATURE):
                self.found[frame] = sha256_bytes(data)
