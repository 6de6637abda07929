"""The clients' one socket and its session: where it connects to, and that nothing in it waits by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zmq

from shared.errors import InputError
from shared.protocol.client.events import ClientEvent, Connected
from shared.protocol.client.job_client import JobClient
from shared.protocol.client.session import Session
from shared.protocol.client.source import RESTART_S, FileSource, FixedSource
from shared.protocol.client.transport import LaunchKeys, Transport
from shared.protocol.launch import ConnectionInfo, connection_json
from shared.protocol.messages import CLIENT_MESSAGES, PROTOCOL_MAX, Hello, Limits, Status, Welcome
from shared.protocol.wire import decode, encode

KEYS = LaunchKeys.make()
WAIT_MS = 60_000  # ends a test that would hang; nothing is measured with it


@contextmanager
def server() -> Iterator[tuple[zmq.Socket[bytes], int]]:
    """A backend's socket with the keys, and its port."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.linger = 0
        socket.rcvtimeo = WAIT_MS
        socket.curve_server = True
        socket.curve_secretkey = KEYS.server_secret.encode()
        yield socket, socket.bind_to_random_port("tcp://127.0.0.1")


def write(path: Path, info: ConnectionInfo) -> None:
    path.write_bytes(connection_json(info))
    os.chmod(path, 0o600)


def test_a_file_source_follows_a_backend_that_starts_again(tmp_path: Path) -> None:
    file = tmp_path / "connection.json"
    with pytest.raises(InputError, match="cannot be read"):
        FileSource(file)
    first, second = KEYS.connection(4000), KEYS.connection(4001)
    write(file, first)
    source = FileSource(file)
    assert source.find(0.0) == first
    file.unlink()
    assert source.find(10.0) is None  # it is starting again
    write(file, second)
    assert source.find(11.0) == second
    file.unlink()
    assert source.find(50.0) is None
    assert source.find(50.0 + RESTART_S + 1.0) == second  # the file may have been removed by hand


def test_sending_to_nobody_neither_waits_nor_takes_more_than_the_socket_holds() -> None:
    with server() as (_, port):
        pass  # nobody listens there any more
    transport = Transport(KEYS.connection(port))
    transport.send([b"message"] for _ in range(10_000))
    assert transport.full and transport.receive() == []
    transport.close()
    transport.close()
    assert not transport.full


@pytest.mark.parametrize("watch_memory", [True, False])
def test_a_session_greets_and_asks_for_memory_where_it_watches_it(watch_memory: bool) -> None:
    with server() as (socket, port):
        session = Session(JobClient("test"), FixedSource(KEYS.connection(port)), watch_memory=watch_memory)
        assert session.step(0.0) == [] and not session.idle
        peer, *frames = socket.recv_multipart()
        hello = decode(frames, CLIENT_MESSAGES)
        assert isinstance(hello.message, Hello)
        welcome = Welcome(PROTOCOL_MAX, "server 1", Limits(), credit=1000)
        socket.send_multipart([peer, *encode(welcome, 1, hello.id)])
        events: list[ClientEvent] = []
        while not events:
            session.wait(WAIT_MS / 1000)
            events = session.step(0.1)
        assert events == [Connected("server 1", PROTOCOL_MAX)] and session.server == "server 1"
        session.client.request_status(jobs=5)
        session.step(0.2)
        _, *frames = socket.recv_multipart()
        assert decode(frames, CLIENT_MESSAGES).message == Status(0 if watch_memory else 5)
        assert not session.ended
        session.close()
        assert session.ended
