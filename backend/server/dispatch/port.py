"""The narrow port through which the supervisor gives work away: submit, events, cancel, capacity.

Local worker processes are its first implementation (`local_workers`); a cluster engine is another.
The rules of the port: each assignment ends in exactly one terminal event or one `Lost`; nothing is reported for it
afterwards; `job_id` is assigned to at most one place at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from backend.jobs.worker_events import WorkerEvent
from shared.models.files import ModelFiles
from shared.protocol.worker_memory import WorkerMemory


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt at one job; everything it needs lies in `folder`."""

    job_id: str
    attempt: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Report:
    """An event of an assignment."""

    job_id: str
    attempt: int
    event: WorkerEvent


@dataclass(frozen=True, slots=True)
class Lost:
    """Whoever ran the assignment died; `stable` tells whether it had run for long before that."""

    job_id: str
    attempt: int
    reason: str
    stable: bool


DispatchEvent = Report | Lost


class Dispatcher(Protocol):
    """Somewhere to run jobs."""

    def submit(self, assignment: Assignment) -> None:
        """Start an assignment; call it only while `capacity` is positive."""

    def events(self) -> list[DispatchEvent]:
        """What happened since the last call, in order. Never blocks; also moves deadlines along."""

    def cancel(self, job_id: str) -> None:
        """Stop a job; its terminal event is `Cancelled` unless it ended otherwise just before."""

    def capacity(self) -> int:
        """How many assignments can be taken now."""

    def prepare(self, model: str, files: ModelFiles) -> None:
        """Load a model, with a job's own files, ahead of its first job, if there is a free place."""

    def release(self) -> None:
        """Unload all models. Raises BackendError `backend.busy` while an assignment runs."""

    def memory(self) -> tuple[WorkerMemory, ...]:
        """What the workers that are alive have said of their memory."""

    def next_deadline(self) -> float | None:
        """When, on the monotonic clock, `events` must be called again even if nothing wakes the loop."""

    def workers(self) -> int:
        """How many worker processes are alive."""

    def close(self) -> None:
        """End everything that runs; nothing is reported any more."""
