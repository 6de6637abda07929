"""Starting the supervisor: by the add-on over stdin and stdout, or by hand with a connection file."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import zmq

from backend.jobs.runners import DEFAULT_RUNNER
from backend.machine.folder_lock import FolderLock, FolderUser
from backend.machine.pipes import read_lines, write_all
from backend.server.dispatch.port import DispatchSettings
from backend.server.dispatch.table import DEFAULT_DISPATCHER, DISPATCHERS
from backend.server.endpoint import Endpoint
from backend.server.job_folders import JobFolders
from backend.server.job_queue import JobQueue
from backend.server.journal import Journal
from backend.server.model_digest import ModelDigests
from backend.server.store import InputStore
from backend.server.supervisor import Parts, Supervisor
from backend.server.versions import version_error
from backend.server.wakeup import Wakeup
from shared.errors import LatentManError
from shared.files.frame_files import storage_error
from shared.protocol.launch import ConnectionInfo, LaunchReply, connection_json, failure_line, parse_request, path_from
from shared.protocol.messages import PROTOCOL_MAX, PROTOCOL_MIN

LOCK_WAIT_S = 5.0  # a backend that is ending needs at most about two seconds for each worker
_ANY_ADDRESS = ("0.0.0.0", "::", "*")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """What the supervisor is started with."""

    work_folder: Path
    host: str = "127.0.0.1"
    port: int = 0
    runner: str = DEFAULT_RUNNER
    workers: int = 1
    dispatcher: str = DEFAULT_DISPATCHER  # a row of `dispatch.table`
    user: FolderUser = FolderUser()  # for whom the folder is used, told to whoever wants it meanwhile


def serve_stdio(runner: str = DEFAULT_RUNNER, workers: int = 1, dispatcher: str = DEFAULT_DISPATCHER) -> None:
    """Serve the process at the other end of stdin and stdout, until stdin ends.

    One line in (`LaunchRequest`), one line out (`LaunchReply`, or the failure). Raises LatentManError after telling it.
    """
    lines = read_lines(0)
    stop = _Stop()
    try:
        request = parse_request(next(lines, b""))
        if not PROTOCOL_MIN <= request.protocol <= PROTOCOL_MAX:
            raise version_error("the add-on", request.protocol, request.protocol)
        folder = path_from(request.work_folder)
        user = FolderUser(request.client, request.client_pid) if request.client else FolderUser()
        settings = ServeSettings(folder, runner=runner, workers=workers, dispatcher=dispatcher, user=user)
        threading.Thread(target=_watch, args=(lines, stop), name="stdin", daemon=True).start()
        keys = frozenset({request.client_public_key.encode("ascii")})
        secret = request.server_secret_key.encode("ascii")
        with _signals(stop), _running(settings, secret, keys, stop) as (endpoint, supervisor):
            write_all(1, LaunchReply(endpoint.port, PROTOCOL_MAX, os.getpid()).line())
            supervisor.run(stop.is_set, hold=True)  # our parent stopped what is there, and says what is to go on
    except LatentManError as error:
        with contextlib.suppress(BrokenPipeError):
            write_all(1, failure_line(error))
        raise


def serve_by_hand(settings: ServeSettings, connection_file: Path, started: Callable[[ConnectionInfo], None]) -> None:
    """Serve whoever has the connection file, which is written with mode 0600 and removed at the end.

    Ends on SIGINT and SIGTERM. `started` is called once clients can connect. Raises LatentManError.
    """
    server_public, server_secret = zmq.curve_keypair()
    client_public, client_secret = zmq.curve_keypair()
    stop = _Stop()
    with (
        _signals(stop),
        _running(settings, server_secret, frozenset({client_public}), stop) as (endpoint, supervisor),
    ):
        host = socket.gethostname() if settings.host in _ANY_ADDRESS else settings.host
        info = ConnectionInfo(host, endpoint.port, server_public.decode(), client_secret.decode())
        write_private(connection_file, connection_json(info))
        try:
            started(info)
            supervisor.run(stop.is_set)
        finally:
            connection_file.unlink(missing_ok=True)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on, in one step. Raises LatentManError."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise storage_error(error, path.parent) from error


class _Stop:
    """The wish to end, which also wakes the loop."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.wakeup = Wakeup()

    def set(self) -> None:
        self._event.set()
        self.wakeup.set()

    def is_set(self) -> bool:
        return self._event.is_set()


@contextlib.contextmanager
def _running(
    settings: ServeSettings, server_secret: bytes, client_keys: frozenset[bytes], stop: _Stop
) -> Iterator[tuple[Endpoint, Supervisor]]:
    """All parts, opened in order and closed in reverse; workers end before the folder's lock goes."""
    work = settings.work_folder.absolute()
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, work) from error
    with contextlib.ExitStack() as stack:
        stack.callback(stop.wakeup.close)
        stack.enter_context(FolderLock(work / "lock", LOCK_WAIT_S, settings.user))
        journal = Journal(work / "journal.sqlite3")
        stack.callback(journal.close)
        store = InputStore(work / "inputs")
        folders = JobFolders(work / "jobs", store)
        models = ModelDigests(work / "model_digests.json")
        stack.callback(models.close)
        dispatch_settings = DispatchSettings(settings.runner, settings.workers, work / "logs")
        opened = DISPATCHERS[settings.dispatcher](dispatch_settings, stop.wakeup)
        stack.callback(opened.dispatcher.close)
        endpoint = stack.enter_context(Endpoint(settings.host, settings.port, server_secret, client_keys))
        queue = JobQueue(journal, folders, opened.dispatcher)
        parts = Parts(endpoint, stop.wakeup, journal, store, folders, queue, models, opened)
        yield endpoint, Supervisor(parts)
        logger.info("ending")


def _watch(lines: Iterator[bytes], stop: _Stop) -> None:
    for _ in lines:
        logger.warning("a line on stdin was ignored")
    stop.set()


@contextlib.contextmanager
def _signals(stop: _Stop) -> Iterator[None]:
    """SIGINT and SIGTERM end the loop instead of raising in the middle of it."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
