"""The client's state machine against a scripted other side: no sockets, no clock but the numbers given here."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest

from shared.errors import BackendError, InputError, JobError, ProtocolError
from shared.files.digest import sha256_bytes
from shared.jobs.job import Job, JobInputs, checked_job
from shared.models.files import LoraFile, ModelFiles
from shared.protocol import messages
from shared.protocol.client import events as events
from shared.protocol.client.events import ClientEvent
from shared.protocol.client.job_client import JobClient, Timing
from shared.protocol.job_events import FrameDone
from shared.protocol.messages import CLIENT_MESSAGES, ClientMessage, Limits, Message
from shared.protocol.wire import Received, decode, encode
from shared.protocol.worker_memory import WorkerMemory

TIMING = Timing(hello_s=10, ping_s=1, silence_s=5, patience_s=60, retry_first_s=1, retry_last_s=8)
DATA = (b"pass", b"shot", b"vertices", b"charts")
DIGESTS = tuple(map(sha256_bytes, DATA))
JOB = Job("a robot", (5,), JobInputs(DIGESTS[:1], *DIGESTS[1:]))
JOB_ID = sha256_bytes(b"the job")
PNG = b"\x89PNG\r\n\x1a\n..."
MEMORY = WorkerMemory("a card", "card", True, 3 << 30, 5 << 30, 8 << 30, 4 << 30)

M = TypeVar("M", bound=ClientMessage)


class Script:
    """The other side: reads what the client sends and answers by hand."""

    def __init__(self, client: JobClient, now: float = 0.0) -> None:
        self.client = client
        self.now = now

    def taken(self) -> list[Received[ClientMessage]]:
        return [decode(frames, CLIENT_MESSAGES) for frames in self.client.take_outgoing()]

    def only(self, kind: type[M]) -> Received[M]:
        (received,) = self.taken()
        assert isinstance(received.message, kind)
        return received  # type: ignore[return-value]

    def say(self, message: Message, reply_to: int = 0, payloads: tuple[bytes, ...] = ()) -> list[ClientEvent]:
        return self.client.received(encode(message, 1, reply_to, payloads), self.now)

    def welcome(self, credit: int = 1 << 20, chunk: int = 1 << 20) -> list[ClientEvent]:
        self.client.connected(self.now)
        hello = self.only(messages.Hello)
        limits = Limits(max_chunk_bytes=chunk)
        return self.say(messages.Welcome(1, "server", limits, credit), hello.id)

    def attach(self, done: tuple[FrameDone, ...] = ()) -> messages.Attach:
        """From a submitted job to its events."""
        submit = self.only(messages.Submit)
        self.say(messages.Accepted(JOB_ID, "queued", 0, (), done), submit.id)
        attach = self.only(messages.Attach)
        self.say(messages.Attached(JOB_ID), attach.id)
        return attach.message

    def frame(self, seq: int, number: int = 5) -> list[ClientEvent]:
        return self.say(messages.Frame(number, sha256_bytes(PNG), job_id=JOB_ID, seq=seq), 0, (PNG,))


@pytest.fixture
def client() -> JobClient:
    return JobClient("test", timing=TIMING, credit_bytes=1000, jitter=lambda: 1.0)


@pytest.fixture
def script(client: JobClient) -> Script:
    return Script(client)


def test_hello_names_versions_and_window(client: JobClient, script: Script) -> None:
    client.connected(0.0)
    assert script.only(messages.Hello).message == messages.Hello(1, 1, "test", 1000)
    assert not client.ready


def test_nothing_is_sent_before_welcome_and_everything_after(client: JobClient, script: Script) -> None:
    for data in DATA:
        client.add_input(data)
    client.prepare("embedded")
    ticket = client.submit(JOB)
    assert script.welcome() == [events.Connected("server", 1)]
    kinds = [type(received.message) for received in script.taken()]
    assert kinds == [messages.Prepare, messages.Have, messages.Submit]
    assert client.open_tickets == (ticket,)


def test_only_missing_inputs_are_sent_in_chunks(client: JobClient, script: Script, tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"0123456789")
    name = client.add_input(path)
    client.add_input(b"pass")
    script.welcome(chunk=4)
    have = script.only(messages.Have)
    assert have.message.digests == (name, DIGESTS[0])
    assert script.say(messages.Missing((name,)), have.id) == [events.InputStored(DIGESTS[0], sent=False)]
    sent = script.taken()
    assert [received.message for received in sent] == [messages.Put(name, 10, offset) for offset in (0, 4, 8)]
    assert b"".join(bytes(received.payloads[0]) for received in sent) == b"0123456789"
    assert script.say(messages.Stored(name), sent[-1].id) == [events.InputStored(name, sent=True)]


def test_chunks_wait_for_credit(client: JobClient, script: Script) -> None:
    name = client.add_input(b"x" * 100)
    script.welcome(credit=30, chunk=10)
    script.say(messages.Missing((name,)), script.only(messages.Have).id)
    assert len(script.taken()) == 3
    assert script.taken() == []
    script.say(messages.Credit(20))
    assert [received.message for received in script.taken()] == [messages.Put(name, 100, at) for at in (30, 40)]


def test_a_call_takes_no_more_than_its_budget(client: JobClient, script: Script) -> None:
    name = client.add_input(b"x" * 100)
    script.welcome(chunk=10)
    script.say(messages.Missing((name,)), script.only(messages.Have).id)
    assert len(client.take_outgoing(budget_bytes=25)) == 3


def test_credit_is_given_back_for_what_was_used(client: JobClient, script: Script) -> None:
    client.submit(JOB)
    script.welcome()
    script.attach()
    for seq in range(1, 25):
        script.frame(seq)
    given = sum(received.message.bytes for received in script.taken() if isinstance(received.message, messages.Credit))
    assert given == 24 * len(PNG)


def test_an_input_that_changes_while_it_waits_fails_its_jobs(client: JobClient, script: Script, tmp_path: Path) -> None:
    path = tmp_path / "pass"
    path.write_bytes(b"pass")
    client.add_input(path)
    ticket = client.submit(JOB)
    script.welcome()
    have, submit = script.taken()
    script.say(messages.Accepted(JOB_ID, "waiting", 0, DIGESTS, ()), submit.id)
    path.unlink()
    script.say(messages.Missing(DIGESTS[:1]), have.id)
    script.taken()
    failed, ended = client.tick(0.1)
    assert isinstance(failed, events.InputFailed) and failed.digest == DIGESTS[0]
    assert isinstance(ended, events.Failed) and (ended.ticket, ended.error.code) == (ticket, "input.changed")
    assert messages.Cancel(JOB_ID) in [received.message for received in script.taken()]
    assert client.open_tickets == ()


def test_an_upload_that_the_server_refuses(client: JobClient, script: Script) -> None:
    name = client.add_input(b"pass")
    script.welcome()
    script.say(messages.Missing((name,)), script.only(messages.Have).id)
    put = script.only(messages.Put)
    (failed,) = script.say(messages.Error("storage.full", "The disk is full."), put.id)
    assert isinstance(failed, events.InputFailed) and isinstance(failed.error, JobError)
    client.submit(JOB)
    (ended,) = client.tick(0.1)
    assert isinstance(ended, events.Failed) and ended.error.code == "storage.full"
    assert client.add_input(b"pass") == name  # offered again, it is tried again
    assert isinstance(script.only(messages.Have).message, messages.Have)


def test_inputs_that_cannot_be_read(client: JobClient, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot read"):
        client.add_input(tmp_path / "nothing")


def test_an_invalid_job_is_refused_at_once(client: JobClient) -> None:
    with pytest.raises(InputError, match="10,000 characters"):
        client.submit(Job("x" * 10_000, (5,), JOB.inputs))
    assert client.open_tickets == ()


def test_a_job_from_submission_to_done(client: JobClient, script: Script) -> None:
    ticket = client.submit(JOB)
    script.welcome()
    submit = script.only(messages.Submit)
    assert checked_job(submit.message.job) == JOB
    accepted = script.say(messages.Accepted(JOB_ID, "queued", 0, (), ()), submit.id)
    assert accepted == [events.Accepted(ticket, JOB_ID, "queued", 0, 0, ())]
    attach = script.only(messages.Attach)
    assert attach.message == messages.Attach(JOB_ID, 0, ())
    assert script.say(messages.Attached(JOB_ID), attach.id) == []
    assert script.say(messages.State(JOB_ID, 1, "running", 1)) == [events.StateChanged(ticket, JOB_ID, "running", 1)]
    progress = messages.ProgressReport("denoise", 3, 20, 0, 1, 4.5, job_id=JOB_ID, seq=2)
    assert script.say(progress) == [events.Progress("denoise", 3, 20, 0, 1, 4.5, ticket=ticket, job_id=JOB_ID)]
    preview = messages.PreviewPicture(5, 2, 1, job_id=JOB_ID, seq=3)
    assert script.say(preview, 0, (b"abcdef",)) == [events.Preview(5, 2, 1, b"abcdef", ticket=ticket, job_id=JOB_ID)]
    assert script.frame(4) == [events.FrameReady(5, sha256_bytes(PNG), png=PNG, ticket=ticket, job_id=JOB_ID)]
    assert script.say(messages.JobDone(job_id=JOB_ID, seq=5)) == [events.Done(ticket=ticket, job_id=JOB_ID)]
    assert client.open_tickets == ()


def test_result_files_and_notes_are_told_and_a_file_that_is_not_known_is_not(client: JobClient, script: Script) -> None:
    ticket = client.submit(JOB)
    script.welcome()
    script.attach()
    digest = sha256_bytes(PNG)
    file = messages.File("atlas", digest, job_id=JOB_ID, seq=3)
    assert script.say(file, 0, (PNG,)) == [events.FileReady("atlas", digest, data=PNG, ticket=ticket, job_id=JOB_ID)]
    other = messages.File("../atlas", digest, job_id=JOB_ID, seq=4)
    assert script.say(other, 0, (PNG,)) == [] and not client.closed
    notes = ("A plate was taken.",)
    assert script.say(messages.JobDone(notes, job_id=JOB_ID, seq=5)) == [
        events.Done(notes, ticket=ticket, job_id=JOB_ID)
    ]


@pytest.mark.parametrize(("width", "height"), [(0, 0), (2, 2), (-2, -1), (1000, 1000)])
def test_a_preview_of_a_wrong_size_is_not_told(client: JobClient, script: Script, width: int, height: int) -> None:
    client.submit(JOB)
    script.welcome()
    script.attach()
    assert script.say(messages.PreviewPicture(5, width, height, job_id=JOB_ID, seq=3), 0, (b"abcdef",)) == []
    assert not client.closed


def test_an_event_is_told_once_and_nothing_after_the_end(client: JobClient, script: Script) -> None:
    client.submit(JOB)
    script.welcome()
    script.attach()
    assert len(script.frame(4)) == 1
    assert script.frame(4) == [] and script.frame(3) == []
    assert len(script.say(messages.JobDone(job_id=JOB_ID, seq=5))) == 1
    assert script.say(messages.JobDone(job_id=JOB_ID, seq=6)) == [] and script.frame(7) == []


def test_events_for_another_ticket_of_the_same_job_do_not_run_ahead(client: JobClient, script: Script) -> None:
    first = client.submit(JOB)
    script.welcome()
    script.attach()
    second = client.submit(JOB)
    submit = script.only(messages.Submit)
    script.say(messages.Accepted(JOB_ID, "running", 1, (), ()), submit.id)
    assert [event.ticket for event in script.frame(9) if isinstance(event, events.FrameReady)] == [first]
    attach = script.only(messages.Attach)
    assert attach.message.after_seq == 0
    script.say(messages.Attached(JOB_ID), attach.id)
    assert [event.ticket for event in script.frame(4) if isinstance(event, events.FrameReady)] == [second]
    both = script.say(messages.JobDone(job_id=JOB_ID, seq=10))
    assert both == [events.Done(ticket=first, job_id=JOB_ID), events.Done(ticket=second, job_id=JOB_ID)]


def test_frames_on_disk_with_the_right_digest_are_kept(client: JobClient, script: Script) -> None:
    client.submit(JOB, {5: "a" * 64, 6: "b" * 64})
    script.welcome()
    done = (FrameDone(5, "a" * 64), FrameDone(6, "c" * 64))
    assert script.attach(done).have_frames == (5,)


def test_a_new_connection_goes_on_after_the_last_event(client: JobClient, script: Script) -> None:
    client.submit(JOB)
    script.welcome()
    script.attach()
    script.frame(4)
    script.welcome()
    assert script.only(messages.Attach).message == messages.Attach(JOB_ID, 4, ())


def test_a_server_that_forgot_the_job_gets_it_again(client: JobClient, script: Script) -> None:
    ticket = client.submit(JOB)
    script.welcome()
    script.attach()
    script.frame(4)
    script.welcome()
    attach = script.only(messages.Attach)
    assert script.say(messages.Error("job.unknown", "No such job."), attach.id) == []
    script.attach()
    assert script.frame(1) == [events.FrameReady(5, sha256_bytes(PNG), png=PNG, ticket=ticket, job_id=JOB_ID)]


def test_a_server_that_forgot_the_session_is_greeted_again(client: JobClient, script: Script) -> None:
    name = client.add_input(b"pass")
    script.welcome()
    script.only(messages.Have)
    script.say(messages.Error("protocol.no_session", "Say HELLO first."), 2)
    hello = script.only(messages.Hello)
    script.say(messages.Error("protocol.no_session", "Say HELLO first."), 2)  # to something sent before
    script.say(messages.Welcome(1, "server", Limits(), 10), hello.id)
    assert script.only(messages.Have).message.digests == (name,)


def test_cancel_waits_for_its_one_end(client: JobClient, script: Script) -> None:
    ticket = client.submit(JOB)
    script.welcome()
    submit = script.only(messages.Submit)
    client.cancel(ticket)
    assert script.taken() == []
    script.say(messages.Accepted(JOB_ID, "queued", 0, (), ()), submit.id)
    attach = script.only(messages.Attach)
    script.say(messages.Attached(JOB_ID), attach.id)
    assert script.only(messages.Cancel).message == messages.Cancel(JOB_ID)
    assert script.taken() == []
    assert script.say(messages.JobCancelled(JOB_ID, 3)) == [events.Cancelled(ticket, JOB_ID)]
    client.cancel(ticket)
    assert script.taken() == [] and client.tick(0.1) == []


def test_a_job_cancelled_before_it_was_sent_ends_here(client: JobClient, script: Script) -> None:
    ticket = client.submit(JOB)
    client.cancel(ticket)
    assert client.tick(0.0) == [events.Cancelled(ticket, "")]
    script.welcome()
    assert script.taken() == []


def test_a_refused_job_fails_with_the_error_it_stands_for(client: JobClient, script: Script) -> None:
    ticket = client.submit(JOB)
    script.welcome()
    submit = script.only(messages.Submit)
    (failed,) = script.say(messages.Error("job.unheard", "It cannot be.", "Try."), submit.id)
    assert isinstance(failed, events.Failed) and (failed.ticket, failed.job_id) == (ticket, "")
    assert str(failed.error) == "It cannot be. Try."


def test_rejected_means_given_up(client: JobClient, script: Script) -> None:
    client.connected(0.0)
    hello = script.only(messages.Hello)
    (gave_up,) = script.say(messages.Reject("protocol.version", "Both versions.", "Update."), hello.id)
    assert isinstance(gave_up, events.GaveUp) and isinstance(gave_up.error, ProtocolError)
    assert client.closed and client.take_outgoing() == [] and client.tick(99.0) == []


def test_no_welcome_in_time_is_a_lost_connection(client: JobClient) -> None:
    client.connected(0.0)
    assert client.tick(2.0) == [] and client.tick(4.0) == [] and client.tick(6.0) == [] and client.tick(8.0) == []
    (lost,) = client.tick(10.1)
    assert isinstance(lost, events.ConnectionLost) and lost.retry_at == pytest.approx(11.1)
    assert isinstance(lost.error, BackendError)
    assert client.tick(10.5) == []


def test_silence_pings_and_then_is_a_lost_connection(client: JobClient, script: Script) -> None:
    script.welcome()
    assert client.tick(0.9) == [] and script.taken() == []
    client.tick(1.1)
    assert isinstance(script.only(messages.Ping).message, messages.Ping)
    script.now = 1.2
    script.say(messages.Pong())
    for now in (2.0, 3.0, 4.0, 5.0, 6.0):
        assert client.tick(now) == []
    assert isinstance(client.tick(6.3)[0], events.ConnectionLost)


def test_a_pause_of_our_own_is_not_the_servers_silence(client: JobClient, script: Script) -> None:
    script.welcome()
    client.tick(1.0)
    assert client.tick(100.0) == []
    assert client.tick(101.0) == []


def test_back_off_doubles_and_ends(client: JobClient) -> None:
    now, delays = 0.0, []
    while True:
        client.connected(now)
        lost: list[ClientEvent] = []
        while not lost:
            now += 2.0
            lost = client.tick(now)
        if isinstance(lost[0], events.GaveUp):
            break
        assert isinstance(lost[0], events.ConnectionLost)
        delays.append(lost[0].retry_at - now)
        now = lost[0].retry_at
    assert delays == pytest.approx([1.0, 2.0, 4.0, 8.0])
    assert now > TIMING.patience_s
    assert client.closed


def test_what_the_server_must_not_send(client: JobClient, script: Script) -> None:
    script.welcome()
    assert client.received([b"latentman/1", b'{"type":"SING","id":8}'], 0.0) == []
    error = script.only(messages.Error)
    assert (error.message.code, error.reply_to) == ("protocol.unknown_type", 8)
    (gave_up,) = client.received([b"latentman/1", b"rubbish"], 0.0)
    assert isinstance(gave_up, events.GaveUp) and isinstance(gave_up.error, ProtocolError)


def test_status(client: JobClient, script: Script) -> None:
    script.welcome()
    client.request_status()
    asked = script.only(messages.Status)
    row = messages.JobInfo(JOB_ID, "done", 1, "latentman", "a robot", 1, 1)
    assert script.say(messages.Jobs((row,), 1, (MEMORY,)), asked.id) == [events.JobsListed((row,), 1, (MEMORY,))]
    client.request_status(jobs=0)
    assert script.only(messages.Status).message == messages.Status(0)


def test_models_are_released_or_the_refusal_is_told_once(client: JobClient, script: Script) -> None:
    script.welcome()
    client.release_models()
    asked = script.only(messages.Release)
    assert script.say(messages.Jobs((), 1, (MEMORY,)), asked.id) == [events.JobsListed((), 1, (MEMORY,))]
    client.release_models()
    asked = script.only(messages.Release)
    refused = messages.Error("backend.busy", "A job is running.", "Wait.")
    (event,) = script.say(refused, asked.id)
    assert isinstance(event, events.ReleaseRefused) and event.error.code == "backend.busy"
    assert script.say(refused, asked.id) == []


def test_the_newest_model_is_prepared_with_its_files_and_again_after_a_reconnect(
    client: JobClient, script: Script
) -> None:
    client.prepare("first")
    files = ModelFiles(loras=(LoraFile("/a.safetensors", 0.5),))
    client.prepare("second", files)
    script.welcome()
    assert script.only(messages.Prepare).message == messages.Prepare("second", files)
    client.prepare("first")
    assert script.only(messages.Prepare).message == messages.Prepare("first")
    script.welcome()
    assert script.only(messages.Prepare).message == messages.Prepare("first")
    client.release_models()
    script.only(messages.Release)
    script.welcome()
    assert script.taken() == []
