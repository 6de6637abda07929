"""A real backend process with the fake runner, jobs for it, and a client that is driven until something happens."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from backend.commands.base.connection import Link
from backend.commands.base.private_backend import PrivateBackend, private_backend
from shared.files.digest import sha256_bytes
from shared.jobs.job import Job, JobInputs
from shared.protocol.client import events as events
from shared.protocol.client.events import ClientEvent
from shared.protocol.client.job_client import JobClient, Timing
from shared.protocol.launch import ConnectionInfo
from tests.helpers.fake_runner import expected_png

RUNNER = "tests.helpers.fake_runner"
GUARD_S = 60.0  # ends a test that would hang; nothing is measured with it
QUICK = Timing(hello_s=2.0, ping_s=0.2, silence_s=2.0, retry_first_s=0.1, retry_last_s=0.5)


@dataclasses.dataclass(frozen=True, slots=True)
class Shot:
    """A job and the bytes of its inputs."""

    job: Job
    inputs: tuple[bytes, ...]


def make_shot(model: Path, prompt: str = "a test", frames: int = 4, steps: int = 3, seed: int = 1) -> Shot:
    """A small job whose model is a folder made here."""
    model.mkdir(exist_ok=True)
    (model / "weights.safetensors").write_bytes(b"weights")
    passes = tuple(f"pass {number} of {prompt}".encode() * 50 for number in range(frames))
    extra = (b"shot", b"vertices", b"charts")
    names = tuple(map(sha256_bytes, passes))
    inputs = JobInputs(names, *map(sha256_bytes, extra))
    numbers = tuple(range(1, frames + 1))
    job = Job(prompt, numbers, inputs, model=str(model), steps=steps, width=64, height=64, seed=seed)
    return Shot(job, (*passes, *extra))


def expected_digests(shot: Shot) -> dict[int, str]:
    """Digest by frame of what the runner makes of a shot."""
    return {frame: sha256_bytes(expected_png(shot.job, index)) for index, frame in enumerate(shot.job.frames)}


@contextlib.contextmanager
def backend(work: Path) -> Iterator[PrivateBackend]:
    """A supervisor started as the add-on starts it."""
    with private_backend(work, ("--runner", RUNNER)) as running:
        yield running


@contextlib.contextmanager
def linked(where: ConnectionInfo | Path, timing: Timing = QUICK) -> Iterator[Link]:
    """A client with a real socket."""
    with Link(JobClient("test client", timing=timing), where) as link:
        yield link


def drive(link: Link, enough: Callable[[list[ClientEvent]], bool]) -> list[ClientEvent]:
    """Step the client until `enough` is true of all events so far; they are returned."""
    seen: list[ClientEvent] = []
    limit = time.monotonic() + GUARD_S
    while not enough(seen):
        if time.monotonic() > limit:
            raise AssertionError(f"nothing more happened; the last events: {seen[-5:]}")
        seen += link.step(0.05)
    return seen


def answered(seen: list[ClientEvent]) -> set[str]:
    """The digests of the inputs that are stored on the server or have failed."""
    return {event.digest for event in seen if isinstance(event, events.InputStored | events.InputFailed)}


def run_shot(link: Link, shot: Shot) -> list[ClientEvent]:
    """Send the inputs, submit, and follow to the end."""
    for data in shot.inputs:
        link.client.add_input(data)
    link.client.submit(shot.job)
    return drive(link, ended)


def ended(seen: list[ClientEvent]) -> bool:
    """Whether a terminal event came."""
    return any(isinstance(event, events.Done | events.Failed | events.Cancelled | events.GaveUp) for event in seen)


def frames_of(seen: list[ClientEvent]) -> dict[int, str]:
    """Digest by frame of the frames that came."""
    return {event.frame: event.sha256 for event in seen if isinstance(event, events.FrameReady)}


def ends_of(seen: list[ClientEvent]) -> list[events.Done | events.Failed | events.Cancelled]:
    """The terminal events."""
    return [event for event in seen if isinstance(event, events.Done | events.Failed | events.Cancelled)]


def computed(work: Path, job_id: str) -> list[int]:
    """The frames that the runner computed, in order, over all attempts."""
    log = work / "jobs" / job_id / "computed.txt"
    return [int(line) for line in log.read_text().split()] if log.is_file() else []


def worker_of(supervisor_pid: int) -> psutil.Process:
    """The supervisor's worker process."""
    (worker,) = psutil.Process(supervisor_pid).children()
    return worker
