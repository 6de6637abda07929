"""Where a backend listens and the keys to talk to it: what a `Session` needs to know of a backend."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ...errors import InputError
from ..launch import ConnectionInfo, read_connection_file

# A backend that is started again has no connection file for a moment.
RESTART_S = 20.0


class ConnectionSource(Protocol):
    """What gives a `Session` its connections: a process of our own, or a backend that somebody else runs."""

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


class FixedSource:
    """A backend that somebody else runs, at a known place."""

    def __init__(self, info: ConnectionInfo) -> None:
        self._info = info

    def check(self, now: float) -> None:
        """A backend of somebody else's is only known by its answers."""

    def find(self, now: float) -> ConnectionInfo | None:
        """The known place."""
        return self._info

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


class FileSource(FixedSource):
    """A backend that somebody else runs, by its connection file."""

    def __init__(self, path: Path) -> None:
        """Raises InputError where the file cannot be used."""
        super().__init__(read_connection_file(path))
        self._path = path
        self._missing_since: float | None = None

    def find(self, now: float) -> ConnectionInfo | None:
        """What the file says now: a backend that was started again has another port. A file that cannot be read is
        waited for; once it has been away for longer than a restart takes, what it said last is tried."""
        try:
            self._info = read_connection_file(self._path)
        except InputError:
            if self._missing_since is None:
                self._missing_since = now
            return self._info if now - self._missing_since > RESTART_S else None
        self._missing_since = None
        return self._info
