"""Inputs by content on the server's disk: chunks are appended to a part file, verified, synced and renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from shared.errors import ProtocolError
from shared.files.digest import is_digest
from shared.files.frame_files import PART_SUFFIX, storage_error


class InputStore:
    """A folder of files named by their SHA-256."""

    def __init__(self, folder: Path) -> None:
        """Open the store and clear away what a killed upload left. Raises LatentManError `storage.*`."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for part in folder.glob(f"*{PART_SUFFIX}"):
                part.unlink()
        except OSError as error:
            raise storage_error(error, folder) from error

    def path(self, digest: str) -> Path:
        """Where the input lies or would lie. Raises ProtocolError where `digest` is no SHA-256."""
        if not is_digest(digest):
            raise ProtocolError("protocol.digest", f"{digest[:70]!r} is not a SHA-256.")
        return self.folder / digest

    def has(self, digest: str) -> bool:
        """Whether the input is there; what is there is whole."""
        return self.path(digest).is_file()

    def begin(self, digest: str, size: int) -> Upload:
        """Start taking an input of `size` bytes."""
        return Upload(self.path(digest), digest, size)


class Upload:
    """One input on its way in. `add` until it returns True; `abandon` otherwise."""

    def __init__(self, target: Path, digest: str, size: int) -> None:
        self._target = target
        self._part = target.with_name(f"{digest}.{secrets.token_hex(4)}{PART_SUFFIX}")
        self._digest = digest
        self._size = size
        self._offset = 0
        self._hash = hashlib.sha256()

    def add(self, offset: int, size: int, data: bytes | memoryview) -> bool:
        """Append the next chunk; True once the input is stored.

        Raises ProtocolError on a gap, a changed size or a wrong digest, LatentManError `storage.*` where the disk
        refuses. After an error the upload is abandoned.
        """
        try:
            if offset != self._offset or size != self._size or offset + len(data) > size or (not data and size):
                raise ProtocolError(
                    "protocol.chunk",
                    f"An input's chunk of {len(data)} bytes at {offset} of {size} does not follow "
                    f"{self._offset} of {self._size}.",
                )
            self._hash.update(data)
            last = offset + len(data) == size
            if last and self._hash.hexdigest() != self._digest:
                raise ProtocolError("protocol.input_digest", "An input does not match its digest.")
            self._write(data, last)
        except BaseException:
            self.abandon()
            raise
        self._offset += len(data)
        return last

    def abandon(self) -> None:
        """Remove the part file."""
        with contextlib.suppress(OSError):
            self._part.unlink()

    def _write(self, data: bytes | memoryview, last: bool) -> None:
        try:
            with self._part.open("ab") as file:
                file.write(data)
                if last:
                    file.flush()
                    os.fsync(file.fileno())
            if last:
                os.replace(self._part, self._target)
        except OSError as error:
            raise storage_error(error, self._target.parent) from error
