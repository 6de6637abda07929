"""What a running segment tells: events of the one function that runs a job, and their form as JSON lines.

A worker process writes one line an event on its stdout; `job` and `attempt` name the assignment, so that what a
stale attempt still says can be refused.
"""

from __future__ import annotations

import base64
import dataclasses
from dataclasses import dataclass
from typing import Any

import msgspec

from shared.errors import ProtocolError
from shared.files.strict_json import StrictJSONError, dump_json, parse_json
from shared.protocol.worker_memory import WorkerMemory


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the job is: a stage's name, denoising `step` of `steps`, `frame` of `frames` finished."""

    stage: str
    step: int
    steps: int
    frame: int
    frames: int
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A small picture of a frame in the making: `width` x `height` x 3 bytes RGB."""

    frame: int
    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True, slots=True)
class FrameDone:
    """`frames/%04d.png` is whole on disk and has this SHA-256."""

    frame: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Done:
    """Terminal: every frame is on disk."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Terminal: why, in one sentence."""

    code: str
    message: str
    hint: str = ""
    kind: str = ""  # of `shared.errors.ERROR_KINDS`


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Terminal: stopped on request; finished frames stay."""


WorkerEvent = Progress | Preview | FrameDone | Done | Failed | Cancelled

# What a line holds: an event of a job, or the worker's memory, which belongs to none.
LineContent = WorkerEvent | WorkerMemory

_KINDS: dict[str, type[LineContent]] = {
    "progress": Progress,
    "preview": Preview,
    "frame": FrameDone,
    "done": Done,
    "failed": Failed,
    "cancelled": Cancelled,
    "memory": WorkerMemory,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """One event of one attempt at one job; no job where it is the worker's memory."""

    job: str
    attempt: int
    event: LineContent


@dataclass(frozen=True, slots=True)
class _Line:
    event: str
    body: dict[str, Any]
    job: str = ""
    attempt: int = 0


def is_terminal(event: WorkerEvent) -> bool:
    """Whether nothing follows the event."""
    return isinstance(event, Done | Failed | Cancelled)


def write_line(line: WorkerLine) -> bytes:
    """An event as one JSON line, newline included."""
    body = dataclasses.asdict(line.event)
    if isinstance(line.event, Preview):
        body["rgb"] = base64.b64encode(line.event.rgb).decode("ascii")
    raw = {"event": _NAMES[type(line.event)], "job": line.job, "attempt": line.attempt, "body": body}
    return dump_json(raw) + b"\n"


def read_line(data: bytes) -> WorkerLine:
    """Read one JSON line. Raises ProtocolError."""
    try:
        line = msgspec.convert(parse_json(data), _Line)
        if line.event not in _KINDS:
            raise ProtocolError("worker.line", f"The worker wrote an unknown event {line.event[:40]!r}.")
        event = msgspec.convert(line.body, _KINDS[line.event])  # bytes come as base64
    except (StrictJSONError, msgspec.ValidationError) as error:
        raise ProtocolError("worker.line", f"The worker wrote a line that cannot be read: {error}.") from error
    return WorkerLine(line.job, line.attempt, event)
