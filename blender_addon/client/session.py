"""A client on a transport: starts, reconnects, gives up. One `step` does all that can be done without waiting."""

from __future__ import annotations

from ..shared.errors import LatentManError
from ..shared.protocol.client.client import JobClient
from ..shared.protocol.client.events import ClientEvent, Connected, ConnectionLost, GaveUp, JobsListed, ReleaseRefused
from ..shared.protocol.worker_memory import WorkerMemory
from .link import LinkSource
from .transport import Transport

# What one step hands to the socket: encrypting a mebibyte takes about two milliseconds.
_STEP_BYTES = 1 << 20
_LOOK_EVERY_S = 2.0


class Session:
    """Drives a `JobClient` over the link that a source gives. It outlives jobs: a warm backend stays warm."""

    def __init__(self, client: JobClient, source: LinkSource) -> None:
        self.client = client
        self._source = source
        self._transport: Transport | None = None
        self._open_at = 0.0
        self._idle = True
        self._look_at = 0.0
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
        link = self._source.find(now)
        if link is not None:
            self._transport = Transport(link)
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
        self.memory = ()
