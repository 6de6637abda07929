"""Strangers get nothing, broken messages get typed errors, and the server lives through all of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq

from backend.commands.base.connection import Link
from backend.commands.base.private_backend import PrivateBackend
from backend.server.versions import SERVER_NAME
from shared.files.digest import sha256_bytes
from shared.jobs.job import job_values
from shared.protocol import messages
from shared.protocol.client import events as events
from shared.protocol.client.job_client import JobClient
from shared.protocol.launch import ConnectionInfo
from shared.protocol.messages import SERVER_MESSAGES, Error, Hello, Message, Put, Reject, Status, Submit, Welcome
from shared.protocol.wire import decode, encode
from tests.helpers.server_rig import (
    GUARD_S,
    QUICK,
    answered,
    backend,
    drive,
    ended,
    ends_of,
    expected_digests,
    frames_of,
    linked,
    make_shot,
    run_shot,
)

QUIET_MS = 700  # how long nothing may come for "gets nothing"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateBackend]:
    with backend(tmp_path_factory.mktemp("security")) as started:
        yield started
        assert started.process.poll() is None


@dataclass
class Raw:
    """A bare socket, for messages that a proper client cannot send."""

    socket: zmq.Socket[bytes]

    def send(self, frames: list[Any]) -> None:
        self.socket.send_multipart(frames)

    def ask(self, message: Message, message_id: int = 1, payloads: tuple[bytes, ...] = ()) -> Message:
        self.send(encode(message, message_id, payloads=payloads))
        return self.answer()

    def answer(self) -> Message:
        assert self.socket.poll(int(GUARD_S * 1000))
        return decode(self.socket.recv_multipart(), SERVER_MESSAGES).message

    def error(self) -> str:
        answer = self.answer()
        assert isinstance(answer, Error)
        return answer.code


@contextlib.contextmanager
def raw(info: ConnectionInfo, client_secret: str | None = "", server_key: str = "") -> Iterator[Raw]:
    """A DEALER with the right keys, other keys, or (None) no encryption at all."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        if client_secret is not None:
            secret = (client_secret or info.client_secret_key).encode()
            socket.curve_serverkey = (server_key or info.server_public_key).encode()
            socket.curve_publickey, socket.curve_secretkey = zmq.curve_public(secret), secret
        socket.connect(info.address)
        yield Raw(socket)


@contextlib.contextmanager
def greeted(info: ConnectionInfo) -> Iterator[Raw]:
    with raw(info) as peer:
        assert isinstance(peer.ask(Hello(1, 1, "raw", 1 << 20)), Welcome)
        yield peer


@pytest.mark.parametrize("stranger", ["other keys", "no curve", "wrong server key"])
def test_a_stranger_gets_nothing(running: PrivateBackend, stranger: str) -> None:
    public, secret = (key.decode() for key in zmq.curve_keypair())
    client_secret = {"other keys": secret, "no curve": None}.get(stranger, "")
    with raw(running.info, client_secret, public if stranger == "wrong server key" else "") as peer:
        peer.send(encode(Hello(1, 1, "stranger", 1), 1))
        peer.send(encode(Status(), 2))
        assert peer.socket.poll(QUIET_MS) == 0
    with greeted(running.info) as friend:
        assert isinstance(friend.ask(Status()), messages.Jobs)


def test_versions_that_do_not_meet_are_both_named(running: PrivateBackend) -> None:
    with raw(running.info) as peer:
        answer = peer.ask(Hello(7, 9, "add-on from tomorrow", 1))
        assert isinstance(answer, Reject)
        assert answer.message == (
            f"The backend ({SERVER_NAME}) is older than add-on from tomorrow, and the two do not understand "
            "each other (protocol 1 there, 7 to 9 here)."
        )
        assert answer.hint.startswith("Update the backend, or ")
        old = peer.ask(Hello(0, 0, "old add-on", 1))
        assert isinstance(old, Reject) and old.hint.startswith("Update old add-on, or ")
        assert isinstance(peer.ask(Hello(0, 9, "broad", 1)), Welcome)


def test_a_rejected_client_gives_up_with_the_text(running: PrivateBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "PROTOCOL_MIN", 5)
    monkeypatch.setattr(messages, "PROTOCOL_MAX", 6)
    with linked(running.info) as link:
        seen = drive(link, ended)
    assert isinstance(seen[-1], events.GaveUp)
    assert "(protocol 1 there, 5 to 6 here)" in str(seen[-1].error)


def test_nothing_before_hello(running: PrivateBackend) -> None:
    with raw(running.info) as peer:
        answer = peer.ask(Status())
        assert isinstance(answer, Error) and answer.code == "protocol.no_session"


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([b"latentman/1"], "protocol.frames"),
        ([b"latentman/1", b"{}", b"", b"", b"", b""], "protocol.frames"),
        ([b"latentman/9", b"{}"], "protocol.version"),
        ([b"latentman/1", b"\xff\xfe"], "protocol.header"),
        ([b"latentman/1", b"[" * 50_000], "protocol.header"),
        ([b"latentman/1", b'{"type":"STATUS","id":Infinity}'], "protocol.header"),
        ([b"latentman/1", b'{"type":"EVAL","id":3,"body":{}}'], "protocol.unknown_type"),
        ([b"latentman/1", b'{"type":"SUBMIT","id":3,"body":{"job":3}}'], "protocol.body"),
        ([b"latentman/1", b'{"type":"SUBMIT","id":3,"body":{"job":{"prompt":3}}}'], "job.invalid"),
        ([b"latentman/1", b'{"type":"CREDIT","id":3,"body":{"bytes":1.5}}'], "protocol.body"),
        ([b"latentman/1", b'{"type":"PUT","id":3,"body":{},"payloads":[]}'], "protocol.payloads"),
    ],
)
def test_a_malformed_message_gets_a_typed_error(running: PrivateBackend, frames: list[bytes], code: str) -> None:
    with greeted(running.info) as peer:
        peer.send(frames)
        assert peer.error() == code
        assert isinstance(peer.ask(Status()), messages.Jobs)


