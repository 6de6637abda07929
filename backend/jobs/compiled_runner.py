"""The job runner with the model's blocks compiled: `latentman serve --runner backend.jobs.compiled_runner`.

The first job of a picture size takes minutes longer, the steps after it less. Results are the same up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from backend.jobs import runner, warm_model
from backend.jobs.folder import JobFolder
from backend.jobs.worker_events import WorkerEvent
from backend.models.sd15.compiled import compile_blocks
from shared.models.files import ModelFiles

memory = warm_model.memory


def prepare(model: str, files: ModelFiles) -> None:
    """Load a model ahead of its job. Raises ModelError."""
    compile_blocks(warm_model.warm_model(model, files).components)


def release() -> None:
    """Forget the model, and what was compiled for it."""
    torch.compiler.reset()
    warm_model.release()


def run_job(folder: Path, emit: Callable[[WorkerEvent], None], cancelled: Callable[[], bool]) -> None:
    """Run the job in `folder` to its end; see `runner.run_job`."""
    job = JobFolder(folder).job()
    compile_blocks(warm_model.warm_model(job.model, job.model_files).components)
    runner.run_job(folder, emit, cancelled)
