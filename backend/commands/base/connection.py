"""Reaching a backend from the command line."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from backend.server.paths import default_connection_file
from shared.errors import LatentManError
from shared.protocol.client.events import ClientEvent, GaveUp, JobsListed
from shared.protocol.client.job_client import JobClient
from shared.protocol.client.session import Session
from shared.protocol.client.source import FileSource, FixedSource
from shared.protocol.launch import ConnectionInfo
from shared.version import named

CLIENT_NAME = named("command line")

T = TypeVar("T")


class Link:
    """A client's session with a backend that runs, closed at the end of the `with`; its steps wait."""

    def __init__(self, client: JobClient, where: ConnectionInfo | Path) -> None:
        """where: the backend's place, or its connection file. Raises InputError where the file cannot be used."""
        self.client = client
        source = FileSource(where) if isinstance(where, Path) else FixedSource(where)
        self._session = Session(client, source, watch_memory=False)

    def __enter__(self) -> Link:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def step(self, timeout_s: float = 0.1) -> list[ClientEvent]:
        """Send what is due, wait up to `timeout_s` where nothing has come, and return what came."""
        events = self._session.step(time.monotonic())
        if events:
            return events
        self._session.wait(timeout_s)
        return self._session.step(time.monotonic())


def add_connection_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--connection-file`."""
    parser.add_argument(
        "--connection-file",
        type=Path,
        default=default_connection_file(),
        help="what `latentman serve` wrote (default: %(default)s)",
    )


def wait_for(link: Link, answer: Callable[[ClientEvent], T | None]) -> T:
    """Step the link until `answer` makes something of an event. Raises the error of a connection given up."""
    while True:
        for event in link.step():
            if isinstance(event, GaveUp):
                raise event.error
            found = answer(event)
            if found is not None:
                return found


def full_job_id(link: Link, prefix: str) -> str:
    """The one job of the backend whose id begins like this. Raises LatentManError if there is none or more than one."""
    link.client.request_status()
    listed = wait_for(link, lambda event: event if isinstance(event, JobsListed) else None)
    found = [job.job_id for job in listed.jobs if job.job_id.startswith(prefix)]
    if len(found) != 1:
        raise LatentManError(
            "job.unknown",
            f"{len(found)} jobs have an id that begins with {prefix[:64]!r}; it must be only one.",
            "Run: latentman status",
        )
    return found[0]
