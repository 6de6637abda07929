"""A thin ZeroMQ transport for `JobClient`, for the command line; and the start of a private backend."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import zmq

from backend.jobs.lines import read_lines
from shared.errors import BackendError, InputError
from shared.protocol.client.client import JobClient
from shared.protocol.client.events import ClientEvent, ConnectionLost, GaveUp
from shared.protocol.launch import ConnectionInfo, LaunchRequest, parse_reply, path_text, read_connection_file
from shared.protocol.messages import PROTOCOL_MAX
from shared.protocol.wire import MAX_PAYLOAD_BYTES, Buffer

SHUTDOWN_S = 20.0
FILE_PATIENCE_S = 60.0
_FILE_PAUSE_S = 0.2
_HIGH_WATER_MESSAGES = 64


class Link:
    """Drives a `JobClient` over a DEALER socket; a connection file is read again before each new connection."""

    def __init__(self, client: JobClient, where: ConnectionInfo | Path) -> None:
        self.client = client
        self._where = where
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None
        self._unsent: deque[list[Buffer]] = deque()
        self._retry_at = 0.0
        self._absent_since: float | None = None

    def __enter__(self) -> Link:
        try:
            self._connect(time.monotonic())
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def step(self, timeout_s: float = 0.1) -> list[ClientEvent]:
        """Send what is due, wait up to `timeout_s` for messages, and return what they mean."""
        now = time.monotonic()
        if self._socket is None:
            if now < self._retry_at or self.client.closed:
                time.sleep(min(timeout_s, max(0.0, self._retry_at - now)))
                return []
            self._reconnect(now)
        self._send()
        events = self._receive(timeout_s)
        events += self.client.tick(time.monotonic())
        for event in events:
            if isinstance(event, ConnectionLost | GaveUp):
                self._hang_up()
                self._retry_at = event.retry_at if isinstance(event, ConnectionLost) else 0.0
        self._send()
        return events

    def _send(self) -> None:
        while self._socket is not None:
            if not self._unsent:
                self._unsent.extend(self.client.take_outgoing())
            if not self._unsent:
                return
            try:
                self._socket.send_multipart(self._unsent[0], flags=zmq.NOBLOCK)
            except zmq.Again:
                return
            self._unsent.popleft()

    def _receive(self, timeout_s: float) -> list[ClientEvent]:
        events: list[ClientEvent] = []
        socket = self._socket
        flag = zmq.POLLIN | (zmq.POLLOUT if self._unsent else 0)
        if socket is None or not socket.poll(int(timeout_s * 1000), flag):
            return events
        with contextlib.suppress(zmq.Again):
            for _ in range(_HIGH_WATER_MESSAGES):
                events += self.client.received(socket.recv_multipart(zmq.NOBLOCK), time.monotonic())
        return events

    def _connect(self, now: float) -> None:
        info = read_connection_file(self._where) if isinstance(self._where, Path) else self._where
        secret = info.client_secret_key.encode("ascii")
        socket = self._context.socket(zmq.DEALER)
        socket.curve_serverkey = info.server_public_key.encode("ascii")
        socket.curve_publickey, socket.curve_secretkey = zmq.curve_public(secret), secret
        socket.linger = 0
        socket.setsockopt(zmq.SNDHWM, _HIGH_WATER_MESSAGES)
        socket.setsockopt(zmq.RCVHWM, _HIGH_WATER_MESSAGES)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_PAYLOAD_BYTES)
        socket.setsockopt(zmq.IPV6, 1)
        socket.connect(info.address)
        self._socket = socket
        self.client.connected(now)

    def _reconnect(self, now: float) -> None:
        """Connect again; a backend that is being restarted has no connection file for a moment, which is waited out."""
        try:
            self._connect(now)
        except InputError:
            self._absent_since = self._absent_since or now
            if now - self._absent_since > FILE_PATIENCE_S:
                raise
            self._retry_at = now + _FILE_PAUSE_S
        else:
            self._absent_since = None

    def _close(self) -> None:
        self._hang_up()
        self._context.destroy(linger=0)

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None
        self._unsent.clear()


@dataclass(frozen=True, slots=True)
class PrivateBackend:
    """A backend that lives as long as this process wants it."""

    process: subprocess.Popen[bytes]
    info: ConnectionInfo


@contextlib.contextmanager
def private_backend(work_folder: Path, arguments: tuple[str, ...] = ()) -> Iterator[PrivateBackend]:
    """Start `latentman serve --stdio` and end it afterwards. Raises what the backend says where it cannot start."""
    server_public, server_secret = zmq.curve_keypair()
    client_public, client_secret = zmq.curve_keypair()
    environment = dict(os.environ)
    root = str(Path(__file__).resolve().parents[2])
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
            process.stdin.write(
                LaunchRequest(client_public.decode(), server_secret.decode(), folder, PROTOCOL_MAX).line()
            )
            process.stdin.flush()
        reply = parse_reply(next(read_lines(process.stdout.fileno()), b""))
        info = ConnectionInfo("127.0.0.1", reply.port, server_public.decode(), client_secret.decode())
        yield PrivateBackend(process, info)
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(SHUTDOWN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
