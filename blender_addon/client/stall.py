"""Notices a worker from which nothing has come for far longer than it has ever taken before."""

from __future__ import annotations

# Loading a large model from a slow disk, or the first step with gradients on a CPU, takes minutes.
LEAST_SILENCE_S = 600.0
# A later step may be much heavier than those before it.
TIMES_LONGEST = 20.0
# Who looks so rarely has slept (a long render in the main thread, a closed lid), and knows nothing of the worker.
_OWN_SLEEP_S = 5.0


class StallWatch:
    """Watches one job at a time while it runs. `now` is any clock that only goes forward, in seconds."""

    def __init__(self) -> None:
        self._heard_at: float | None = None
        self._looked_at = 0.0
        self._longest_s = 0.0

    def heard(self, now: float) -> None:
        """Something came from the worker."""
        if self._heard_at is not None:
            self._longest_s = max(self._longest_s, now - self._heard_at)
        self._heard_at = self._looked_at = now

    def rest(self) -> None:
        """The job does not run now: it waits for its turn, or has ended."""
        self._heard_at = None

    def silence_s(self, now: float) -> float:
        """How long nothing has come, in seconds, once that is too long; 0 while it is not. Look often."""
        if self._heard_at is None:
            return 0.0
        if now - self._looked_at > _OWN_SLEEP_S:
            self._heard_at += now - self._looked_at
        self._looked_at = now
        silence = now - self._heard_at
        return silence if silence > max(LEAST_SILENCE_S, TIMES_LONGEST * self._longest_s) else 0.0
