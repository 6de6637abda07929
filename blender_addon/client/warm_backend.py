"""The backend that stays warm between shots: at most one session, and what it is doing. No bpy in here."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from ..shared.errors import InputError, LatentManError
from ..shared.protocol.client.events import GaveUp
from ..shared.protocol.client.session import Session
from ..shared.protocol.worker_memory import WorkerMemory

# Blender stands still meanwhile. An idle backend ends within this time; one in mid-job would need about a second to
# end its workers, and is ended by force: what it has written down is whole.
CLOSE_WAIT_S = 0.3
_LOOK_S = 0.01
_LOG_TAIL_BYTES = 4096
_LOG_BYTES = 1 << 18  # of each file
_WORKER_LOGS = "logs/worker-*.log"


class BackendState(Enum):
    """What the backend is doing; the values are what a user reads."""

    STOPPED = "Not running"
    STARTING = "Starting"
    READY = "Ready"
    LOST = "Not answering"
    STOPPING = "Stopping"


class WarmBackend:
    """Keeps the session of one backend. A backend that is stopped ends by itself, while Blender goes on."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._key: tuple[object, Path] | None = None
        self._ending: list[tuple[Path, Session]] = []

    @property
    def state(self) -> BackendState:
        """What it is doing now."""
        if self._session is not None:
            if self._session.client.ready:
                return BackendState.READY
            return BackendState.LOST if self._session.server else BackendState.STARTING
        self._ending = [(place, session) for place, session in self._ending if not session.ended]
        return BackendState.STOPPING if self._ending else BackendState.STOPPED

    @property
    def server(self) -> str:
        """The backend's name and version, empty while it is not known."""
        return "" if self._session is None else self._session.server

    @property
    def memory(self) -> tuple[WorkerMemory, ...]:
        """What its workers hold, as far as it is known."""
        return () if self._session is None else self._session.memory

    def release_models(self) -> None:
        """Have its workers unload their models; `take_refusal` tells where it would not."""
        if self._session is not None:
            self._session.client.release_models()

    def take_refusal(self) -> LatentManError | None:
        """Why the models were not released; told once."""
        if self._session is None:
            return None
        refusal, self._session.refusal = self._session.refusal, None
        return refusal

    @property
    def idle(self) -> bool:
        """Whether nothing was sent or received in the last step."""
        return self._session is None or self._session.idle

    def session(self, choice: object, place: Path, make: Callable[[], Session]) -> Session:
        """The warm session where it was made for an equal choice and place, else a new one that works in `place`.

        Raises what `make` raises, and InputError while the one before is still stopping there: two cannot work in one
        folder.
        """
        if self._session is not None and (self._key != (choice, place) or self._session.client.closed):
            self.stop()
        if self._session is None:
            if any(other == place and not session.ended for other, session in self._ending):
                raise InputError(
                    "backend.stopping", "The previous backend is still stopping.", "Try again in a moment."
                )
            self._session, self._key = make(), (choice, place)
        return self._session

    def step(self, now: float) -> None:
        """Keep the connection while no shot is under way. Raises LatentManError if the backend is lost; it is
        stopped then."""
        if self._session is None:
            return
        try:
            for event in self._session.step(now):
                if isinstance(event, GaveUp):
                    raise event.error
        except LatentManError:
            self.stop()
            raise

    def stop(self) -> None:
        """Begin to end it, without waiting. Harmless if there is none."""
        if self._session is not None and self._key is not None:
            self._session.end()
            self._ending.append((self._key[1], self._session))
            self._session = None

    def close(self) -> None:
        """End it, by force where that takes longer than a user should wait; a job goes on later from its finished
        frames. Harmless if there is none."""
        self.stop()
        limit = time.monotonic() + CLOSE_WAIT_S
        while self.state is BackendState.STOPPING and time.monotonic() < limit:
            time.sleep(_LOOK_S)
        for _, session in self._ending:
            session.kill()
        self._ending = []


def whole_log(file: Path) -> str:
    """The end of a backend's log and of those of its workers, each below its path. Raises OSError."""
    files = [file, *sorted(file.parent.glob(_WORKER_LOGS))]
    return "\n".join(f"---- {one}\n{one.read_bytes()[-_LOG_BYTES:].decode('utf-8', 'replace')}" for one in files)


def log_tail(file: Path, lines: int) -> list[str]:
    """The last lines of a log; empty if there is none."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - _LOG_TAIL_BYTES))
            text = stream.read(_LOG_TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()][-lines:]
