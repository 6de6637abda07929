"""The process that opens a pickled file for another one, so that no pickle is read where the user works.

It is given an open file as its standard input, needs Python and NumPy alone, and answers on its standard output:
`handed_over` bytes, or a line with the error. Even a fault in the reader then meets a process without the user's
scene, with little memory and time, and no way to write a file.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from typing import BinaryIO, Final

from ..errors import ERROR_KINDS, InputError, LatentManError, told
from .containers import MAX_PICKLED_BYTES, Wanted, parse_pickled, require_size
from .handed_over import handed_over
from .pickle_reading import told_as
from .strict_json import convert, dump_json, parse_json

if sys.platform != "win32":
    import resource

MEMORY_BYTES: Final = 6 * 1024**3
CPU_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Request:
    """What the child is to open, as JSON in its first argument."""

    name: str  # the file's, for messages
    error: str  # the kind of error that is told (`shared.errors.ERROR_KINDS`)
    entries: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()

    @property
    def wanted(self) -> Wanted:
        """What is taken out of the file."""
        return Wanted(frozenset(self.entries), frozenset(self.skip))


def main() -> None:
    """Answers the request in the first argument, about the file on standard input."""
    request = convert(parse_json(os.fsencode(sys.argv[1])), Request)
    _limit()
    sys.stdout.buffer.write(answer(request, sys.stdin.buffer))
    sys.stdout.buffer.flush()


def answer(request: Request, stream: BinaryIO) -> bytes:
    """The bytes that go back: a line of JSON with the error, or the value."""
    kind = ERROR_KINDS.get(request.error, InputError)
    error = kind if issubclass(kind, InputError) else InputError
    try:
        require_size(stream, name=request.name, error=error, most=MAX_PICKLED_BYTES)
        value = parse_pickled(stream, request.wanted, name=request.name, error=error)
        with told_as(error, request.name):
            return handed_over(value)
    except LatentManError as fault:
        code, message, hint, kind_name = told(fault)
        return dump_json({"error": {"code": code, "message": message, "hint": hint, "kind": kind_name}}) + b"\n"


def _limit() -> None:
    """Bounds memory and time, and forbids files, where the system can (not on Windows)."""
    if sys.platform == "win32":
        return
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        with contextlib.suppress(ValueError, OSError):  # a system may not know one of them
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
