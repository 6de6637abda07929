"""What the supervisor writes to a worker's stdin: one JSON line a command."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import msgspec

from shared.errors import ProtocolError
from shared.files.strict_json import StrictJSONError, dump_json, parse_json
from shared.models.files import ModelFiles


@dataclass(frozen=True, slots=True)
class Run:
    """Run the job in this folder (`launch.path_text`); events carry `job` and `attempt`."""

    folder: str
    job: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop this job at its next denoising step; nothing happens where it runs no more."""

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

_KINDS: dict[str, type[WorkerCommand]] = {"run": Run, "cancel": Stop, "prepare": Load, "release": Unload}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def write_command(command: WorkerCommand) -> bytes:
    """A command as one JSON line, newline included."""
    return dump_json({"command": _NAMES[type(command)], **dataclasses.asdict(command)}) + b"\n"


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
