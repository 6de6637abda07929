"""Processes of our own: their lines without waiting for them, and their end together with all that they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import IO

KILL_WAIT_S = 5.0

# Flags of a new process, which Windows alone has.
if sys.platform == "win32":
    NEW_GROUP, NO_WINDOW = subprocess.CREATE_NEW_PROCESS_GROUP, subprocess.CREATE_NO_WINDOW
else:
    NEW_GROUP = NO_WINDOW = 0


def pump_lines(stream: IO[bytes], put: Callable[[bytes | None], None]) -> None:
    """In a thread: hand on each line of a pipe until it closes, then None."""
    with contextlib.suppress(OSError, ValueError):
        for line in stream:
            put(line)
    put(None)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and the group that it leads, and reap it."""
    if process.poll() is None:
        if sys.platform == "win32":
            process.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(KILL_WAIT_S)
