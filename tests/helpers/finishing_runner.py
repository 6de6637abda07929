"""The job runner with a toy lock (`toy_finish`): `latentman run-job FOLDER --runner tests.helpers.finishing_runner`."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from backend.jobs import engines
from backend.jobs.runner import DiffusionRunner
from backend.jobs.runners import Asked, Emit
from backend.loop.method import Finish
from backend.passes.shot_passes import ShotPasses
from shared.jobs.job import Job
from shared.methods import method_named
from shared.methods.finish import is_locked
from shared.models.files import ModelFiles
from shared.protocol.worker_memory import WorkerMemory
from tests.helpers.toy_finish import MeanFinish


def toy_lock(job: Job, passes: ShotPasses) -> Finish | None:
    """The mean of the frames as a lock."""
    return MeanFinish() if is_locked(method_named(job.method), job.finish) else None


class FinishingRunner:
    """The runner of every engine, with the toy for the lock."""

    def __init__(self) -> None:
        self.runner = DiffusionRunner()

    def run(self, folder: Path, emit: Emit, cancelled: Asked, segment: int | None = None) -> None:
        """As `DiffusionRunner.run`."""
        with patch.object(engines, "job_finish", toy_lock):
            self.runner.run(folder, emit, cancelled, segment)

    def prepare(self, model: str, files: ModelFiles) -> None:
        """As `DiffusionRunner.prepare`."""
        self.runner.prepare(model, files)

    def release(self) -> None:
        """As `DiffusionRunner.release`."""
        self.runner.release()

    def memory(self) -> WorkerMemory:
        """As `DiffusionRunner.memory`."""
        return self.runner.memory()


RUNNER = FinishingRunner()
