from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared.errors import BackendError, InputError, ModelError
from shared.protocol.launch import (
    ConnectionInfo,
    LaunchReply,
    LaunchRequest,
    connection_json,
    failure_line,
    parse_reply,
    parse_request,
    path_from,
    path_text,
    read_connection_file,
)

KEY = "k" * 40
INFO = ConnectionInfo("127.0.0.1", 5555, KEY, KEY)


def test_request_and_reply_are_one_line_each() -> None:
    request, reply = LaunchRequest(KEY, KEY, "/work folder/é", 1), LaunchReply(5555, 1, 42)
    assert parse_request(request.line()) == request and request.line().count(b"\n") == 1
    assert parse_reply(reply.line()) == reply and reply.line().count(b"\n") == 1


@pytest.mark.parametrize("name", [b"caf\xc3\xa9", b"caf\xe9", b"100%", b"bytes:x", b"\xff%41"])
def test_a_work_folder_of_any_name_crosses_as_it_is(name: bytes) -> None:
    folder = Path(os.fsdecode(b"/work/" + name))
    request = parse_request(LaunchRequest(KEY, KEY, path_text(folder), 1).line())
    assert path_from(request.work_folder) == folder


@pytest.mark.parametrize("line", [b"", b"{}", b"Traceback (most recent ...", LaunchRequest("", KEY, "x", 1).line()])
def test_a_broken_request(line: bytes) -> None:
    with pytest.raises(BackendError, match="start line"):
        parse_request(line)


def test_the_backends_own_failure_is_raised() -> None:
    with pytest.raises(ModelError, match="It is not there"):
        parse_reply(failure_line(ModelError("model.missing", "It is not there.")))


def test_a_failure_of_a_backend_of_before_there_were_kinds() -> None:
    with pytest.raises(BackendError, match="It is not there. Bring it.") as caught:
        parse_reply(b'{"error":{"code":"model.missing","hint":"Bring it.","message":"It is not there."}}\n')
    assert caught.value.code == "model.missing"


@pytest.mark.parametrize("line", [b"", b"usage: something else", b'{"port": "no"}'])
def test_a_reply_from_something_else(line: bytes) -> None:
    with pytest.raises(BackendError, match="does not answer like one"):
        parse_reply(line)


def test_the_connection_file(tmp_path: Path) -> None:
    path = tmp_path / "connection.json"
    path.write_bytes(connection_json(INFO))
    path.chmod(0o600)
    assert read_connection_file(path) == INFO
    assert INFO.address == "tcp://127.0.0.1:5555"
    assert ConnectionInfo("::1", 1, KEY, KEY).address == "tcp://[::1]:1"


@pytest.mark.parametrize("content", [b"", b"[]", connection_json(ConnectionInfo("h", 0, KEY, KEY)), b'{"host":"h"}'])
def test_a_broken_connection_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "connection.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(InputError, match="not a connection file"):
        read_connection_file(path)


def test_no_connection_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_connection_file(tmp_path / "nothing")
