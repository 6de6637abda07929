"""What a finished shot leaves beside its frames: the job files and `result.json`, from which the report is made.

OUTPUT/METHOD/job.json        the job in its canonical form
OUTPUT/METHOD/measured.json   how long it has taken so far, over all runs
OUTPUT/METHOD/atlas.png       where the job left one (`shared.jobs.result_files`)
OUTPUT/job.json               the job of the last method that was asked for; `--job` reads it back
OUTPUT/result.json            timings in seconds, digests by frame number, folders relative to OUTPUT; `width` and
                              `height` are the job's, `frame_size` that of the frames
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..shared.files.frame_files import prepare_output_folder, write_atomic
from ..shared.jobs.job import Job, canonical_json
from ..shared.methods.finish import frame_size
from .request import GenerateRequest

RESULT_SCHEMA = 1
RESULT_FILE = "result.json"
JOB_FILE = "job.json"
MEASURED_FILE = "measured.json"


@dataclass(frozen=True, slots=True)
class MethodResult:
    """One method: `seconds` is the time from its start to its end, over all runs that worked on it; `received` counts
    the frames that came over the wire in this run, the others lay here already; `files` has the digests of the result
    files by their names, `notes` what was chosen for the user."""

    method: str
    job_id: str
    seconds: float
    received: int
    frames: dict[int, str]  # frame -> SHA-256 of the PNG file
    files: dict[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShotResult:
    """A whole shot."""

    server: str
    passes_s: float  # of this run, as the total
    total_s: float
    passes: dict[int, str]  # frame -> SHA-256 of the EXR file
    methods: tuple[MethodResult, ...]


def write_job_files(request: GenerateRequest, jobs: Sequence[Job]) -> None:
    """Write each method's job file, and the last one's as the shot's. Raises LatentManError `storage.*`."""
    for job in jobs:
        folder = prepare_output_folder(request.frames_folder(job.method))
        write_atomic(folder / JOB_FILE, canonical_json(job))
    write_atomic(request.output / JOB_FILE, canonical_json(jobs[-1]))


def measured_seconds(folder: Path, job_id: str) -> float:
    """What earlier runs have written down of a job in its frames' folder; 0 if there is nothing of this job."""
    try:
        value = json.loads((folder / MEASURED_FILE).read_bytes())
        return float(value["seconds"]) if value["job_id"] == job_id else 0.0
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


def write_measured(folder: Path, job_id: str, seconds: float) -> None:
    """Write down how long a job has taken so far. Raises LatentManError `storage.*`."""
    document = {"job_id": job_id, "seconds": round(seconds, 3)}
    write_atomic(folder / MEASURED_FILE, json.dumps(document).encode())


def write_result(request: GenerateRequest, result: ShotResult) -> None:
    """Write `result.json`. Raises LatentManError `storage.*`."""
    template = request.template
    width, height = frame_size(template.finish, template.width, template.height)
    document = {
        "schema": RESULT_SCHEMA,
        "server": result.server,
        "host": request.host,
        "engine": request.engine,
        "frames": list(request.template.frames),
        "fps": request.template.fps,
        "width": template.width,
        "height": template.height,
        "frame_size": {"width": width, "height": height},
        "seconds": {"passes": round(result.passes_s, 3), "total": round(result.total_s, 3)},
        "passes": {"folder": _relative(request), "frames": result.passes},
        "methods": [
            {**asdict(one), "seconds": round(one.seconds, 3), "folder": one.method, "job": f"{one.method}/{JOB_FILE}"}
            for one in result.methods
        ],
    }
    write_atomic(request.output / RESULT_FILE, json.dumps(document, indent=1).encode())


def _relative(request: GenerateRequest) -> str:
    """The passes folder as seen from the output folder, with slashes on every system."""
    return Path(os.path.relpath(request.passes_folder, request.output)).as_posix()
