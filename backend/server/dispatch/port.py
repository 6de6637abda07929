"""The narrow port through which the supervisor gives work away: submit, events, cancel, capacity.

The rules that every dispatcher keeps, each a test of tests/unit/backend/server/dispatch/contract.py:

- an assignment ends in exactly one terminal event or one `Lost`, and nothing is reported for it afterwards;
- an assignment's events come in the order in which they happened, its terminal event last;
- a frame that is reported lies whole in the job's folder;
- a job that is cancelled ends as `Cancelled`, if it dies of that too, unless it ended otherwise just before;
- whoever dies with an assignment loses it: `Lost`, so that it can be assigned again;
- the place of an assignment is free from the moment its end has been reported;
- `events` never blocks; whatever it has to tell wakes the supervisor (`Wakeup`), deadlines by `next_deadline`;
- after `close` nothing runs and nothing is reported.

The supervisor assigns a job to at most one place at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.protocol.job_events import WorkerEvent


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    """What a dispatcher is made with: the runner's module, how many jobs run at once, the folder of its logs, and how
    long a job has to stop when asked before it is ended by force."""

    runner: str
    places: int
    logs: Path
    grace_s: float = 5.0


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
    """Whoever ran the assignment died. `reason` is the rest of a sentence that begins with "The worker", for the user;
    `stable` tells whether it had run for long before that."""

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
        ...

    def cancel(self, job_id: str) -> None:
        """Stop a job; nothing happens where it does not run."""

    def capacity(self) -> int:
        """How many assignments can be taken now."""
        ...

    def next_deadline(self) -> float | None:
        """When, on the monotonic clock, `events` must be called again even if nothing wakes the loop."""
        ...

    def close(self) -> None:
        """End everything that runs; nothing is reported any more."""
