"""What `--video` writes: each method's frames as a video file, by the backend's program on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..client.backend_command import BackendCommand
from ..client.generate_job import GenerateJob
from ..client.request import GenerateRequest
from ..client.video_process import VIDEO_SUFFIX, VideoOrder, VideoProcess
from ..shared.errors import CancelledError, InputError
from ..shared.files.frame_files import shown_path
from ..shot.generation import BackendChoice
from ..shot.video import video_command

BESIDE_FRAMES: Literal[True] = True  # what `--video` is without a file
_SLEEP_S = 0.02


@dataclass(frozen=True, slots=True)
class Videos:
    """The videos of the shots, and the program that writes them."""

    file: Path | None  # None: beside each method's folder
    command: BackendCommand

    def check(self, request: GenerateRequest) -> None:
        """Before anything is rendered: whether the shot's videos have a place. Its output folder is made if it is not
        there. Raises InputError."""
        if self.file is None:
            return
        if len(request.methods) > 1:
            raise InputError(
                "arguments.video",
                f"--video FILE works with one method only, but the methods are {', '.join(request.methods)}.",
                "Give --video without a file: each method's video is then beside its frames.",
            )
        parent = self.file.parent
        if parent != request.output.absolute() and not parent.is_dir():
            raise InputError("arguments.video", f"There is no folder {shown_path(parent)}.", "Create it first.")

    def write(self, job: GenerateJob, stopped: Callable[[], bool]) -> dict[str, Path]:
        """Write those of a finished shot and return their places, by method; `stopped` says when to give up. Raises
        LatentManError."""
        written = {}
        for made, _ in job.results:
            frames = job.request.frames_folder(made.method)
            written[made.method] = self.file or frames.with_name(f"{frames.name}{VIDEO_SUFFIX}")
            _write(self.command, VideoOrder(frames, written[made.method]), stopped)
        return written


def asked_videos(given: Path | Literal[True] | None, choice: BackendChoice, shots: int) -> Videos | None:
    """What was asked for, before anything is rendered; None if no video was. Raises InputError if it cannot be
    written."""
    if given is None:
        return None
    if not isinstance(given, Path):
        return Videos(None, video_command(choice))
    path = given.absolute()
    if path.suffix.lower() != VIDEO_SUFFIX:
        raise InputError("arguments.video", f"{shown_path(given)} does not end in {VIDEO_SUFFIX}.", "Name an mp4 file.")
    if shots > 1:
        raise InputError("arguments.video", "--video FILE works with one shot only.", "Give --video without a file.")
    return Videos(path, video_command(choice))


def _write(command: BackendCommand, order: VideoOrder, stopped: Callable[[], bool]) -> None:
    process = VideoProcess()
    try:
        process.start(command, order)
        while process.step():
            if stopped():
                raise CancelledError(
                    "job.cancelled", "Stopped. The frames are kept; run the same command again to continue."
                )
            time.sleep(_SLEEP_S)
    finally:
        process.close()
