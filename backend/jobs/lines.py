"""Lines from a pipe by its descriptor.

Python's buffered stdin holds a lock that a thread blocked in `read` would take into the interpreter's end; reading the
descriptor itself has none.
"""

from __future__ import annotations

import os
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
