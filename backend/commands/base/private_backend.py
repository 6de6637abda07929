"""A backend of the command's own, started for one job and ended with it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.machine.pipes import read_lines
from shared.errors import BackendError
from shared.protocol.client.transport import LaunchKeys
from shared.protocol.launch import ConnectionInfo, parse_reply, path_text

SHUTDOWN_S = 20.0


@dataclass(frozen=True, slots=True)
class PrivateBackend:
    """A backend that lives as long as this process wants it."""

    process: subprocess.Popen[bytes]
    info: ConnectionInfo


@contextlib.contextmanager
def private_backend(work_folder: Path, arguments: tuple[str, ...] = ()) -> Iterator[PrivateBackend]:
    """Start `latentman serve --stdio` and end it afterwards. Raises what the backend says where it cannot start."""
    keys = LaunchKeys.make()
    environment = dict(os.environ)
    root = str(Path(__file__).resolve().parents[3])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
    process = subprocess.Popen(
        [sys.executable, "-m", "backend", "serve", "--stdio", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    if process.stdin is None or process.stdout is None:
        raise BackendError("backend.launch", "The backend was started without pipes.")
    folder = path_text(work_folder.absolute())
    try:
        with contextlib.suppress(BrokenPipeError):  # the first line, or its absence, tells more
            process.stdin.write(keys.request(folder, "A latentman command").line())
            process.stdin.flush()
        reply = parse_reply(next(read_lines(process.stdout.fileno()), b""))
        yield PrivateBackend(process, keys.connection(reply.port))
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(SHUTDOWN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
