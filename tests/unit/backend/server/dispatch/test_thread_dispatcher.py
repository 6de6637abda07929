"""The contract kept by another dispatcher than the local one, and a supervisor that works with it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from backend.server.dispatch.table import OpenDispatcher
from backend.server.dispatch.warm_workers import NoWorkers
from backend.server.endpoint import Endpoint
from backend.server.job_folders import JobFolders
from backend.server.job_queue import JobQueue
from backend.server.journal import Journal
from backend.server.model_digest import ModelDigests
from backend.server.store import InputStore
from backend.server.supervisor import Parts, Supervisor
from backend.server.wakeup import Wakeup
from shared.protocol.client import events
from shared.protocol.launch import ConnectionInfo
from tests.helpers.fake_runner import FakeRunner
from tests.helpers.opened_files import files_read
from tests.helpers.server_rig import GUARD_S, drive, ends_of, expected_digests, frames_of, linked, make_shot, run_shot
from tests.unit.backend.server.dispatch.contract import PLACES, DispatcherContract, Rig
from tests.unit.backend.server.dispatch.thread_dispatcher import ThreadDispatcher


class TestThreadDispatcher(DispatcherContract):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> Iterator[Rig]:
        wakeup = Wakeup()
        made = ThreadDispatcher(FakeRunner(), PLACES, wakeup)
        yield Rig(made, wakeup, made.kill)
        made.close()
        wakeup.close()


@contextlib.contextmanager
def served(work: Path) -> Iterator[ConnectionInfo]:
    """A supervisor in a thread that gives its work to threads."""
    server_public, server_secret = zmq.curve_keypair()
    client_public, client_secret = zmq.curve_keypair()
    stop, wakeup, ready = threading.Event(), Wakeup(), threading.Event()
    ports: list[int] = []
    work.mkdir()

    def serve() -> None:
        with contextlib.ExitStack() as stack:
            journal = Journal(work / "journal.sqlite3")  # SQLite's connections belong to one thread
            stack.callback(journal.close)
            store = InputStore(work / "inputs")
            folders, models = JobFolders(work / "jobs", store), ModelDigests(work / "model_digests.json")
            stack.callback(models.close)
            dispatcher = ThreadDispatcher(FakeRunner(), PLACES, wakeup)
            stack.callback(dispatcher.close)
            endpoint = stack.enter_context(Endpoint("127.0.0.1", 0, server_secret, frozenset({client_public})))
            queue = JobQueue(journal, folders, dispatcher)
            opened = OpenDispatcher(dispatcher, NoWorkers())
            ports.append(endpoint.port)
            ready.set()
            Supervisor(Parts(endpoint, wakeup, journal, store, folders, queue, models, opened)).run(stop.is_set)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        assert ready.wait(GUARD_S)
        yield ConnectionInfo("127.0.0.1", ports[0], server_public.decode(), client_secret.decode())
    finally:
        stop.set()
        wakeup.set()
        thread.join(GUARD_S)
        wakeup.close()
    assert not thread.is_alive()


def test_a_supervisor_needs_no_more_than_the_port(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model")
    with served(tmp_path / "work") as info, linked(info) as link:
        link.client.prepare(shot.job.model)
        seen = run_shot(link, shot)
        assert frames_of(seen) == expected_digests(shot)
        assert isinstance(ends_of(seen)[0], events.Done)
        link.client.release_models()
        told = drive(link, lambda seen: any(isinstance(event, events.ReleaseRefused) for event in seen))
        link.client.request_status()
        told += drive(link, lambda seen: any(isinstance(event, events.JobsListed) for event in seen))
    (refused,) = (event.error for event in told if isinstance(event, events.ReleaseRefused))
    assert (refused.code, refused.message) == (
        "backend.no_workers",
        "This backend has no model in memory: its jobs run elsewhere.",
    )
    (listed,) = (event for event in told if isinstance(event, events.JobsListed))
    assert (listed.workers, listed.memory, len(listed.jobs)) == (0, (), 1)


def test_a_frame_is_read_twice_between_worker_and_client(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model")
    with served(tmp_path / "work") as info, linked(info) as link, files_read() as read:
        assert frames_of(run_shot(link, shot)) == expected_digests(shot)
    pngs = sorted(path.name for path in read if path.suffix == ".png")
    # Once to check what the worker announced, once to send it; the worker had its digest from the bytes it wrote.
    assert pngs == sorted(2 * [f"{frame:04d}.png" for frame in shot.job.frames])
