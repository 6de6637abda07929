"""`latentman submit JOB.json PASSES_DIR --output DIR`: run a job on a backend and put its frames in place."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from backend.commands.base.connection import CLIENT_NAME, Link
from backend.commands.base.model_arguments import add_model_arguments, chosen_files, chosen_model
from backend.commands.base.private_backend import private_backend
from backend.server.paths import default_work_folder
from shared.errors import EXIT_CANCELLED, EXIT_DONE, InputError
from shared.files.digest import sha256_file
from shared.files.frame_files import FIRST_FRAME, LAST_FRAME, frame_name, prepare_output_folder, put_frame
from shared.files.strict_json import StrictJSONError, convert, dump_json, parse_json
from shared.jobs.job import Job, JobInputs, parse_job, unread_names, validate_job, with_model_at
from shared.jobs.keyed_prompts import read_prompts
from shared.jobs.result_files import drop_result_files, put_result_file
from shared.protocol.client import events as events
from shared.protocol.client.job_client import JobClient
from shared.protocol.launch import ConnectionInfo

SHOT_FILE = "shot.json"
VERTICES_FILE = "vertices.npy"
CHARTS_FILE = "charts.npz"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("job", type=Path, help="job file; inputs that it does not name are taken from PASSES_DIR")
    parser.add_argument("passes", type=Path, help="rendered passes: 0001.exr ..., shot.json, vertices.npy, charts.npz")
    parser.add_argument("--output", type=Path, required=True, help="folder for the frames")
    parser.add_argument(
        "--connection-file", type=Path, help="connection file of the backend to use (default: start one for this job)"
    )
    parser.add_argument("--work", type=Path, default=None, help="work folder of the backend started for this job")
    parser.add_argument("--prompts", type=Path, metavar="FILE", help="keyed prompts to use instead of the job's prompt")
    add_model_arguments(parser, "to use instead of the job's")


def run(arguments: argparse.Namespace) -> int:
    """Submit the job and save each frame as it arrives. Running the same command again continues."""
    output = prepare_output_folder(arguments.output)
    sources, job = read_job(arguments.job, arguments.passes)
    job = with_prompts(with_model(job, arguments), arguments.prompts)
    with contextlib.ExitStack() as stack:
        where: Path | ConnectionInfo
        if arguments.connection_file is None:
            backend = private_backend(arguments.work or default_work_folder())
            where = stack.enter_context(backend).info
        else:
            where = arguments.connection_file
        client = JobClient(CLIENT_NAME)
        for source in sources:
            client.add_input(source)
        link = stack.enter_context(Link(client, where))
        stop = stack.enter_context(_interrupts())
        return _follow(link, job, output, stop)


def read_job(path: Path, passes: Path) -> tuple[list[Path], Job]:
    """The job with its inputs' digests, and the input files. Raises InputError naming the file at fault."""
    try:
        raw: Any = parse_json(path.read_bytes())
        if isinstance(raw, dict) and "latentman_shot" in raw:
            raise InputError(
                "job.shot", f"{path} is a shot saved in the panel, not a job.", "Run it in Blender: --job FILE."
            )
        frames = convert(_object(raw).get("frames"), tuple[int, ...])
    except OSError as error:
        raise InputError("job.unreadable", f"The job file {path} cannot be read: {error.strerror or error}.") from error
    except StrictJSONError as error:
        raise InputError("job.invalid", f"{path} is not a job file: {error}.", "Write it again.") from error
    if any(not FIRST_FRAME <= frame <= LAST_FRAME for frame in frames):
        what = f"{path} has a frame outside {FIRST_FRAME} to {LAST_FRAME}."
        raise InputError("job.frames", what, "Change its frames.")
    files = [passes / frame_name(frame, ".exr") for frame in frames]
    extra = [passes / name for name in (SHOT_FILE, VERTICES_FILE, CHARTS_FILE)]
    sources = [*files, *extra]
    for source in sources:
        if not source.is_file():
            raise InputError("passes.missing", f"{source} is missing.", "Render the passes of every frame of the job.")
    shot, vertices, charts = (sha256_file(file) for file in extra)
    inputs = JobInputs(tuple(sha256_file(file) for file in files), shot, vertices, charts)
    raw.setdefault("inputs", dataclasses.asdict(inputs))
    job = with_model_at(parse_job(dump_json(raw)), path.absolute().parent)
    for key in unread_names(raw):
        print(f"latentman: {key[:60]!r} in {path} is not a setting of a job and was ignored.", file=sys.stderr)
    if job.inputs != inputs:
        raise InputError(
            "passes.differ",
            f"The files in {passes} are not the inputs that {path} names.",
            "To use these files, remove `inputs` from the job file.",
        )
    return sources, job


def _object(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict) or "frames" not in raw:
        raise StrictJSONError("it has no frames")
    return raw


def with_model(job: Job, arguments: argparse.Namespace) -> Job:
    """The job with the model and files that the command line names instead of its own. Raises InputError."""
    changed = dataclasses.replace(
        job, model=chosen_model(arguments) or job.model, model_files=chosen_files(arguments, job.model_files)
    )
    validate_job(changed)
    return changed


def with_prompts(job: Job, path: Path | None) -> Job:
    """The job with a file's keyed prompts, if one is given. Raises InputError."""
    if path is None:
        return job
    changed = dataclasses.replace(job, prompts=read_prompts(path))
    validate_job(changed)
    return changed


def _follow(link: Link, job: Job, output: Path, stop: threading.Event) -> int:
    ticket, files = link.client.submit(job, _present(output, job)), set[str]()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("waiting", total=len(job.frames))
        while True:
            if stop.is_set():
                link.client.cancel(ticket)
            for event in link.step():
                match event:
                    case events.Progress(stage=stage, step=step, steps=steps, frame=frame):
                        bar.update(task, description=f"{stage} {step}/{steps}", completed=frame)
                    case events.FrameReady(frame=number, png=png):
                        put_frame(output, number, png)
                    case events.GaveUp(error=error) | events.Failed(error=error):
                        raise error
                    case events.FileReady(name=name, data=data):
                        put_result_file(output, name, data)
                        files.add(name)
                    case events.Done(notes=notes):
                        return _done(output, files, notes)
                    case events.Cancelled():
                        print("latentman: cancelled.", file=sys.stderr)
                        return EXIT_CANCELLED


def _present(output: Path, job: Job) -> dict[int, str]:
    """The digests of the frames that lie in the folder, by number."""
    paths = {frame: output / frame_name(frame) for frame in job.frames}
    return {frame: sha256_file(path) for frame, path in paths.items() if path.is_file()}


def _done(output: Path, files: set[str], notes: tuple[str, ...]) -> int:
    """All is there: what a job before left beside its frames goes, and the notes are told."""
    drop_result_files(output, files)
    for note in notes:
        print(f"latentman: {note}", file=sys.stderr)
    return EXIT_DONE


@contextlib.contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Ctrl-C asks the job to stop; a second one leaves at once."""
    stop = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
