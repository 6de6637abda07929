"""What a dispatcher of this machine offers beside the port: models kept warm in its workers, and their memory.

The supervisor serves PREPARE, RELEASE and the memory in JOBS with it, and needs it for nothing else.
"""

from __future__ import annotations

from typing import Protocol

from shared.errors import BackendError
from shared.models.files import ModelFiles
from shared.protocol.worker_memory import WorkerMemory


class WarmWorkers(Protocol):
    """Processes that keep a model in memory from job to job."""

    def prepare(self, model: str, files: ModelFiles) -> None:
        """Load a model, with a job's own files, ahead of its first job, if there is a free place."""

    def release(self) -> None:
        """Unload all models. Raises BackendError `backend.busy` while an assignment runs, `backend.no_workers` where
        no model is held here."""

    def memory(self) -> tuple[WorkerMemory, ...]:
        """What the workers that are alive have said of their memory."""
        ...

    def workers(self) -> int:
        """How many worker processes are alive."""
        ...


class NoWorkers:
    """The answers for a dispatcher whose jobs run elsewhere: it holds no model and no memory here."""

    def prepare(self, model: str, files: ModelFiles) -> None:
        """Nothing: a model is loaded where its job runs."""

    def release(self) -> None:
        """Raises BackendError `backend.no_workers`."""
        raise BackendError(
            "backend.no_workers",
            "This backend has no model in memory: its jobs run elsewhere.",
            "Free the memory where the jobs run.",
        )

    def memory(self) -> tuple[WorkerMemory, ...]:
        """No memory is held here."""
        return ()

    def workers(self) -> int:
        """No worker runs here."""
        return 0
