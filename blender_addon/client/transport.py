"""One DEALER socket to a backend: encrypted, and never waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import zmq

from ..shared.protocol.launch import ConnectionInfo
from ..shared.protocol.wire import MAX_PAYLOAD_BYTES, Buffer

_HIGH_WATER_MARK = 64
_MOST_MESSAGES = 32


class Transport:
    """A connected socket. Sends what fits now and keeps the rest; gives what has arrived."""

    def __init__(self, link: ConnectionInfo) -> None:
        self._context = zmq.Context()
        self._unsent: deque[Sequence[Buffer]] = deque()
        secret = link.client_secret_key.encode("ascii")
        socket = self._context.socket(zmq.DEALER)
        # All of it before connect: a socket that is closed must never wait for a peer that has gone.
        socket.linger = 0
        socket.set_hwm(_HIGH_WATER_MARK)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_PAYLOAD_BYTES)
        socket.setsockopt(zmq.IPV6, ":" in link.host)
        socket.curve_secretkey = secret
        socket.curve_publickey = zmq.curve_public(secret)
        socket.curve_serverkey = link.server_public_key.encode("ascii")
        socket.connect(link.address)
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

    def close(self) -> None:
        """Close the socket and drop what was not sent. Harmless when called twice."""
        self._unsent.clear()
        self._socket.close(linger=0)
        self._context.destroy(linger=0)
