"""The client's half of content-addressed inputs: ask what is missing, send that in chunks, within the credit."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError, LatentManError
from ...files.digest import sha256_bytes, sha256_file
from ..messages import Put
from .events import InputFailed, InputStored

MAX_ASKED = 1_000


class InputState(enum.Enum):
    """Where an input is on its way."""

    KNOWN = "known"
    ASKED = "asked"
    MISSING = "missing"
    SENT = "sent"
    STORED = "stored"
    FAILED = "failed"


@dataclass(slots=True)
class _Input:
    source: Path | bytes
    size: int
    state: InputState = InputState.KNOWN
    error: LatentManError | None = None


class Uploads:
    """Inputs by digest and the queue of those to be sent."""

    def __init__(self) -> None:
        self._inputs: dict[str, _Input] = {}
        self._queue: deque[str] = deque()
        self._offset = 0

    def add(self, source: Path | bytes) -> str:
        """Take an input and return its digest. Raises InputError where the file cannot be read."""
        try:
            digest = sha256_bytes(source) if isinstance(source, bytes) else sha256_file(source)
            size = len(source) if isinstance(source, bytes) else source.stat().st_size
        except OSError as error:
            raise InputError("input.unreadable", f"Cannot read {error.filename}: {error.strerror or error}.") from error
        known = self._inputs.get(digest)
        if known is None or known.state is InputState.FAILED:
            self._inputs[digest] = _Input(source, size)
        return digest

    def error_of(self, digests: Iterable[str]) -> LatentManError | None:
        """The first failure among these inputs."""
        for digest in digests:
            item = self._inputs.get(digest)
            if item is not None and item.error is not None:
                return item.error
        return None

    def reset(self) -> None:
        """A new connection: whatever is not stored is asked for again."""
        self._queue.clear()
        self._offset = 0
        for item in self._inputs.values():
            if item.state in (InputState.ASKED, InputState.MISSING, InputState.SENT):
                item.state = InputState.KNOWN

    def to_ask(self) -> tuple[str, ...]:
        """Inputs to put into the next HAVE; they count as asked from here on."""
        new = [digest for digest, item in self._inputs.items() if item.state is InputState.KNOWN][:MAX_ASKED]
        for digest in new:
            self._inputs[digest].state = InputState.ASKED
        return tuple(new)

    def answered(self, asked: Iterable[str], missing: Iterable[str]) -> list[InputStored]:
        """The server's MISSING to our HAVE: queue what it lacks; the rest is stored."""
        self.lacking(missing)
        stored = [digest for digest in asked if self._inputs[digest].state is InputState.ASKED]
        for digest in stored:
            self._inputs[digest].state = InputState.STORED
        return [InputStored(digest, sent=False) for digest in stored]

    def lacking(self, missing: Iterable[str]) -> None:
        """The server lacks these; queue those that we have and are not sending."""
        for digest in missing:
            item = self._inputs.get(digest)
            if item is not None and item.state in (InputState.KNOWN, InputState.ASKED, InputState.STORED):
                item.state = InputState.MISSING
                self._queue.append(digest)

    def stored(self, digest: str) -> list[InputStored]:
        """The server has verified an input; an answer to an upload that was started over is old news."""
        item = self._inputs.get(digest)
        if item is None or item.state is not InputState.SENT:
            return []
        item.state = InputState.STORED
        return [InputStored(digest, sent=True)]

    def failed(self, digest: str, error: LatentManError) -> list[InputFailed]:
        """An input cannot be sent or stored."""
        item = self._inputs.get(digest)
        if item is None or item.state is InputState.FAILED:
            return []
        item.state, item.error = InputState.FAILED, error
        if digest in self._queue:
            self._offset = 0 if self._queue[0] == digest else self._offset
            self._queue.remove(digest)
        return [InputFailed(digest, error)]

    def next_chunk(self, chunk_bytes: int) -> tuple[Put, bytes] | InputFailed | None:
        """The next chunk to send, None where nothing waits, or the failure to read the file."""
        if not self._queue:
            return None
        digest = self._queue[0]
        item = self._inputs[digest]
        data = _read(item, self._offset, chunk_bytes)
        expected = min(chunk_bytes, item.size - self._offset)
        if data is None or len(data) != expected:
            name = "An input" if isinstance(item.source, bytes) else str(item.source)
            error = InputError("input.changed", f"{name} was changed or deleted while it was being sent.")
            return self.failed(digest, error)[0]
        put = Put(digest, item.size, self._offset)
        self._offset += len(data)
        if self._offset >= item.size:
            item.state = InputState.SENT
            self._queue.popleft()
            self._offset = 0
        return put, data


def _read(item: _Input, offset: int, count: int) -> bytes | None:
    if isinstance(item.source, bytes):
        return item.source[offset : offset + count]
    try:
        with item.source.open("rb") as file:
            file.seek(offset)
            return file.read(min(count, item.size - offset))
    except OSError:
        return None
