"""The ROUTER socket: CURVE always, an allow-list of client keys, bounded queues, nothing dropped in silence."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from types import TracebackType

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator

from shared.errors import BackendError
from shared.protocol.wire import MAX_HEADER_BYTES, MAX_WIRE_FRAMES, Buffer

ZAP_DOMAIN = "latentman"
HIGH_WATER_MESSAGES = 64
_FRAME_SLACK_BYTES = 1 << 16


class Sent(enum.Enum):
    """What became of a message."""

    YES = "yes"
    FULL = "full"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class _AllowList:
    """ZAP credentials: exactly these client keys."""

    keys: frozenset[bytes]

    def callback(self, domain: str, key: bytes) -> bool:
        return domain == ZAP_DOMAIN and key in self.keys


class Endpoint:
    """The server's one socket. Use as a context manager; binds on entry and knows its `port` from then on."""

    def __init__(self, host: str, port: int, server_secret_key: bytes, client_keys: frozenset[bytes]) -> None:
        """Keys in Z85. Raises BackendError where libzmq has no CURVE, a key is broken or the address is taken."""
        if not zmq.has("curve"):
            raise BackendError(
                "backend.no_curve", "This pyzmq was built without CURVE encryption.", "Install: pip install pyzmq"
            )
        self._context = zmq.Context()
        self._authenticator = ThreadAuthenticator(self._context)
        self.socket = self._context.socket(zmq.ROUTER)
        try:
            self._authenticator.start()
            # The exact domain: "*" would not cover a socket that names its own.
            self._authenticator.configure_curve_callback(ZAP_DOMAIN, _AllowList(client_keys))
            self._configure(server_secret_key)
            self.port = self._bind(host, port)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def receive(self) -> tuple[bytes, list[Buffer]] | None:
        """The next message and who sent it, None if there is none; frames past the limit are dropped unread."""
        try:
            identity = self.socket.recv(zmq.NOBLOCK)
        except zmq.Again:
            return None
        frames: list[Buffer] = []
        while self.socket.getsockopt(zmq.RCVMORE):
            frame = self.socket.recv()
            if len(frames) <= MAX_WIRE_FRAMES:
                frames.append(frame)
        return identity, frames

    def send(self, identity: bytes, frames: list[Buffer]) -> Sent:
        """Send without waiting."""
        try:
            self.socket.send_multipart([identity, *frames], flags=zmq.NOBLOCK)
        except zmq.Again:
            return Sent.FULL
        except zmq.ZMQError as error:
            if error.errno == zmq.EHOSTUNREACH:
                return Sent.GONE
            raise
        return Sent.YES

    def close(self, linger_ms: int = 0) -> None:
        """Close the socket, the authenticator and the context; what is not sent within `linger_ms` is dropped."""
        if self._context.closed:
            return
        self.socket.close(linger=linger_ms)
        self._authenticator.stop()
        self._context.term()

    def _configure(self, server_secret_key: bytes) -> None:
        socket = self.socket
        try:
            socket.curve_publickey = zmq.curve_public(server_secret_key)
            socket.curve_secretkey = server_secret_key
        except (zmq.ZMQError, ValueError) as error:
            raise BackendError("backend.keys", "The server's secret key is not a CURVE key.") from error
        socket.curve_server = True
        socket.zap_domain = ZAP_DOMAIN.encode("ascii")
        socket.linger = 0
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        socket.setsockopt(zmq.SNDHWM, HIGH_WATER_MESSAGES)
        socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MESSAGES)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_HEADER_BYTES + _FRAME_SLACK_BYTES)
        socket.setsockopt(zmq.IPV6, 1)

    def _bind(self, host: str, port: int) -> int:
        shown = f"[{host}]" if ":" in host else host
        try:
            self.socket.bind(f"tcp://{shown}:{port or '*'}")
        except zmq.ZMQError as error:
            raise BackendError(
                "backend.bind",
                f"Cannot listen on {host} port {port or 'any'}: {error.strerror}.",
                "Choose another --host or --port.",
            ) from error
        endpoint = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        return int(endpoint.rsplit(":", 1)[1])
