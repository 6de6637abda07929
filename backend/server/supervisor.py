"""The supervisor's loop: one thread, one socket; messages in, work out, journaled events to every follower."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import msgspec
import zmq

from backend.server.dispatch.table import OpenDispatcher
from backend.server.endpoint import Endpoint, Sent
from backend.server.job_folders import JobFolders
from backend.server.job_queue import JobQueue
from backend.server.journal import EventRow, Journal
from backend.server.model_digest import ModelDigests
from backend.server.sessions import UPLOAD_WINDOW_BYTES, Cursor, Session
from backend.server.store import InputStore
from backend.server.versions import SERVER_NAME, version_error
from backend.server.wakeup import Wakeup
from shared.errors import BackendError, JobError, LatentManError, ProtocolError, told
from shared.jobs.identity import job_id
from shared.jobs.job import Job, checked_job, normal_job
from shared.protocol import messages as wire_messages
from shared.protocol.messages import CLIENT_MESSAGES, MAX_LISTED_JOBS, ClientMessage, Limits, Message
from shared.protocol.wire import Buffer, Received, WireError, decode, encode

MAX_SESSIONS = 32
SESSION_SILENCE_S = 600.0
_IDLE_S = 1.0
_BLOCKED_S = 0.05
_BATCH = 64
_NEVER = 2**62  # a cursor past every event

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the supervisor works with, made by `backend.server.serve`."""

    endpoint: Endpoint
    wakeup: Wakeup
    journal: Journal
    store: InputStore
    folders: JobFolders
    queue: JobQueue
    models: ModelDigests
    opened: OpenDispatcher


@dataclass(frozen=True, slots=True)
class _Pending:
    """A SUBMIT that waits for its model's digest."""

    identity: bytes
    message_id: int
    job: Job
    digest: Future[str]


