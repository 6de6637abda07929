"""One process at a time in a folder. The lock goes with the process, however it ends."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from shared.errors import BackendError
from shared.files.frame_files import storage_error

_POLL_S = 0.1


class FolderLock:
    """An exclusive lock on a file, waited for up to `wait_s` seconds.

    The wait bridges the moment in which a killed predecessor's worker notices and ends. Raises BackendError
    `backend.locked`, or LatentManError `storage.*`.
    """

    def __init__(self, path: Path, wait_s: float) -> None:
        self._path = path
        self._wait_s = wait_s
        self._descriptor = -1

    def __enter__(self) -> FolderLock:
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise storage_error(error, self._path.parent) from error
        deadline = time.monotonic() + self._wait_s
        while not _try_lock(self._descriptor):
            if time.monotonic() >= deadline:
                os.close(self._descriptor)
                raise BackendError(
                    "backend.locked",
                    f"Another backend is using the work folder {self._path.parent}.",
                    "Stop that backend, or use another work folder.",
                )
            time.sleep(_POLL_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
