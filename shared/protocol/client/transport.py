"""The one ZeroMQ socket of the program's clients: a DEALER, encrypted, sending and receiving without waiting; and keys
for a backend that a client starts."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import zmq

from ..launch import ConnectionInfo, LaunchRequest
from ..messages import PROTOCOL_MAX
from ..wire import MAX_PAYLOAD_BYTES, Buffer

_HIGH_WATER_MARK = 64
_MOST_MESSAGES = 32


class Transport:
    """A connected socket. Sends what fits now and keeps the rest; gives what has arrived."""

    def __init__(self, info: ConnectionInfo) -> None:
        self._context = zmq.Context()
        self._unsent: deque[Sequence[Buffer]] = deque()
        secret = info.client_secret_key.encode("ascii")
        socket = self._context.socket(zmq.DEALER)
        # All of it before connect: a socket that is closed must never wait for a peer that has gone.
        socket.linger = 0
        socket.set_hwm(_HIGH_WATER_MARK)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_PAYLOAD_BYTES)
        socket.setsockopt(zmq.IPV6, ":" in info.host)
        socket.curve_secretkey = secret
        socket.curve_publickey = zmq.curve_public(secret)
        socket.curve_serverkey = info.server_public_key.encode("ascii")
        socket.connect(info.address)
        self._socket = socket

    @property
    def full(self) -> bool:
        """True while messages wait for room in the socket; give it no more then."""
        return bool(self._unsent)

    def send(self, messages: Iterable[Sequence[Buffer]] = ()) -> None:
        """Send what waits and then `messages`, in order, as far as the socket takes them now."""
        self._unsent.extend(messages)
        while self._unsent:
            try:
                self._socket.send_multipart(self._unsent[0], zmq.NOBLOCK)
            except zmq.Again:
                return
            self._unsent.popleft()

    def receive(self) -> list[list[bytes]]:
        """What has arrived, a bounded number of messages a call."""
        messages: list[list[bytes]] = []
        while len(messages) < _MOST_MESSAGES:
            try:
                messages.append(self._socket.recv_multipart(zmq.NOBLOCK))
            except zmq.Again:
                break
        return messages

    def wait(self, timeout_s: float) -> None:
        """Wait until something has arrived, or until there is room for what is not sent, at most so long."""
        self._socket.poll(int(timeout_s * 1000), zmq.POLLIN | (zmq.POLLOUT if self._unsent else 0))

    def close(self) -> None:
        """Close the socket and drop what was not sent. Harmless when called twice."""
        self._unsent.clear()
        self._socket.close(linger=0)
        self._context.destroy(linger=0)


@dataclass(frozen=True, slots=True)
class LaunchKeys:
    """Fresh keys for a backend that a client starts, and for that client: Z85 text, two of them secret."""

    server_public: str
    server_secret: str
    client_public: str
    client_secret: str

    @classmethod
    def make(cls) -> LaunchKeys:
        """New ones, used for one backend."""
        server, client = zmq.curve_keypair(), zmq.curve_keypair()
        return cls(*(key.decode("ascii") for key in (*server, *client)))

    def request(self, work_folder: str, client: str) -> LaunchRequest:
        """The line that starts the backend; `work_folder` as `path_text` gives it, `client` is this program's name."""
        return LaunchRequest(self.client_public, self.server_secret, work_folder, PROTOCOL_MAX, client, os.getpid())

    def connection(self, port: int) -> ConnectionInfo:
        """How to reach the backend once it has told its port."""
        return ConnectionInfo("127.0.0.1", port, self.server_public, self.client_secret)