class Supervisor:
    """Serves clients until `run`'s `stopping` says so."""

    def __init__(self, parts: Parts, limits: Limits | None = None) -> None:
        self._parts = parts
        self._limits = limits or Limits()
        self._sessions: dict[bytes, Session] = {}
        self._pending: list[_Pending] = []

    def run(self, stopping: Callable[[], bool], *, hold: bool = False) -> None:
        """Serve until `stopping` is true; it is looked at after each wake-up. With `hold` a predecessor's jobs wait
        until somebody asks for them. Raises BackendError where the journal
        cannot be written any more: nothing may be promised then."""
        poller = zmq.Poller()
        poller.register(self._parts.endpoint.socket, zmq.POLLIN)
        poller.register(self._parts.wakeup.fileno(), zmq.POLLIN)
        self._parts.queue.recover(hold=hold)
        while not stopping():
            poller.poll(int(self._timeout_s() * 1000))
            self._parts.wakeup.clear()
            try:
                self.step(time.monotonic())
            except BackendError as error:
                self._farewell(error)
                raise

    def step(self, now: float) -> None:
        """One turn: messages, workers, finished digests, events to followers."""
        for _ in range(_BATCH):
            received = self._parts.endpoint.receive()
            if received is None:
                break
            self._receive(*received, now)
        self._finish_pending()
        self._parts.queue.pump()
        for session in list(self._sessions.values()):
            if now - session.last_heard > SESSION_SILENCE_S or not self._serve(session):
                self._drop(session)

    def _timeout_s(self) -> float:
        if any(session.blocked or session.outbox for session in self._sessions.values()):
            return _BLOCKED_S
        deadline = self._parts.opened.dispatcher.next_deadline()
        return _IDLE_S if deadline is None else min(_IDLE_S, max(0.0, deadline - time.monotonic()) + 0.01)

    # ---- Messages in

    def _receive(self, identity: bytes, frames: list[Buffer], now: float) -> None:
        session = self._sessions.get(identity)
        try:
            received = decode(frames, CLIENT_MESSAGES, _strict, self._limits.max_chunk_bytes)
        except WireError as error:
            logger.warning("a message was refused: %s", error.code)
            self._answer(identity, wire_messages.Error(*told(error)), error.reply_to)
            return
        message = received.message
        if isinstance(message, wire_messages.Hello):
            self._hello(identity, message, received.id, now)
        elif session is None:
            if not isinstance(message, wire_messages.Error):
                unknown = ProtocolError("protocol.no_session", "Say HELLO first.")
                self._answer(identity, wire_messages.Error(*told(unknown)), received.id)
        else:
            session.last_heard = now
            try:
                self._handle(session, received)
            except LatentManError as error:
                self._reply(session, wire_messages.Error(*told(error)), received.id)

    def _hello(self, identity: bytes, hello: wire_messages.Hello, message_id: int, now: float) -> None:
        known = self._sessions.pop(identity, None)
        if known is not None:
            known.close()
        low, high = wire_messages.PROTOCOL_MIN, wire_messages.PROTOCOL_MAX
        version = min(hello.proto_max, high)
        if version < max(hello.proto_min, low):
            refusal = version_error(hello.client[:100], hello.proto_min, hello.proto_max)
            self._answer(identity, wire_messages.Reject(*told(refusal)), message_id)
            return
        if len(self._sessions) >= MAX_SESSIONS:
            oldest = min(self._sessions.values(), key=lambda session: session.last_heard)
            self._drop(oldest)
        session = Session(identity, hello.client[:100], max(0, hello.credit), now)
        self._sessions[identity] = session
        welcome = wire_messages.Welcome(version, SERVER_NAME, self._limits, UPLOAD_WINDOW_BYTES)
        self._reply(session, welcome, message_id)

    def _handle(self, session: Session, received: Received[ClientMessage]) -> None:
        parts = self._parts
        match received.message:
            case wire_messages.Ping():
                self._reply(session, wire_messages.Pong(), received.id)
            case wire_messages.Credit(bytes=more):
                session.credit += max(0, more)
            case wire_messages.Have(digests):
                missing = tuple(digest for digest in dict.fromkeys(digests) if not parts.store.has(digest))
                self._reply(session, wire_messages.Missing(missing), received.id)
            case wire_messages.Put() as put:
                self._put(session, put, received)
            case wire_messages.Status(jobs):
                self._tell_status(session, jobs, received.id)
            case wire_messages.Release():
                parts.opened.workers.release()
                self._tell_status(session, 0, received.id)
            case wire_messages.Error(code=code):
                logger.warning("the client could not serve a message: %s", code)
            case message:
                self._handle_work(session, message, received.id)

    def _handle_work(self, session: Session, message: ClientMessage, message_id: int) -> None:
        parts = self._parts
        match message:
            case wire_messages.Prepare(model, files):
                parts.models.request(model, files)
                parts.opened.workers.prepare(model, files)
            case wire_messages.Submit(values):
                self._submit(session, checked_job(values), message_id)
            case wire_messages.Attach(job_id=name, after_seq=after, have_frames=have):
                parts.queue.take_up(name)
                session.attach(name, after, frozenset(have))
                self._reply(session, wire_messages.Attached(name), message_id)
            case wire_messages.Cancel(job_id=name):
                parts.queue.cancel(name)

    def _tell_status(self, session: Session, jobs: int, message_id: int) -> None:
        """The newest jobs, at most so many, and the workers."""
        workers = self._parts.opened.workers
        listed = self._parts.journal.listing(min(jobs, MAX_LISTED_JOBS)) if jobs > 0 else ()
        self._reply(session, wire_messages.Jobs(listed, workers.workers(), workers.memory()), message_id)

    def _put(self, session: Session, put: wire_messages.Put, received: Received[ClientMessage]) -> None:
        try:
            whole = session.take_chunk(self._parts.store, put, received.payloads[0], self._limits.max_input_bytes)
        finally:
            granted = session.grant()
            if granted:
                self._reply(session, wire_messages.Credit(granted))
        if whole:
            self._reply(session, wire_messages.Stored(put.digest), received.id)
            self._parts.queue.input_stored(put.digest)

    def _submit(self, session: Session, job: Job, message_id: int) -> None:
        digest = self._parts.models.request(job.model, job.model_files)
        digest.add_done_callback(lambda _: self._parts.wakeup.set())
        self._pending.append(_Pending(session.identity, message_id, normal_job(job), digest))

    def _finish_pending(self) -> None:
        """Answer the SUBMITs whose model's digest is known by now."""
        for pending in [item for item in self._pending if item.digest.done()]:
            self._pending.remove(pending)
            try:
                name = job_id(pending.job, pending.digest.result())
                answer: Message = self._parts.queue.submit(name, pending.job)
            except LatentManError as error:
                answer = wire_messages.Error(*told(error))
            session = self._sessions.get(pending.identity)
            if session is not None:
                self._reply(session, answer, pending.message_id)

    # ---- Messages out

    def _answer(self, identity: bytes, message: Message, reply_to: int) -> None:
        """Answer someone who may have no session; whoever does not take it goes without."""
        session = self._sessions.get(identity)
        if session is not None:
            self._reply(session, message, reply_to)
        else:
            self._parts.endpoint.send(identity, encode(message, 0, reply_to))

    def _reply(self, session: Session, message: Message, reply_to: int = 0) -> None:
        if not session.queue(message, reply_to):
            logger.warning("dropped a client that does not read its answers")
            self._drop(session)

    def _serve(self, session: Session) -> bool:
        """Send a client what is due, as far as it takes it; False where it is gone."""
        session.blocked = False
        while session.outbox:
            sent = self._parts.endpoint.send(session.identity, session.outbox[0])
            if sent is not Sent.YES:
                session.blocked = sent is Sent.FULL
                return sent is Sent.FULL
            session.outbox.popleft()
        for name, cursor in session.cursors.items():
            while not session.blocked and session.credit > 0 and cursor.after_seq < self._parts.journal.last_seq(name):
                rows = self._parts.journal.events_after(name, cursor.after_seq, _BATCH)
                if not rows:
                    cursor.after_seq = self._parts.journal.last_seq(name)
                for row in rows:
                    if session.credit <= 0 or session.blocked or cursor.after_seq == _NEVER:
                        break
                    if not self._send_event(session, cursor, row):
                        return False
        return True

    def _send_event(self, session: Session, cursor: Cursor, row: EventRow) -> bool:
        """Send one event and move the cursor; False where the client is gone. The file of a frame, or of a result, is
        read here, not before, so that a slow reader costs no memory."""
        event, payload = row.event, row.payload
        digests: tuple[str, ...] = ()
        if isinstance(event, wire_messages.Frame) and event.frame in cursor.have_frames:
            cursor.after_seq = event.seq
            return True
        if isinstance(event, wire_messages.Frame | wire_messages.File):
            payload = self._read_file(event)
            if payload is None:
                cursor.after_seq = _NEVER
                session.queue(wire_messages.JobFailed(*told(_damaged(event)), job_id=event.job_id, seq=event.seq))
                return True
            digests = (event.sha256,)  # it has just been found so
        payloads = (payload,) if payload is not None else ()
        sent = self._parts.endpoint.send(session.identity, session.encode(event, payloads=payloads, digests=digests))
        session.blocked = sent is Sent.FULL
        if sent is Sent.YES:
            cursor.after_seq = event.seq
            session.credit -= len(payload or b"")
        return sent is not Sent.GONE

    def _read_file(self, event: wire_messages.Frame | wire_messages.File) -> bytes | None:
        """The file that an event tells of, None where it is damaged."""
        if isinstance(event, wire_messages.Frame):
            return self._parts.folders.read_frame(event.job_id, event.frame, event.sha256)
        return self._parts.folders.read_file(event.job_id, event.name, event.sha256)

    def _farewell(self, error: BackendError) -> None:
        """Tell every client why the server ends."""
        for session in list(self._sessions.values()):
            session.queue(wire_messages.Error(*told(error)))
            self._serve(session)
        self._parts.endpoint.close(linger_ms=1000)

    def _drop(self, session: Session) -> None:
        session.close()
        self._sessions.pop(session.identity, None)


def _damaged(event: wire_messages.Frame | wire_messages.File) -> JobError:
    """A file that is not what the journal says of it, as a client is told."""
    what = f"Frame {event.frame}" if isinstance(event, wire_messages.Frame) else f"The file {event.name}"
    logger.error("%s of job %s is damaged on disk", what, event.job_id[:12])
    return JobError(
        "job.frame_damaged",
        f"{what} is damaged on the backend's disk.",
        "Submit the job again. The backend then makes damaged files again.",
    )


def _strict(value: Any, wanted: type[Any]) -> Any:
    """msgspec's strict conversion; its ValidationError is a ValueError."""
    return msgspec.convert(value, wanted)
