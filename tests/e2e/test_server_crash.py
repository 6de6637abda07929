"""kill -9 of either process, orphans, full and locked folders: what is journaled is there and whole."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import zmq

from backend.commands.base.private_backend import private_backend
from backend.machine.folder_lock import FolderLock
from shared.errors import BackendError, LatentManError
from shared.files.frame_files import frame_name
from shared.protocol.client import events as events
from shared.protocol.client.job_client import Timing
from shared.protocol.launch import ConnectionInfo, read_connection_file
from tests.helpers.server_rig import (
    GUARD_S,
    RUNNER,
    answered,
    backend,
    computed,
    drive,
    ended,
    ends_of,
    expected_digests,
    frames_of,
    linked,
    make_shot,
    run_shot,
    worker_of,
)

ROOT = Path(__file__).resolve().parents[2]


def serve_by_hand(folder: Path) -> subprocess.Popen[bytes]:
    """`latentman serve` with a connection file, up and listening."""
    file = folder / "connection.json"
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "backend", "serve", "--connection-file", str(file), "--work", str(folder / "work")]
    process = subprocess.Popen([*command, "--runner", RUNNER], cwd=ROOT, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + GUARD_S
    while not file.exists():
        assert process.poll() is None and time.monotonic() < limit
        time.sleep(0.05)
    return process


def wait_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=GUARD_S)
    assert alive == []


def test_a_killed_worker_costs_only_the_frame_in_the_making(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "a test wait_at=4", frames=6)
    work = tmp_path / "work"
    with backend(work) as running, linked(running.info) as link:
        for data in shot.inputs:
            link.client.add_input(data)
        link.client.submit(shot.job)
        seen = drive(link, lambda seen: len(frames_of(seen)) == 3)
        killed = worker_of(running.process.pid)
        killed.kill()
        seen += drive(link, ended)
        assert worker_of(running.process.pid).pid != killed.pid
    (end,) = ends_of(seen)
    assert isinstance(end, events.Done)
    assert frames_of(seen) == expected_digests(shot)
    assert sorted(computed(work, end.job_id)) == [1, 2, 3, 4, 5, 6]
    running_states = [item for item in seen if isinstance(item, events.StateChanged) and item.state == "running"]
    assert [item.attempt for item in running_states] == [1, 2]


def test_a_job_that_kills_every_worker_fails_and_the_queue_goes_on(tmp_path: Path) -> None:
    deadly = make_shot(tmp_path / "model", "a test die=always")
    harmless = make_shot(tmp_path / "model", "a test")
    with backend(tmp_path / "work") as running, linked(running.info) as link:
        (end,) = ends_of(run_shot(link, deadly))
        assert isinstance(end, events.Failed)
        assert end.error.code == "job.worker_died"
        assert "3 times" in end.error.message and "SIGKILL" in end.error.message
        assert [type(event) for event in ends_of(run_shot(link, harmless))] == [events.Done]


def test_a_killed_supervisor_loses_nothing(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "a test wait_at=3", frames=6)
    file = tmp_path / "connection.json"
    first = serve_by_hand(tmp_path)
    second = None
    try:
        with linked(file) as link:
            for data in shot.inputs:
                link.client.add_input(data)
            link.client.submit(shot.job)
            seen = drive(link, lambda seen: len(frames_of(seen)) == 2)
            worker = worker_of(first.pid)
            first.kill()
            first.wait()
            second = serve_by_hand(tmp_path)
            seen += drive(link, ended)
        wait_gone([worker])
    finally:
        for process in filter(None, (first, second)):
            process.terminate()
            process.wait()
    (end,) = ends_of(seen)
    assert isinstance(end, events.Done)
    assert frames_of(seen) == expected_digests(shot)
    assert sorted(computed(tmp_path / "work", end.job_id)) == [1, 2, 3, 4, 5, 6]
    assert len([event for event in seen if isinstance(event, events.FrameReady)]) == 6
    assert not file.exists()


def test_a_frame_damaged_while_the_supervisor_was_down_is_computed_anew(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "a test wait_at=3", frames=6)
    work = tmp_path / "work"
    with backend(work) as running, linked(running.info) as link:
        for data in shot.inputs:
            link.client.add_input(data)
        link.client.submit(shot.job)
        seen = drive(link, lambda seen: len(frames_of(seen)) == 2)
    job_id = next(event.job_id for event in seen if isinstance(event, events.Accepted))
    path = work / "jobs" / job_id / "frames" / frame_name(1)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with backend(work) as running, linked(running.info) as link:
        link.client.request_status(jobs=1)
        told = drive(link, lambda seen: any(isinstance(event, events.JobsListed) for event in seen))
        (job,) = next(event.jobs for event in told if isinstance(event, events.JobsListed))
        assert (job.job_id, job.state) == (job_id, "queued")  # it waits until somebody asks for it
        link.client.attach(job_id)
        seen = drive(link, ended)
    assert [type(event) for event in ends_of(seen)] == [events.Done]
    done = computed(work, job_id)
    assert (done.count(1), done.count(2)) == (2, 1)
    assert len(frames_of(seen)) == 6


def test_the_end_of_stdin_ends_every_process(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "a test wait_at=1")
    with backend(tmp_path / "work") as running, linked(running.info) as link:
        for data in shot.inputs:
            link.client.add_input(data)
        link.client.submit(shot.job)
        drive(link, lambda seen: any(isinstance(item, events.StateChanged) and item.attempt for item in seen))
        family = [psutil.Process(running.process.pid), worker_of(running.process.pid)]
        assert running.process.stdin is not None
        running.process.stdin.close()
        wait_gone(family)
        assert running.process.wait() == 0


def test_a_worker_whose_supervisor_was_killed_ends(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "a test hang=cancel")
    with backend(tmp_path / "work") as running, linked(running.info) as link:
        for data in shot.inputs:
            link.client.add_input(data)
        link.client.submit(shot.job)
        drive(link, lambda seen: any(isinstance(item, events.StateChanged) and item.attempt for item in seen))
        worker = worker_of(running.process.pid)
        running.process.kill()
        wait_gone([worker])


def test_a_client_that_cannot_reach_its_backend_gives_up_with_a_sentence(tmp_path: Path) -> None:
    hasty = Timing(hello_s=0.2, patience_s=0.5, retry_first_s=0.05, retry_last_s=0.1)
    public, secret = (key.decode() for key in zmq.curve_keypair())
    with linked(ConnectionInfo("127.0.0.1", 1, public, secret), hasty) as link:
        seen = drive(link, ended)
    assert isinstance(seen[-1], events.GaveUp)
    assert isinstance(seen[-1].error, BackendError)
    assert any(isinstance(event, events.ConnectionLost) for event in seen)


def test_a_second_backend_does_not_get_the_folder(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    lock = tmp_path / "work" / "lock"
    with FolderLock(lock, 0.0):
        with pytest.raises(BackendError, match="Another program already works in"), FolderLock(lock, 0.2):
            pass
    with backend(tmp_path / "work") as running:
        assert running.info.port > 0


def test_a_work_folder_that_cannot_be_made_is_named_on_stdout(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LatentManError, match="Cannot write to") as caught, private_backend(tmp_path / "file" / "work"):
        pass
    assert caught.value.code == "storage.unwritable"


def test_a_journal_that_cannot_be_written_ends_the_server_with_a_sentence(tmp_path: Path) -> None:
    """Nothing may be promised that is not written down: clients are told, the process ends, a successor goes on."""
    shot = make_shot(tmp_path / "model", "a test wait_at=2")
    work = tmp_path / "work"
    with backend(work) as running, linked(running.info) as link:
        for data in shot.inputs:
            link.client.add_input(data)
        link.client.submit(shot.job)
        drive(link, lambda seen: any(isinstance(event, events.Progress) for event in seen))
        with contextlib.closing(sqlite3.connect(work / "journal.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            seen = drive(link, ended)
            assert running.process.wait(GUARD_S) == 1
    assert isinstance(seen[-1], events.GaveUp)
    assert seen[-1].error.code == "journal.failed"
    with backend(work) as running, linked(running.info) as link:
        assert frames_of(run_shot(link, shot)) == expected_digests(shot)


def test_an_input_that_the_disk_refuses_fails_the_job_with_a_sentence(tmp_path: Path) -> None:
    """The store's folder vanishes under the running supervisor: a typed failure, and the server lives."""
    shot = make_shot(tmp_path / "model")
    work = tmp_path / "work"
    with backend(work) as running, linked(running.info) as link:
        drive(link, lambda _: link.client.ready)
        (work / "inputs").rmdir()
        seen = run_shot(link, shot)
        (end,) = ends_of(seen)
        assert isinstance(end, events.Failed)
        assert end.error.code == "storage.unwritable"
        inputs = set(shot.job.inputs.digests())
        seen += drive(link, lambda more: answered([*seen, *more]) == inputs)
        assert {event.digest for event in seen if isinstance(event, events.InputFailed)} == inputs
        (work / "inputs").mkdir()
        assert [type(event) for event in ends_of(run_shot(link, shot))] == [events.Done]


def test_the_connection_file_is_private_and_checked(tmp_path: Path) -> None:
    process = serve_by_hand(tmp_path)
    file = tmp_path / "connection.json"
    try:
        assert file.stat().st_mode & 0o777 == 0o600
        assert read_connection_file(file).port > 0
        file.chmod(0o644)
        with pytest.raises(LatentManError, match="chmod 600"):
            read_connection_file(file)
    finally:
        os.kill(process.pid, signal.SIGINT)
        assert process.wait() == 0
    assert not file.exists()
