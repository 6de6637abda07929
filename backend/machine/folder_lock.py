"""One process at a time in a folder. The lock goes with the process, however it ends.

Who holds it stands in a file beside the lock, because Windows does not let others read a locked one.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from shared.errors import BackendError, LatentManError
from shared.files.frame_files import storage_error, write_atomic

_POLL_S = 0.1
_USER_SUFFIX = "_user.json"


@dataclass(frozen=True, slots=True)
class FolderUser:
    """The program that a folder is used for: name, process, machine, and since when in seconds since 1970."""

    name: str = "A backend"
    pid: int = field(default_factory=os.getpid)
    machine: str = field(default_factory=socket.gethostname)
    since: float = field(default_factory=time.time)

    def __str__(self) -> str:
        """For a sentence: "Blender (process 1234 on this machine, since 10:32)"."""
        machine = "this machine" if self.machine == socket.gethostname() else self.machine
        begun, today = time.localtime(self.since), time.localtime()
        form = "%H:%M" if begun[:3] == today[:3] else "%Y-%m-%d %H:%M"
        return f"{self.name} (process {self.pid} on {machine}, since {time.strftime(form, begun)})"


class FolderLock:
    """An exclusive lock on a file, waited for up to `wait_s` seconds.

    The wait bridges the moment in which a predecessor ends. With `user` others are told who holds the folder. Raises
    BackendError `backend.locked`, or LatentManError `storage.*`.
    """

    def __init__(self, path: Path, wait_s: float, user: FolderUser | None = None) -> None:
        self._path = path
        self._wait_s = wait_s
        self._user = user
        self._user_file = path.with_name(path.name + _USER_SUFFIX)
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
                raise self._refusal()
            time.sleep(_POLL_S)
        self._tell_user()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._user is not None:
            with contextlib.suppress(OSError):
                self._user_file.unlink()
        os.close(self._descriptor)

    def _tell_user(self) -> None:
        """Say who holds the folder; a full disk is no reason not to hold it."""
        if self._user is None:
            return
        values = {name: getattr(self._user, name) for name in ("name", "pid", "machine", "since")}
        with contextlib.suppress(OSError):
            self._user_file.unlink()  # of one that was killed
        with contextlib.suppress(LatentManError):
            write_atomic(self._user_file, json.dumps(values).encode())

    def _refusal(self) -> BackendError:
        try:
            user = str(FolderUser(**json.loads(self._user_file.read_bytes())))
        except (OSError, ValueError, TypeError):
            user = "Another program"
        return BackendError(
            "backend.locked",
            f"{user} already works in {self._path.parent}, and only one at a time can.",
            "Close that one or stop its backend, or choose another output folder here.",
        )


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