def test_inputs_that_lie_about_themselves(running: PrivateBackend) -> None:
    data, name = b"input", sha256_bytes(b"input")
    with greeted(running.info) as peer:
        for put, payload, code in (
            (Put(sha256_bytes(b"other"), 5, 0), data, "protocol.input_digest"),
            (Put("../../escape", 5, 0), data, "protocol.digest"),
            (Put(name, 5, 2), data, "protocol.chunk"),
            (Put(name, 4, 0), data, "protocol.chunk"),
            (Put(name, 1 << 40, 0), data, "protocol.input_size"),
            (Put(name, -5, 0), data, "protocol.input_size"),
            (Put(name, 5, 0), b"x" * (messages.Limits().max_chunk_bytes + 1), "protocol.payload_size"),
        ):
            answer = peer.ask(put, 5, (payload,))
            assert isinstance(answer, Error) and answer.code == code
        tampered = encode(Put(name, 5, 0), 6, payloads=[data])
        peer.send([*tampered[:2], b"inpuT"])
        assert peer.error() == "protocol.payload_digest"
        assert isinstance(peer.ask(messages.Have((name,))), messages.Missing)
        assert peer.ask(Put(name, 5, 0), 7, (data,)) == messages.Stored(name)
        assert peer.ask(messages.Have((name,))) == messages.Missing(())


def test_a_frame_past_the_transports_limit_costs_only_its_connection(running: PrivateBackend) -> None:
    with greeted(running.info) as peer:
        peer.send([b"latentman/1", b" " * (6 << 20)])
        peer.socket.poll(QUIET_MS)
    with greeted(running.info) as peer:
        assert isinstance(peer.ask(Status()), messages.Jobs)


def test_a_job_that_is_no_job_is_refused_by_the_server_too(running: PrivateBackend, tmp_path: Path) -> None:
    job = make_shot(tmp_path / "model").job
    header = json.loads(bytes(encode(Submit(job_values(job)), 4)[1]))
    with greeted(running.info) as peer:
        for field, value, code in (("prompt", "x" * 10_000, "job.prompt_long"), ("frames", [], "job.frames_empty")):
            changed = header | {"body": {"job": header["body"]["job"] | {field: value}}}
            peer.send([b"latentman/1", json.dumps(changed).encode()])
            assert peer.error() == code


def test_inputs_begun_and_never_ended_are_bounded_and_their_credit_comes_back(running: PrivateBackend) -> None:
    chunk = b"x" * messages.Limits().max_chunk_bytes
    with greeted(running.info) as peer:
        for number in range(80):
            name = sha256_bytes(bytes([number]))
            peer.send(encode(Put(name, len(chunk) * 2, 0), number + 10, payloads=[chunk]))
        answers: list[Message] = []
        while not answers or answers[-1] != messages.Pong():
            if not answers:
                peer.send(encode(messages.Ping(), 999))
            answers.append(peer.answer())
    granted = sum(answer.bytes for answer in answers if isinstance(answer, messages.Credit))
    errors = {answer.code for answer in answers if isinstance(answer, Error)}
    assert granted == 80 << 20
    assert errors == {"protocol.uploads"}


def test_a_reader_that_stops_costs_no_memory(tmp_path: Path) -> None:
    """60 frames of 2 MB for a client that reads none of them: the supervisor holds its window, not the shot."""
    shot = make_shot(tmp_path / "model", "a test pad=2000000", frames=60, steps=1)
    window = 8 << 20
    with backend(tmp_path / "work") as running:
        supervisor = psutil.Process(running.process.pid)
        with linked(running.info) as link:
            for data in shot.inputs:
                link.client.add_input(data)
            drive(link, lambda seen: answered(seen) == set(shot.job.inputs.digests()))
            before = supervisor.memory_info().rss
        slow = JobClient("slow", timing=QUICK, credit_bytes=window)
        with Link(slow, running.info) as link:
            slow.submit(shot.job)
            drive(link, lambda seen: any(isinstance(event, events.StateChanged) for event in seen))
            with linked(running.info) as watcher:
                (info,) = _jobs_until_done(watcher)
            assert info.done_frames == 60
            grown = supervisor.memory_info().rss - before
            seen = drive(link, ended)
    assert grown < 70 << 20
    assert frames_of(seen).keys() == expected_digests(shot).keys()
    assert [type(event) for event in ends_of(seen)] == [events.Done]


def _jobs_until_done(watcher: Any) -> tuple[messages.JobInfo, ...]:
    while True:
        watcher.client.request_status()
        seen = drive(watcher, lambda seen: any(isinstance(event, events.JobsListed) for event in seen))
        listed = next(event for event in seen if isinstance(event, events.JobsListed))
        if all(job.state == "done" for job in listed.jobs):
            return tuple(listed.jobs)


def test_a_clean_run_on_the_server_that_saw_all_this(running: PrivateBackend, tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model")
    with linked(running.info) as link:
        assert frames_of(run_shot(link, shot)) == expected_digests(shot)
