"""Waking a poll loop from a thread."""

from __future__ import annotations

import contextlib
import socket


class Wakeup:
    """A pair of connected sockets: threads call `set`, the loop polls `fileno()` and calls `clear`."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    def fileno(self) -> int:
        """The descriptor that becomes readable."""
        return self._receiver.fileno()

    def set(self) -> None:
        """Wake the loop; safe from any thread, also after `close`."""
        # A full buffer means that the loop is being woken already.
        with contextlib.suppress(BlockingIOError, OSError):
            self._sender.send(b"\0")

    def clear(self) -> None:
        """Take all wake-ups so far."""
        with contextlib.suppress(BlockingIOError):
            while self._receiver.recv(4096):
                pass

    def close(self) -> None:
        """Close both ends."""
        self._sender.close()
        self._receiver.close()
