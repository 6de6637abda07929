"""The client's side of the protocol as a state machine without input or output of its own.

A `Session` owns the socket and the clock and does only this:

    client = JobClient("name of the program")
    client.connected(now)                           # after opening a socket, the first one too
    loop:
        for message in client.take_outgoing():      # list of wire frames; send them in this order
            socket.send_multipart(message)
        for each received message:
            events += client.received(frames, now)
        events += client.tick(now)                  # deadlines; call it at least every half second
        ConnectionLost -> close the socket; once now >= retry_at open a new one and call client.connected(now)
        GaveUp         -> close the socket and show the error

`now` is any clock that only goes forward, in seconds (`time.monotonic()`). Everything may be called in any order and
before the connection stands: inputs are sent as soon as they can be, jobs are submitted as soon as they can be.
Memory stays bounded: input chunks are read when they are taken, and the server sends within the credit given here.
"""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import BackendError, JobError, LatentManError, ProtocolError, error_of, told
from ...jobs.job import Job
from ...models.files import ModelFiles
from .. import messages as wire_messages
from ..messages import SERVER_MESSAGES, Limits, Message, ServerMessage
from ..wire import Buffer, Received, WireError, decode, encode
from . import events as events
from .events import ClientEvent
from .jobs import JobTracks
from .uploads import Uploads

CREDIT_WINDOW_BYTES = 64 << 20
OUTGOING_BUDGET_BYTES = 4 << 20
_LOST_HINT = "Check that the backend still runs, then resume: finished frames are kept."


@dataclass(frozen=True, slots=True)
class Timing:
    """Deadlines in seconds. `patience_s` bounds the time without any connection until the client gives up."""

    hello_s: float = 10.0
    ping_s: float = 1.0
    silence_s: float = 10.0
    patience_s: float = 60.0
    retry_first_s: float = 1.0
    retry_last_s: float = 32.0


