"""A client on a transport: connects, reconnects, gives up. One `step` does all that can be done without waiting.

The add-on's timer only steps; the command line waits between the steps (`Session.wait`).
"""

from __future__ import annotations

import math
import time

from ...errors import LatentManError
from ..worker_memory import WorkerMemory
from .events import ClientEvent, Connected, ConnectionLost, GaveUp, JobsListed, ReleaseRefused
from .job_client import JobClient
from .source import ConnectionSource
from .transport import Transport

# What one step hands to the socket: encrypting a mebibyte takes about two milliseconds.
_STEP_BYTES = 1 << 20
_LOOK_EVERY_S = 2.0


class Session:
    """Drives a `JobClient` over the connection that a source gives. It outlives jobs: a warm backend stays warm."""

    def __init__(self, client: JobClient, source: ConnectionSource, *, watch_memory: bool = True) -> None:
        """watch_memory: ask every two seconds what the workers hold, to keep `memory` up to date."""
        self.client = client
        self._source = source
        self._transport: Transport | None = None
        self._open_at = 0.0
        self._idle = True
        self._look_at = 0.0 if watch_memory else math.inf
        self.server = ""  # the backend's name and version, once it has welcomed us
        self.memory: tuple[WorkerMemory, ...] = ()  # what its workers held when it was last asked
        self.refusal: LatentManError | None = None  # why it did not release its models, the last time it was asked

    @property
    def idle(self) -> bool:
        """Whether the last step neither sent nor received anything."""
        return self._idle

    def step(self, now: float) -> list[ClientEvent]:
        """One round of sending and receiving; `now` in seconds of a clock that only goes forward.

        Raises LatentManError where the backend process has ended or could not be started.
        """
        self._source.check(now)
        if self.client.closed:
            return []
        if self._transport is None and now >= self._open_at:
            self._open(now)
        if self.client.ready and now >= self._look_at:
            self._look_at = now + _LOOK_EVERY_S
            self.client.request_status(jobs=0)
        events = [] if self._transport is None else self._exchange(self._transport, now)
        events += self.client.tick(now)
        for event in events:
            self._note(event)
        return events

    def wait(self, timeout_s: float) -> None:
        """Wait for something to do, at most so long; not at all where the last step had something to do. For a program
        that does nothing else meanwhile: the add-on never calls it."""
        if not self._idle:
            return
        if self._transport is None:
            time.sleep(timeout_s)
        else:
            self._transport.wait(timeout_s)

    def _note(self, event: ClientEvent) -> None:
        """What the session itself keeps of an event."""
        match event:
            case Connected(server=server):
                self.server = server
            case JobsListed(memory=memory):
                self.memory = memory
            case ReleaseRefused(error=error):
                self.refusal = error
            case ConnectionLost(retry_at=retry_at):
                self._open_at = retry_at
                self._drop()
            case GaveUp():
                self._drop()

    def end(self) -> None:
        """Close the socket and begin to end the source, without waiting; `ended` tells when it is done."""
        self._drop()
        self._source.end()

    @property
    def ended(self) -> bool:
        """Whether nothing is left after `end` or `close`."""
        return self._transport is None and self._source.ended

    def close(self) -> None:
        """Close the socket and the source. Harmless when called twice."""
        self._drop()
        self._source.close()

    def kill(self) -> None:
        """As `close`, by force where the source would have to be waited for."""
        self._drop()
        self._source.kill()

    def _open(self, now: float) -> None:
        info = self._source.find(now)
        if info is not None:
            self._transport = Transport(info)
            self.client.connected(now)

    def _exchange(self, transport: Transport, now: float) -> list[ClientEvent]:
        events: list[ClientEvent] = []
        received = transport.receive()
        for message in received:
            events += self.client.received(message, now)
        transport.send()
        outgoing = [] if transport.full else self.client.take_outgoing(_STEP_BYTES)
        transport.send(outgoing)
        self._idle = not received and not outgoing
        return events

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            self._idle = True
        self.memory = ()
