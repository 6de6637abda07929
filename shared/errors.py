"""One tree of errors for the add-on, the backend and the command line.

LatentManError
├── InputError             the user's input cannot be used                exit 2
│   ├── MotionError        a motion file, named with the key at fault
│   ├── BodyError          a body file
│   ├── PassesError        rendered passes
│   └── ModelError         weights or a model folder
├── ProtocolError          the other side sent what it must not           exit 1
├── BackendError           the backend could not be started or died       exit 1
├── RenderError            the child Blender failed                       exit 1
├── JobError               a job failed on the backend                    exit 1
└── CancelledError         the user stopped it                            exit 3

Between processes an error travels as its code, message, hint and kind (`told`); `error_of` makes it from them again.
"""

from __future__ import annotations

from typing import Protocol

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_BAD_ARGUMENTS = 2
EXIT_CANCELLED = 3


class LatentManError(Exception):
    """Any failure that a user can read.

    `code` is stable and machine-readable (`motion.not_finite`), `message` says in one sentence what is wrong and
    where, `hint` says what to do about it and may be empty.
    """

    exit_code = EXIT_FAILED

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(LatentManError):
    """The user's input cannot be used."""

    exit_code = EXIT_BAD_ARGUMENTS


class MotionError(InputError):
    """A motion file cannot be used."""


class BodyError(InputError):
    """A body file cannot be used."""


class PassesError(InputError):
    """Rendered passes cannot be used."""


class ModelError(InputError):
    """Weights or a model folder cannot be used."""


class ProtocolError(LatentManError):
    """The other side sent what the protocol does not allow."""


class BackendError(LatentManError):
    """The backend could not be started, or died."""


class RenderError(LatentManError):
    """The child Blender failed."""


class JobError(LatentManError):
    """A job failed on the backend."""


class CancelledError(LatentManError):
    """The user stopped it."""

    exit_code = EXIT_CANCELLED


# The name that each class has between processes. Codes say what happened, kinds what it means to whoever asked.
ERROR_KINDS: dict[str, type[LatentManError]] = {
    "error": LatentManError,
    "input": InputError,
    "motion": MotionError,
    "body": BodyError,
    "passes": PassesError,
    "model": ModelError,
    "protocol": ProtocolError,
    "backend": BackendError,
    "render": RenderError,
    "job": JobError,
    "cancelled": CancelledError,
}
_NAMES = {kind: name for name, kind in ERROR_KINDS.items()}


class Told(Protocol):
    """The fields of whatever tells of an error: a message, an event, a line."""

    @property
    def code(self) -> str:
        """The error's code."""

    @property
    def message(self) -> str:
        """Its sentence."""

    @property
    def hint(self) -> str:
        """What to do about it."""

    @property
    def kind(self) -> str:
        """Its class's name in `ERROR_KINDS`; empty where the other side is older than the kinds."""


def told(error: LatentManError) -> tuple[str, str, str, str]:
    """An error's code, message, hint and kind, in the order that all messages have them."""
    known = next(kind for kind in type(error).__mro__ if kind in _NAMES)
    return error.code, error.message, error.hint, _NAMES[known]


def error_of(failure: Told, unsaid: type[LatentManError] = LatentManError) -> LatentManError:
    """The error that another process tells of: of the class `unsaid` where it says no kind, LatentManError where this
    side does not know the kind."""
    known = ERROR_KINDS.get(failure.kind, LatentManError) if failure.kind else unsaid
    return known(failure.code, failure.message, failure.hint)
