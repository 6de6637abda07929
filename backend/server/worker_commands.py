"""What the supervisor writes to a worker's stdin: one JSON line a command."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from shared.errors import ProtocolError
from shared.strict_json import StrictJSONError, dump_json, parse_json


@dataclass(frozen=True, slots=True)
class Run:
    """Run the job in this folder; events carry `job` and `attempt`."""

    folder: str
    job: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop this job at its next denoising step; nothing happens where it runs no more."""

    job: str


@dataclass(frozen=True, slots=True)
class Load:
    """Load a model ahead of its first job."""

    model: str


WorkerCommand = Run | Stop | Load

_KINDS: dict[str, type[WorkerCommand]] = {"run": Run, "cancel": Stop, "prepare": Load}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def write_command(command: WorkerCommand) -> bytes:
    """A command as one JSON line, newline included."""
    body = {name: getattr(command, name) for name in type(command).__dataclass_fields__}
    return dump_json({"command": _NAMES[type(command)], **body}) + b"\n"


def read_command(line: bytes) -> WorkerCommand:
    """Read one JSON line. Raises ProtocolError."""
    try:
        raw = parse_json(line)
        kind = _KINDS.get(str(raw.get("command"))) if isinstance(raw, dict) else None
        if kind is None:
            raise ProtocolError("worker.command", "The worker was sent a command that it does not know.")
        return msgspec.convert(raw, kind)
    except (StrictJSONError, msgspec.ValidationError) as error:
        raise ProtocolError("worker.command", f"The worker was sent a broken command: {error}.") from error
