"""The smallest dispatcher that keeps the contract: a thread a job, in this process."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from backend.jobs.runners import Runner
from backend.jobs.worker import run_guarded
from backend.server.dispatch.port import Assignment, DispatchEvent, Lost, Report
from backend.server.wakeup import Wakeup
from shared.protocol.job_events import Cancelled, WorkerEvent
from tests.helpers.server_rig import GUARD_S
from tests.unit.backend.server.dispatch.contract import is_end


@dataclass(frozen=True)
class _Job:
    assignment: Assignment
    thread: threading.Thread
    stop: threading.Event
    dead: threading.Event = field(default_factory=threading.Event)


class ThreadDispatcher:
    """Implements `Dispatcher`, and nothing else."""

    def __init__(self, runner: Runner, places: int, wakeup: Wakeup) -> None:
        self._runner = runner
        self._places = places
        self._wakeup = wakeup
        self._jobs: dict[str, _Job] = {}
        self._events: SimpleQueue[tuple[Assignment, DispatchEvent]] = SimpleQueue()

    def submit(self, assignment: Assignment) -> None:
        stop = threading.Event()
        thread = threading.Thread(target=self._work, args=(assignment, stop), daemon=True)
        self._jobs[assignment.job_id] = _Job(assignment, thread, stop)
        thread.start()

    def events(self) -> list[DispatchEvent]:
        found: list[DispatchEvent] = []
        with contextlib.suppress(Empty):
            while True:
                assignment, event = self._events.get_nowait()
                job = self._jobs.get(assignment.job_id)
                if job is None or job.assignment is not assignment:
                    continue  # it has ended
                if job.dead.is_set() and not is_end(event):
                    continue
                if is_end(event):
                    del self._jobs[assignment.job_id]
                found.append(event)
        return found

    def cancel(self, job_id: str) -> None:
        if job_id in self._jobs:
            self._jobs[job_id].stop.set()

    def capacity(self) -> int:
        return self._places - len(self._jobs)

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        jobs, self._jobs = list(self._jobs.values()), {}
        for job in jobs:
            job.stop.set()
        for job in jobs:
            job.thread.join(GUARD_S)

    def kill(self, job_id: str) -> None:
        """As if the thread were gone: nothing that it says counts any more."""
        job = self._jobs[job_id]
        attempt = job.assignment.attempt
        cancelled = job.stop.is_set()
        end = (
            Report(job_id, attempt, Cancelled()) if cancelled else Lost(job_id, attempt, "it was killed", stable=False)
        )
        job.dead.set()
        self._tell(job.assignment, end)
        job.stop.set()

    def _work(self, assignment: Assignment, stop: threading.Event) -> None:
        def emit(event: WorkerEvent) -> None:
            self._tell(assignment, Report(assignment.job_id, assignment.attempt, event))

        run_guarded(self._runner, assignment.folder, emit, stop.is_set)

    def _tell(self, assignment: Assignment, event: DispatchEvent) -> None:
        self._events.put((assignment, event))
        self._wakeup.set()
