"""SHA-256 names of content: how inputs, frames and jobs are called on the wire and on disk."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_CHUNK_BYTES = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


def sha256_bytes(data: bytes | bytearray | memoryview) -> str:
    """The SHA-256 of `data` as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file's content as 64 lower-case hexadecimal digits. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def is_digest(text: str) -> bool:
    """Whether `text` is a SHA-256 as this module writes it; nothing else may become a file's name."""
    return _DIGEST.fullmatch(text) is not None
