"""What the supervisor knows of one connected client: its credit, its uploads and how far it has read each job."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from backend.server.store import InputStore, Upload
from shared.errors import ProtocolError
from shared.protocol.messages import Message, Put
from shared.protocol.wire import Buffer, encode

MAX_OUTBOX = 1_000
MAX_UPLOADS = 4
UPLOAD_WINDOW_BYTES = 64 << 20


@dataclass(slots=True)
class Cursor:
    """How far a client has been sent a job's events, and which frames it has anyway."""

    after_seq: int
    have_frames: frozenset[int]


@dataclass(slots=True)
class Session:
    """One client between its HELLO and its silence."""

    identity: bytes
    client: str
    credit: int
    last_heard: float
    cursors: dict[str, Cursor] = field(default_factory=dict)
    outbox: deque[list[Buffer]] = field(default_factory=deque)
    blocked: bool = False
    _uploads: dict[str, Upload] = field(default_factory=dict)
    _upload_credit: int = UPLOAD_WINDOW_BYTES
    _to_grant: int = 0
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def attach(self, job_id: str, after_seq: int, have_frames: frozenset[int]) -> None:
        """Follow a job. Two followers of one job on one connection are sent what either lacks."""
        known = self.cursors.get(job_id)
        if known is not None:
            after_seq, have_frames = min(known.after_seq, after_seq), known.have_frames & have_frames
        self.cursors[job_id] = Cursor(after_seq, have_frames)

    def queue(self, message: Message, reply_to: int = 0) -> bool:
        """Queue an answer; False where the client takes none and has let too many pile up."""
        self.outbox.append(self.encode(message, reply_to))
        return len(self.outbox) <= MAX_OUTBOX

    def encode(
        self, message: Message, reply_to: int = 0, payloads: tuple[bytes, ...] = (), digests: tuple[str, ...] = ()
    ) -> list[Buffer]:
        """The wire frames of a message, numbered; `digests` are the payloads' where they are known."""
        return encode(message, next(self._ids), reply_to, payloads, digests)

    def take_chunk(self, store: InputStore, put: Put, data: Buffer, max_input_bytes: int) -> bool:
        """Store one chunk of an input; True when the input is whole.

        Raises ProtocolError where the client overdraws its credit, sends out of order or sends something else than
        it announced, LatentManError `storage.*` where the disk refuses.
        """
        self._upload_credit -= len(data)
        if self._upload_credit < 0:
            raise ProtocolError("protocol.credit", "The client sent more bytes than it was allowed to.")
        self._to_grant += len(data)
        if put.offset == 0:
            self._begin(store, put, max_input_bytes)
        upload = self._uploads.get(put.digest)
        if upload is None:
            raise ProtocolError("protocol.chunk", "A chunk of an input arrived without the chunks before it.")
        try:
            whole = upload.add(put.offset, put.size, data)
        except BaseException:
            del self._uploads[put.digest]
            raise
        if whole:
            del self._uploads[put.digest]
        return whole

    def grant(self) -> int:
        """Credit to give back now that chunks are on disk; 0 until it is worth a message."""
        if self._to_grant * 4 < UPLOAD_WINDOW_BYTES:
            return 0
        granted, self._to_grant = self._to_grant, 0
        self._upload_credit += granted
        return granted

    def close(self) -> None:
        """Give up what is half sent."""
        for upload in self._uploads.values():
            upload.abandon()
        self._uploads.clear()

    def _begin(self, store: InputStore, put: Put, max_input_bytes: int) -> None:
        if not 0 <= put.size <= max_input_bytes:
            raise ProtocolError(
                "protocol.input_size", f"An input has {put.size} bytes; the limit is {max_input_bytes}."
            )
        if put.digest in self._uploads:
            self._uploads.pop(put.digest).abandon()
        elif len(self._uploads) >= MAX_UPLOADS:
            raise ProtocolError("protocol.uploads", f"More than {MAX_UPLOADS} uploads were started at once.")
        self._uploads[put.digest] = store.begin(put.digest, put.size)
