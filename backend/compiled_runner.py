"""The job runner with the model's blocks compiled: `latentman serve --runner backend.compiled_runner`.

The first job of a picture size takes minutes longer, the steps after it less. Results are the same up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from backend import job_runner
from backend.diffusion.compiled import compile_blocks
from backend.job_folder import JobFolder
from backend.server.worker_events import WorkerEvent
from shared.model_files import ModelFiles


def prepare(model: str) -> None:
    """Load a model ahead of its job. Raises ModelError."""
    compile_blocks(job_runner.warm_model(model, ModelFiles()).components)


def run_job(folder: Path, emit: Callable[[WorkerEvent], None], cancelled: Callable[[], bool]) -> None:
    """Run the job in `folder` to its end; see `job_runner.run_job`."""
    job = JobFolder(folder).job()
    compile_blocks(job_runner.warm_model(job.model, job.model_files).components)
    job_runner.run_job(folder, emit, cancelled)
