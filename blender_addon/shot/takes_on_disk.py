"""The take folders of a scene: which is next, and which are finished."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..client.job_file import ShotFile, read_job_file, write_job_file
from ..client.present import stored_job
from ..client.request import PASSES_FOLDER, GenerateRequest
from ..client.result_file import RESULT_FILE
from ..shared.files.digest import sha256_file
from ..shared.jobs.job import Job, JobInputs, normal_job, with_inputs
from ..shared.shot import CHARTS_FILE, SHOT_FILE, VERTICES_FILE

# The shot as it was asked for, from the first moment on: what resuming reads. The batch command takes it as --job.
REQUEST_FILE = "request.json"
_PREFIX = "take-"


@dataclass(frozen=True, slots=True)
class FinishedTake:
    """One method's finished frames in a take folder."""

    folder: Path
    job: Job
    job_id: str
    engine: str
    notes: tuple[str, ...] = ()


def next_take_folder(base: Path) -> Path:
    """`take-001` and so on: the first number after all that are there."""
    return base / f"{_PREFIX}{1 + max((number for number, _ in take_folders(base)), default=0):03d}"


def write_request(request: GenerateRequest, shot: ShotFile) -> None:
    """Write down what was asked for. Raises LatentManError `storage.*`."""
    write_job_file(request.output / REQUEST_FILE, shot)


def stored_request(folder: Path, fps: float, host: str) -> GenerateRequest:
    """The request of a take folder, to resume it. Raises InputError if it cannot be read."""
    return take_request(folder, read_job_file(folder / REQUEST_FILE), fps, host)


def take_request(folder: Path, shot: ShotFile, fps: float, host: str) -> GenerateRequest:
    """The request whose frames go to a take folder; all takes of a scene share their passes."""
    template = replace(shot.job, fps=fps)
    shared = folder.parent / PASSES_FOLDER
    return GenerateRequest(folder, shot.methods, template, shot.engine or "cycles", shared_passes=shared, host=host)


def finished_takes(base: Path) -> list[FinishedTake]:
    """All finished takes below a folder, oldest first. A folder that cannot be read is left out."""
    found = []
    for _, folder in sorted(take_folders(base)):
        try:
            result = json.loads((folder / RESULT_FILE).read_bytes())
            rows = [
                (str(row["method"]), str(row["job_id"]), tuple(map(str, row.get("notes", ()))))
                for row in result["methods"]
            ]
            engine = str(result["engine"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        for method, job_id, notes in rows:
            job = stored_job(folder / method)
            if job is not None and job.method == method:
                found.append(FinishedTake(folder / method, job, job_id, engine, notes))
    return found


def has_take_of(base: Path, wanted: Job, passes: tuple[str, ...]) -> bool:
    """Whether a finished take is of this very job on the passes that lie there, whose SHA-256 are known: then nothing
    would be computed."""
    folder = base / PASSES_FOLDER
    try:
        shot, vertices, charts = (sha256_file(folder / name) for name in (SHOT_FILE, VERTICES_FILE, CHARTS_FILE))
    except OSError:
        return False
    job = normal_job(with_inputs(wanted, JobInputs(passes, shot, vertices, charts)))
    return any(take.job == job for take in finished_takes(base))


def take_folders(base: Path) -> Iterator[tuple[int, Path]]:
    """The take folders with their numbers; none in a folder that cannot be read, which is reported when it is to
    be written to."""
    try:
        there = list(base.glob(f"{_PREFIX}*"))
    except OSError:
        there = []
    for path in there:
        number = path.name.removeprefix(_PREFIX)
        if number.isdigit() and path.is_dir():
            yield int(number), path
