"""What a supervisor and its worker process say to each other: one JSON line a command or an event.

Commands go to the worker's stdin, lines come from its stdout; `job` and `attempt` name the assignment, so that what a
stale attempt still says can be refused.
"""

from __future__ import annotations

import base64
import dataclasses
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.errors import ProtocolError
from shared.files.strict_json import StrictJSONError, dump_json, parse_json
from shared.models.files import ModelFiles
from shared.protocol.job_events import Cancelled, Done, Failed, FileDone, FrameDone, Preview, Progress, WorkerEvent
from shared.protocol.worker_memory import WorkerMemory

# ---- Commands, to the worker


@dataclass(frozen=True, slots=True)
class Run:
    """Run the job in this folder (`launch.path_text`); events carry `job` and `attempt`."""

    folder: str
    job: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop this job at its next denoising step; nothing happens if it is no longer running."""

    job: str


@dataclass(frozen=True, slots=True)
class Load:
    """Load a model, with a job's own files, ahead of its first job."""

    model: str
    files: ModelFiles = field(default_factory=ModelFiles)


@dataclass(frozen=True, slots=True)
class Unload:
    """Forget the model that is loaded, and give its memory back."""


WorkerCommand = Run | Stop | Load | Unload

_COMMANDS: dict[str, type[WorkerCommand]] = {"run": Run, "stop": Stop, "load": Load, "unload": Unload}
_COMMAND_NAMES = {kind: name for name, kind in _COMMANDS.items()}


def write_command(command: WorkerCommand) -> bytes:
    """A command as one JSON line, newline included."""
    return dump_json({"command": _COMMAND_NAMES[type(command)], **dataclasses.asdict(command)}) + b"\n"


def read_command(line: bytes) -> WorkerCommand:
    """Read one JSON line. Raises ProtocolError."""
    try:
        raw = parse_json(line)
        kind = _COMMANDS.get(str(raw.get("command"))) if isinstance(raw, dict) else None
        if kind is None:
            raise ProtocolError("worker.command", "The worker received an unknown command.")
        return msgspec.convert(raw, kind)
    except (StrictJSONError, msgspec.ValidationError) as error:
        raise ProtocolError("worker.command", f"The worker received a broken command: {error}.") from error


# ---- Lines, from the worker

# What a line holds: an event of a job, or the worker's memory, which belongs to none.
LineContent = WorkerEvent | WorkerMemory

_EVENTS: dict[str, type[LineContent]] = {
    "progress": Progress,
    "preview": Preview,
    "frame": FrameDone,
    "file": FileDone,
    "done": Done,
    "failed": Failed,
    "cancelled": Cancelled,
    "memory": WorkerMemory,
}
_EVENT_NAMES = {kind: name for name, kind in _EVENTS.items()}


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


def write_line(line: WorkerLine) -> bytes:
    """An event as one JSON line, newline included."""
    body = dataclasses.asdict(line.event)
    if isinstance(line.event, Preview):
        body["rgb"] = base64.b64encode(line.event.rgb).decode("ascii")
    raw = {"event": _EVENT_NAMES[type(line.event)], "job": line.job, "attempt": line.attempt, "body": body}
    return dump_json(raw) + b"\n"


def read_line(data: bytes) -> WorkerLine:
    """Read one JSON line. Raises ProtocolError."""
    try:
        line = msgspec.convert(parse_json(data), _Line)
        if line.event not in _EVENTS:
            raise ProtocolError("worker.line", f"The worker wrote an unknown event {line.event[:40]!r}.")
        event = msgspec.convert(line.body, _EVENTS[line.event])  # bytes come as base64
    except (StrictJSONError, msgspec.ValidationError) as error:
        raise ProtocolError("worker.line", f"The worker wrote a line that cannot be read: {error}.") from error
    return WorkerLine(line.job, line.attempt, event)
