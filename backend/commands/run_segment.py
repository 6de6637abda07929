"""`latentman run-segment FOLDER`: one job folder, in this process; events go to stdout as JSON lines."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from types import FrameType

from backend.jobs.worker import DEFAULT_RUNNER, load_runner, run_guarded
from backend.jobs.worker_events import Cancelled, Failed, WorkerEvent, WorkerLine, write_line
from shared.errors import EXIT_CANCELLED, EXIT_DONE, InputError, error_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, help="a job folder: job.json and inputs/")
    parser.add_argument("--runner", default=DEFAULT_RUNNER, help="module that runs a job folder (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Run the folder's job. Frames that are there already are kept; Ctrl-C stops it at its next step."""
    folder: Path = arguments.folder.absolute()
    if not (folder / "job.json").is_file():
        raise InputError("job.folder", f"{folder} is not a job folder: it has no job.json.")
    stop = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    def emit(event: WorkerEvent) -> None:
        print(write_line(WorkerLine(folder.name, 0, event)).decode("utf-8"), end="", flush=True)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        end = run_guarded(load_runner(arguments.runner), folder, emit, stop.is_set)
    finally:
        signal.signal(signal.SIGINT, before)
    if isinstance(end, Failed):
        raise error_of(end)
    return EXIT_CANCELLED if isinstance(end, Cancelled) else EXIT_DONE
