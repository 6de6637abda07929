"""What happens to a job, declared once: told by whoever runs it, sent over the wire, handed to the application.

Each stage of that way adds fields of its own to these classes (an attempt, a sequence number, a ticket) and copies the
rest by name (`extended`).
"""

from __future__ import annotations

from dataclasses import Field, asdict, dataclass, fields
from typing import Any, ClassVar, Protocol, TypeVar


class _Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Extended = TypeVar("Extended", bound=_Dataclass)


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
class PreviewSize:
    """Which frame in the making a small picture shows, and its size in pixels."""

    frame: int
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Preview(PreviewSize):
    """A small picture of a frame in the making: `width` x `height` x 3 bytes RGB, row by row from the top."""

    rgb: bytes = b""


@dataclass(frozen=True, slots=True)
class FrameDone:
    """A finished frame: its number and the SHA-256 of its PNG file, which is whole on disk."""

    frame: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FileDone:
    """A file of the job beside its frames, whole on disk: its name in `shared.jobs.result_files`, and its SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Done:
    """Terminal: every frame that was asked for is finished. `notes` are sentences for the user on what was chosen."""

    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """Terminal: why, in one sentence, and what to do; `kind` is one of `shared.errors.ERROR_KINDS`."""

    code: str
    message: str
    hint: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Terminal: stopped on request. Finished frames stay."""


WorkerEvent = Progress | Preview | FrameDone | FileDone | Done | Failed | Cancelled


def is_terminal(event: WorkerEvent) -> bool:
    """Whether nothing follows the event."""
    return isinstance(event, Done | Failed | Cancelled)


def extended(event: _Dataclass, kind: type[Extended], **more: object) -> Extended:
    """The event as a `kind`: the fields that both have, by name, and `more` of its own."""
    return kind(**{**common_fields(event, kind), **more})


def common_fields(event: _Dataclass, kind: type[_Dataclass]) -> dict[str, object]:
    """The event's fields that a `kind` has too, by name."""
    wanted = {one.name for one in fields(kind)}
    return {name: value for name, value in asdict(event).items() if name in wanted}
