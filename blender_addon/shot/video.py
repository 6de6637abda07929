"""Which program writes videos, and where a take's video goes."""

from __future__ import annotations

from pathlib import Path

from ..client.backend_command import BackendCommand
from ..client.video_process import VIDEO_SUFFIX
from ..shared.errors import InputError
from .generation import BackendChoice, backend_command


def video_command(choice: BackendChoice) -> BackendCommand:
    """The `latentman` of this machine, whatever backend makes the frames. Raises InputError if there is none."""
    try:
        return backend_command(choice)
    except InputError as error:
        if choice.connection_file is None:
            raise
        raise InputError(
            "video.no_program",
            "Videos are written on this machine, but there is no latentman command here: the backend in use is reached "
            "by its connection file.",
            "Install the backend here as well, or run latentman video FOLDER where it is installed.",
        ) from error


def video_beside(frames: Path) -> Path:
    """The usual file for the frames of a folder: `take-001.mp4` beside the take's folder, `METHOD.mp4` beside the
    frames of any other."""
    take = frames.parent if frames.parent.name.startswith("take-") else frames
    return take.with_name(f"{take.name}{VIDEO_SUFFIX}")
