"""Pipes by their descriptors: whole lines in, whole buffers out, stdout kept for its protocol.

Python's buffered stdin holds a lock that a thread blocked in `read` would take into the interpreter's end; reading the
descriptor itself has none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

_CHUNK_BYTES = 1 << 16


def read_lines(descriptor: int) -> Iterator[bytes]:
    """Whole lines without their newline, until the pipe ends; a last line without newline is dropped as unfinished."""
    rest = bytearray()
    while True:
        try:
            chunk = os.read(descriptor, _CHUNK_BYTES)
        except OSError:
            return
        if not chunk:
            return
        rest += chunk
        *lines, tail = rest.split(b"\n")
        rest = bytearray(tail)
        for line in lines:
            yield bytes(line)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, however little the pipe takes at once. Raises OSError, as BrokenPipeError for a reader
    that is gone."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def claim_stdout() -> int:
    """A descriptor for what stdout was; whatever else writes to stdout lands in stderr from here on."""
    sys.stdout.flush()
    output = os.dup(1)
    os.dup2(2, 1)
    return output


def give_stdout_back(output: int) -> None:
    """Undo `claim_stdout`."""
    sys.stdout.flush()
    os.dup2(output, 1)
    os.close(output)
