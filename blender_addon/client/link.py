"""Where a backend listens and the keys to talk to it: what a `Session` needs to know of a backend."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ..shared.errors import InputError
from ..shared.protocol.launch import ConnectionInfo, read_connection_file


class LinkSource(Protocol):
    """What gives a `Session` its connections: a process of our own, or a connection file."""

    def check(self, now: float) -> None:
        """Raise LatentManError once there will be no connection any more."""
        ...

    def find(self, now: float) -> ConnectionInfo | None:
        """Where to connect to now; None while that is not known yet. Raises LatentManError."""
        ...

    @property
    def ended(self) -> bool:
        """Whether nothing of it is left after `end` or `close`."""
        ...

    def end(self) -> None:
        """As `close`, without waiting: `ended` tells when it is done."""
        ...

    def close(self) -> None:
        """Give back what the source holds. Harmless when called twice."""
        ...

    def kill(self) -> None:
        """As `close`, by force where it would have to be waited for."""
        ...


class FileLink:
    """The link to a backend that somebody else runs, by its connection file."""

    def __init__(self, path: Path) -> None:
        """Raises InputError where the file cannot be used."""
        self._path = path
        self._last = read_connection_file(path)

    def check(self, now: float) -> None:
        """A backend of somebody else's is only known by its answers."""

    def find(self, now: float) -> ConnectionInfo | None:
        """What the file says now: a backend that was started again has another port. Without a file, what it said."""
        try:
            self._last = read_connection_file(self._path)
        except InputError:
            return self._last
        return self._last

    @property
    def ended(self) -> bool:
        """There is nothing that could be left."""
        return True

    def end(self) -> None:
        """Nothing to give back."""

    def close(self) -> None:
        """Nothing to give back."""

    def kill(self) -> None:
        """Nothing to give back."""