class JobClient:
    """Inputs, jobs and their events over one connection that may break and come back."""

    def __init__(
        self,
        name: str,
        *,
        timing: Timing | None = None,
        credit_bytes: int = CREDIT_WINDOW_BYTES,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`name` is shown by the server; `jitter` gives 0..1 and spreads the reconnects of many clients."""
        self._name = name
        self._timing = timing or Timing()
        self._window = credit_bytes
        self._jitter = jitter
        self._uploads = Uploads()
        self._jobs = JobTracks()
        self._prepare: wire_messages.Prepare | None = None  # the newest, told again to a server that comes back
        self._ids = itertools.count(1)
        self._link = _Link()
        self._control: deque[list[Buffer]] = deque()
        self._waiting_events: list[ClientEvent] = []
        self._status_wanted: int | None = None
        self._release_wanted = False

    # ---- What the application asks for

    def add_input(self, source: Path | bytes) -> str:
        """Offer a file (or bytes) as an input and return its SHA-256; it is sent if the server lacks it.

        May be called long before `submit`: passes go over while later frames still render. A file must not change
        until it is stored. Raises InputError where it cannot be read.
        """
        return self._uploads.add(source)

    def prepare(self, model: str, files: ModelFiles | None = None) -> None:
        """Have the server load a model, with a job's own files, while passes still render."""
        self._prepare = wire_messages.Prepare(model, files or ModelFiles())
        if self.ready:
            self._send(self._prepare)

    def release_models(self) -> None:
        """Have the server unload its models; answered by `JobsListed` or `ReleaseRefused`."""
        self._prepare = None
        self._release_wanted = True

    def submit(self, job: Job, have_frames: Mapping[int, str] | None = None) -> int:
        """Submit a job, or attach to it if the server has it; returns the ticket that its events carry.

        `have_frames` maps frame numbers to the SHA-256 of the PNG files that lie in the output folder: finished frames
        with the same digest are not sent again (`Accepted.kept_frames`). Raises InputError (`validate_job`).
        """
        ticket = self._jobs.submit(job, dict(have_frames or {}))
        error = self._uploads.error_of(job.inputs.digests())
        if error is not None:
            self._fail_track(ticket, error)
        return ticket

    def attach(self, job_id: str, after_seq: int = 0) -> int:
        """Follow a job by its id without having its file; returns the ticket. Unknown jobs end in `Failed`."""
        return self._jobs.attach(job_id, after_seq)

    def cancel(self, ticket: int) -> None:
        """Stop a ticket's job. Its one terminal event still comes; a ticket that has ended stays as it is."""
        self._jobs.cancel(ticket)

    def request_status(self, jobs: int = wire_messages.MAX_LISTED_JOBS) -> None:
        """Ask for the newest jobs, at most so many, and for the workers' memory; answered by `JobsListed`."""
        self._status_wanted = jobs

    # ---- What the application may look at

    @property
    def ready(self) -> bool:
        """Whether the server has welcomed us on the present connection."""
        return self._link.phase == "ready"

    @property
    def closed(self) -> bool:
        """Whether the client gave up; it does nothing more."""
        return self._link.phase == "closed"

    @property
    def open_tickets(self) -> tuple[int, ...]:
        """Tickets that have not ended."""
        return self._jobs.open_tickets

    # ---- What the transport drives

    def connected(self, now: float) -> None:
        """A fresh socket is open, the first one or the next after `ConnectionLost`: greet the server on it."""
        if self.closed:
            return
        self._link.last_tick = now
        if self._link.reachable_at is None:
            self._link.reachable_at = now
        self._greet(now)

    def received(self, frames: Sequence[Buffer], now: float) -> list[ClientEvent]:
        """Take one message from the server and return what it means. Never raises on what the server sent."""
        if self.closed or self._link.phase == "offline":
            return []
        self._link.last_heard = now
        try:
            received = decode(frames, SERVER_MESSAGES)
        except WireError as error:
            if error.code == "protocol.unknown_type":
                self._send(wire_messages.Error(*told(error)), error.reply_to)
                return []
            return [self._close(error)]
        self._link.consumed += sum(len(payload) for payload in received.payloads)
        return self._take_waiting() + self._handle(received, now)

    def tick(self, now: float) -> list[ClientEvent]:
        """Look at the clock: pings, lost connections, giving up. Call it at least every half second."""
        link, timing = self._link, self._timing
        waiting = self._take_waiting()
        if link.phase in ("offline", "closed"):
            return waiting
        if now - link.last_tick > timing.silence_s / 2:
            # This side slept (a long render in the main thread), which says nothing about the server.
            link.last_heard = max(link.last_heard, now - timing.ping_s)
            link.greeted_at += now - link.last_tick
        link.last_tick = now
        if link.phase == "greeting" and now - link.greeted_at > timing.hello_s:
            return [*waiting, self._lose(now, f"The backend did not answer within {timing.hello_s:g} s.")]
        if link.phase == "ready":
            if now - link.last_heard > timing.silence_s:
                return [*waiting, self._lose(now, f"The backend has not answered for {timing.silence_s:g} s.")]
            link.reachable_at = link.last_heard
            if now - max(link.last_pinged, link.last_heard) > timing.ping_s:
                link.last_pinged = now
                self._send(wire_messages.Ping())
        return waiting

    def take_outgoing(self, budget_bytes: int = OUTGOING_BUDGET_BYTES) -> list[list[Buffer]]:
        """Messages to send now, in order, at most about `budget_bytes` of payload. What is taken must be sent (or the
        connection reset): a transport whose socket is full keeps them and takes no more meanwhile."""
        if self.ready:
            self._fill()
        taken = list(self._control)
        self._control.clear()
        while self.ready and budget_bytes > 0 and self._link.credit > 0:
            chunk = self._uploads.next_chunk(self._link.limits.max_chunk_bytes)
            if chunk is None:
                break
            if isinstance(chunk, events.InputFailed):
                self._waiting_events += self._input_failed(chunk)
                continue
            put, data = chunk
            budget_bytes -= max(1, len(data))
            self._link.credit -= len(data)
            message_id = next(self._ids)
            self._link.puts[message_id] = put.digest
            taken.append(encode(put, message_id, payloads=[data]))
        return taken

    # ---- Inside

    def _fill(self) -> None:
        """Queue what has become due since the last call: questions, submissions, cancels, credit."""
        link = self._link
        while asked := self._uploads.to_ask():
            link.haves[self._send(wire_messages.Have(asked))] = asked
        for message, ticket in self._jobs.take_due():
            link.requests[self._send(message)] = ticket
        if self._status_wanted is not None:
            self._send(wire_messages.Status(self._status_wanted))
            self._status_wanted = None
        if self._release_wanted:
            self._release_wanted = False
            link.releases.add(self._send(wire_messages.Release()))
        if link.consumed * 4 >= self._window:
            self._send(wire_messages.Credit(link.consumed))
            link.consumed = 0

    def _send(self, message: Message, reply_to: int = 0) -> int:
        message_id = next(self._ids)
        self._control.append(encode(message, message_id, reply_to))
        return message_id

    def _greet(self, now: float) -> None:
        """Begin a session: whatever was under way on the last one is asked for or sent again."""
        link = _Link(phase="greeting", greeted_at=now, last_heard=now, last_tick=self._link.last_tick)
        link.reachable_at, link.losses = self._link.reachable_at, self._link.losses
        self._link = link
        self._control.clear()
        self._uploads.reset()
        self._jobs.reset()
        low, high = wire_messages.PROTOCOL_MIN, wire_messages.PROTOCOL_MAX
        link.hello_id = self._send(wire_messages.Hello(low, high, self._name, self._window))

    def _lose(self, now: float, sentence: str) -> ClientEvent:
        link, timing = self._link, self._timing
        if now - (link.reachable_at or 0.0) > timing.patience_s:
            return self._close(BackendError("backend.lost", sentence, _LOST_HINT))
        delay = min(timing.retry_last_s, timing.retry_first_s * 2**link.losses) * (0.5 + self._jitter() / 2)
        link.losses += 1
        link.phase = "offline"
        return events.ConnectionLost(BackendError("backend.silent", sentence), now + delay)

    def _close(self, error: LatentManError) -> ClientEvent:
        self._link.phase = "closed"
        self._control.clear()
        return events.GaveUp(error)

    def _take_waiting(self) -> list[ClientEvent]:
        waiting = self._waiting_events + self._jobs.take_events()
        self._waiting_events = []
        return waiting

    def _handle(self, received: Received[ServerMessage], now: float) -> list[ClientEvent]:
        match received.message:
            case wire_messages.Welcome() as welcome:
                return self._welcomed(welcome, received.reply_to)
            case wire_messages.Reject() as reject:
                return [self._close(error_of(reject, unsaid=ProtocolError))]
            case wire_messages.Credit(bytes=more):
                self._link.credit += max(0, more)
                return []
            case wire_messages.Error() as error:
                return self._error(error, received.reply_to, now)
            case wire_messages.Pong():
                return []
            case wire_messages.Jobs(jobs=jobs, workers=workers, memory=memory):
                self._link.releases.discard(received.reply_to)
                return [events.JobsListed(jobs, workers, memory)]
            case wire_messages.Missing() | wire_messages.Stored() as answer:
                return self._input_answer(answer, received.reply_to)
            case wire_messages.Accepted() as accepted:
                self._uploads.lacking(accepted.missing)
                return self._jobs.accepted(self._link.requests.pop(received.reply_to, 0), accepted)
            case wire_messages.Attached():
                self._jobs.attached(self._link.requests.pop(received.reply_to, 0))
                return []
            case event:
                return self._jobs.event(event, bytes(received.payloads[0]) if received.payloads else b"")

    def _welcomed(self, welcome: wire_messages.Welcome, reply_to: int) -> list[ClientEvent]:
        if self._link.phase != "greeting" or reply_to != self._link.hello_id:
            return []
        self._link.phase = "ready"
        self._link.losses = 0
        self._link.credit = welcome.credit
        self._link.limits = welcome.limits
        if self._prepare is not None:
            self._send(self._prepare)
        return [events.Connected(welcome.server, welcome.proto)]

    def _input_answer(self, answer: wire_messages.Missing | wire_messages.Stored, reply_to: int) -> list[ClientEvent]:
        if isinstance(answer, wire_messages.Missing):
            return [*self._uploads.answered(self._link.haves.pop(reply_to, ()), answer.digests)]
        self._forget_puts(answer.digest)
        return [*self._uploads.stored(answer.digest)]

    def _error(self, error: wire_messages.Error, reply_to: int, now: float) -> list[ClientEvent]:
        """An ERROR answer belongs to an upload, to a ticket, or says that the server does not know this session."""
        link = self._link
        if error.code == "protocol.no_session":
            if link.phase == "ready":
                self._greet(now)
            return []
        failure = error_of(error, unsaid=JobError)
        if reply_to in link.puts:
            digest = link.puts[reply_to]
            self._forget_puts(digest)
            return self._flatten(self._uploads.failed(digest, failure))
        if reply_to in link.requests:
            return self._jobs.refused(link.requests.pop(reply_to), failure)
        if reply_to in link.releases:
            link.releases.discard(reply_to)
            return [events.ReleaseRefused(failure)]
        if error.code == "protocol.version":
            return [self._close(error_of(error, unsaid=ProtocolError))]
        if reply_to == 0 and error.code.startswith("journal."):
            return [self._close(error_of(error, unsaid=BackendError))]
        return []

    def _forget_puts(self, digest: str) -> None:
        self._link.puts = {number: name for number, name in self._link.puts.items() if name != digest}

    def _flatten(self, failures: Iterable[events.InputFailed]) -> list[ClientEvent]:
        return [event for failure in failures for event in self._input_failed(failure)]

    def _input_failed(self, failure: events.InputFailed) -> list[ClientEvent]:
        """A failed input and the end of every ticket that needs it."""
        tickets = self._jobs.needing(failure.digest)
        ended = [event for ticket in tickets for event in self._jobs.end_locally(ticket, failure.error)]
        return [failure, *ended]

    def _fail_track(self, ticket: int, error: LatentManError) -> None:
        self._waiting_events += self._jobs.end_locally(ticket, error)


class _Link:
    """What belongs to one connection and is thrown away with it."""

    def __init__(
        self, phase: str = "offline", greeted_at: float = 0.0, last_heard: float = 0.0, last_tick: float = 0.0
    ) -> None:
        self.phase = phase
        self.greeted_at = greeted_at
        self.last_heard = last_heard
        self.last_tick = last_tick
        self.last_pinged = greeted_at
        self.reachable_at: float | None = None
        self.losses = 0
        self.hello_id = 0
        self.credit = 0
        self.consumed = 0
        self.limits = Limits()
        self.haves: dict[int, tuple[str, ...]] = {}
        self.puts: dict[int, str] = {}
        self.requests: dict[int, int] = {}
        self.releases: set[int] = set()
