from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.protocol import messages
from shared.protocol.messages import CLIENT_MESSAGES, SERVER_MESSAGES, Frame, Hello, Ping, Put
from shared.protocol.wire import MAX_HEADER_BYTES, WireError, decode, encode

PAYLOAD = b"\x00\x01\x02\xff"
PAYLOAD_DIGEST = "3d1f57c984978ef98a18378c8166c1cb8ede02c03eeb6aee7e2f121dfeee3e56"


def header(**changes: Any) -> bytes:
    value = json.loads(bytes(encode(Ping(), 1)[1])) | changes
    return json.dumps({key: item for key, item in value.items() if item is not ...}).encode()


def refused(frames: list[bytes], code: str, reply_to: int = 0) -> WireError:
    with pytest.raises(WireError) as caught:
        decode(frames, CLIENT_MESSAGES)
    assert (caught.value.code, caught.value.reply_to) == (code, reply_to)
    return caught.value


def test_a_message_and_its_payload_come_back() -> None:
    frames = encode(Put("a" * 64, 4, 0), 7, 3, [PAYLOAD])
    received = decode(frames, CLIENT_MESSAGES)
    assert (received.message, received.id, received.reply_to) == (Put("a" * 64, 4, 0), 7, 3)
    assert [bytes(payload) for payload in received.payloads] == [PAYLOAD]


def test_msgspec_decodes_the_same() -> None:
    frames = encode(Hello(1, 1, "client", 5), 1)
    assert decode(frames, CLIENT_MESSAGES, msgspec.convert) == decode(frames, CLIENT_MESSAGES)


def test_unknown_fields_are_ignored() -> None:
    frames = [b"latentman/1", header(mood="good", body={"later": 1})]
    assert decode(frames, CLIENT_MESSAGES).message == Ping()


def test_an_unknown_type_is_named_with_the_message_to_answer() -> None:
    error = refused([b"latentman/1", header(type="DANCE", id=9)], "protocol.unknown_type", 9)
    assert "DANCE" in error.message


def test_a_client_message_is_unknown_to_the_client() -> None:
    with pytest.raises(WireError, match="Unknown message type"):
        decode(encode(Ping(), 1), SERVER_MESSAGES)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([], "protocol.frames"),
        ([b"latentman/1"], "protocol.frames"),
        ([b"latentman/1", b"{}", b"", b"", b""], "protocol.frames"),
        ([b"latentman/2", b"{}"], "protocol.version"),
        ([b"GET / HTTP/1.1", b"{}"], "protocol.version"),
        ([b"latentman/1", b"not json"], "protocol.header"),
        ([b"latentman/1", b"{}"], "protocol.header"),
        ([b"latentman/1", b'{"type":"PING","id":NaN}'], "protocol.header"),
        ([b"latentman/1", b'{"type":"PING","id":1,"id":2}'], "protocol.header"),
        ([b"latentman/1", b'{"type":"PING","id":true}'], "protocol.header"),
        ([b"latentman/1", b'{"type":"PING","id":1,"payloads":{}}'], "protocol.header"),
        ([b"latentman/1", b" " * (MAX_HEADER_BYTES + 1)], "protocol.header_size"),
    ],
)
def test_what_is_no_message(frames: list[bytes], code: str) -> None:
    refused(frames, code)


def test_a_body_that_does_not_fit_its_type() -> None:
    error = refused([b"latentman/1", header(type="HELLO", id=4, body={"proto_min": "1"})], "protocol.body", 4)
    assert "proto_min" in error.message


@pytest.mark.parametrize(
    ("payloads", "announced", "code"),
    [
        ([], [], "protocol.payloads"),
        ([PAYLOAD, PAYLOAD], None, "protocol.payloads"),
        ([PAYLOAD], [], "protocol.payloads"),
        ([PAYLOAD], [{"size": 3, "sha256": PAYLOAD_DIGEST}], "protocol.payload_size"),
        ([PAYLOAD], [{"size": -4, "sha256": PAYLOAD_DIGEST}], "protocol.payload_size"),
        ([PAYLOAD], [{"size": 4, "sha256": "0" * 64}], "protocol.payload_digest"),
    ],
)
def test_payloads_are_checked_against_the_header(payloads: list[bytes], announced: Any, code: str) -> None:
    good = encode(Put("a" * 64, 4, 0), 5, 0, payloads)
    value = json.loads(bytes(good[1]))
    value["payloads"] = value["payloads"] if announced is None else announced
    refused([bytes(good[0]), json.dumps(value).encode(), *payloads], code, 5)


def test_a_payload_over_the_limit() -> None:
    frames = encode(Put("a" * 64, 4, 0), 5, 0, [b"x" * 101])
    with pytest.raises(WireError, match="limit"):
        decode(frames, CLIENT_MESSAGES, max_payload_bytes=100)


@given(
    position=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans(),
    kind=st.sampled_from(sorted(CLIENT_MESSAGES)),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_a_damaged_header_never_crashes(position: int, byte: int, cut: bool, kind: str) -> None:
    value = {"type": kind, "id": 1, "reply_to": 0, "body": {"digest": "a", "size": 1, "job": {}}, "payloads": []}
    data = bytearray(json.dumps(value).encode())
    position %= len(data)
    data = data[:position] if cut else data[:position] + bytes([byte]) + data[position + 1 :]
    for converter in (msgspec.convert, None):
        try:
            extra: dict[str, Any] = {} if converter is None else {"converter": converter}
            decode([b"latentman/1", bytes(data)], CLIENT_MESSAGES, **extra)
        except WireError as error:
            assert error.code.startswith("protocol.")


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_noise_never_crashes(frames: list[bytes]) -> None:
    with pytest.raises(WireError):
        decode(frames, CLIENT_MESSAGES)


def test_every_client_and_server_type_is_its_own() -> None:
    assert messages.PROTOCOL_MIN <= messages.PROTOCOL_MAX
    assert CLIENT_MESSAGES.keys() & SERVER_MESSAGES.keys() == {"CREDIT", "ERROR"}
    assert SERVER_MESSAGES["FRAME"] == (Frame, 1)


def test_golden_bytes() -> None:
    # The digest is SHA-256 of the four payload bytes, from sha256sum.
    digest = PAYLOAD_DIGEST.encode()
    expected = (
        b'{"body":{"digest":"' + b"a" * 64 + b'","offset":0,"size":4},"id":7,'
        b'"payloads":[{"sha256":"' + digest + b'","size":4}],"reply_to":3,"type":"PUT"}'
    )
    assert encode(Put("a" * 64, 4, 0), 7, 3, [PAYLOAD]) == [b"latentman/1", expected, PAYLOAD]
