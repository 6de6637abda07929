"""`latentman run-job FOLDER`: one job folder, in this process; events go to stdout as JSON lines, and nothing else."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from types import FrameType

from backend.jobs.runners import DEFAULT_RUNNER, load_runner
from backend.jobs.worker import run_guarded
from backend.jobs.worker_protocol import WorkerLine, write_line
from backend.machine.pipes import claim_stdout, give_stdout_back, write_all
from shared.errors import EXIT_CANCELLED, EXIT_DONE, InputError, error_of
from shared.protocol.job_events import Cancelled, Failed, WorkerEvent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, help="a job folder: job.json and inputs/")
    parser.add_argument("--runner", default=DEFAULT_RUNNER, help="module that runs a job folder (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Run the folder's job. Frames that are there already are kept; Ctrl-C stops it at its next step."""
    return run_folder(arguments.folder, arguments.runner)


def run_folder(path: Path, runner: str, segment: int | None = None) -> int:
    """Run a job folder, or one segment of it; returns the exit code. Raises the error that stopped it."""
    folder = path.absolute()
    if not (folder / "job.json").is_file():
        raise InputError("job.folder", f"{folder} is not a job folder: it has no job.json.")
    loaded, stop, output = load_runner(runner), threading.Event(), claim_stdout()  # libraries print to stderr from here

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    def emit(event: WorkerEvent) -> None:
        write_all(output, write_line(WorkerLine(folder.name, 0, event)))

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        end = run_guarded(loaded, folder, emit, stop.is_set, segment)
    finally:
        signal.signal(signal.SIGINT, before)
        give_stdout_back(output)
    if isinstance(end, Failed):
        raise error_of(end)
    return EXIT_CANCELLED if isinstance(end, Cancelled) else EXIT_DONE
