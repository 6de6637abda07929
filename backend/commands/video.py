"""`latentman video FOLDER`: the frames of a take as one video file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.measure.report.video import write_video
from shared.errors import InputError
from shared.files.frame_files import frame_name, is_file
from shared.jobs.frame_range import format_frames, held_for
from shared.jobs.job import Job, parse_job

JOB_FILE = "job.json"
FPS_RANGE = (1.0, 1000.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "folder", type=Path, help="folder of a method's frames and job.json, in a take or output folder"
    )
    parser.add_argument("--fps", type=float, metavar="N", help="frames per second (default: the take's)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the mp4 file (default: FOLDER.mp4)")


def run(arguments: argparse.Namespace) -> int:
    """Write the video, whole or not at all, and print its place."""
    folder = arguments.folder.absolute()
    target = arguments.output or folder.with_name(f"{folder.name}.mp4")
    job = take_job(folder)
    fps = job.fps if arguments.fps is None else arguments.fps
    if not FPS_RANGE[0] <= fps <= FPS_RANGE[1]:
        raise InputError("arguments.fps", f"The frame rate {fps:g} is not between 1 and 1000.", "For example 24.")
    check_frames(folder, job)
    write_video(target, _pictures(folder, job), fps, held_for(job.frames))
    print(f"latentman: wrote {target}.", file=sys.stderr)
    return 0


def take_job(folder: Path) -> Job:
    """The job whose frames lie in a folder. Raises InputError where there is no folder, or no job in it."""
    if not folder.is_dir():
        raise InputError("video.folder", f"There is no folder {folder}.", "Choose the folder of a take's frames.")
    try:
        return parse_job((folder / JOB_FILE).read_bytes())
    except OSError as error:
        raise InputError(
            "video.folder",
            f"{folder} has no {JOB_FILE}.",
            "Choose the folder of a take's frames, for example take-001/NAME.",
        ) from error


def check_frames(folder: Path, job: Job) -> None:
    """Raise InputError where a frame of the job is not there."""
    missing = tuple(frame for frame in job.frames if not is_file(folder / frame_name(frame)))
    if not missing:
        return
    inside = folder / job.method
    if len(missing) == len(job.frames) and inside.is_dir():
        raise InputError("video.folder", f"The frames are not in {folder} itself.", f"Give {inside}.")
    frames = f"frame{'s' if len(missing) > 1 else ''} {format_frames(missing)}"
    raise InputError(
        "video.frames",
        f"{folder} is missing {frames} of its {len(job.frames)} frames.",
        "Resume the take, then save the video.",
    )


def _pictures(folder: Path, job: Job) -> Iterator[NDArray[np.uint8]]:
    """The frames in order, (height, width, 3), read as they are needed; all of the first one's size."""
    size: tuple[int, int] | None = None
    for frame in job.frames:
        path = folder / frame_name(frame)
        try:
            with Image.open(path) as image:
                picture = np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError) as error:  # Pillow's errors for a file that is cut off or no picture
            raise InputError("video.frame", f"{path} is not a complete picture.", "Generate the take again.") from error
        height, width = picture.shape[:2]
        if size is not None and size != (width, height):
            raise InputError(
                "video.size",
                f"{path} has {width}x{height} pixels, but the frames before it have {size[0]}x{size[1]}.",
                "Generate the take again.",
            )
        size = width, height
        yield picture
