"""Giving the backend up while it works: soon, leaving no process, and with the job on disk."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from blender_addon.client import backend_process
from blender_addon.client.backend_command import BackendCommand, find_backend
from blender_addon.client.backend_process import BackendProcess
from blender_addon.client.generate_job import GenerateJob
from blender_addon.client.warm_backend import BackendState, WarmBackend
from shared.protocol.client.job_client import JobClient
from shared.protocol.client.session import Session

from .shots import PassFolder, request_for

ROOT = Path(__file__).resolve().parents[3]
GUARD_S = 60.0  # ends a test that would hang; nothing is measured with it
NEVER_S = 10_000.0


def own_processes() -> set[psutil.Process]:
    return {one for one in psutil.Process().children(recursive=True) if one.status() != psutil.STATUS_ZOMBIE}


def wait_for(so: Callable[[], bool]) -> None:
    limit = time.monotonic() + GUARD_S
    while not so():
        assert time.monotonic() < limit
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def patience_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a backend to end by itself waits until the test's own limit."""
    monkeypatch.setattr(backend_process, "_END_WAIT_S", NEVER_S)


def warm(words: tuple[str, ...], work: Path) -> tuple[WarmBackend, Session]:
    backend = WarmBackend()
    command = BackendCommand(words, ROOT)
    make = lambda: Session(JobClient("test"), BackendProcess(command, work, time.monotonic()))  # noqa: E731
    return backend, backend.session("choice", work, make)


@pytest.mark.parametrize("stopped_before", [False, True])
def test_a_backend_that_does_not_listen_is_ended_by_force(tmp_path: Path, stopped_before: bool) -> None:
    before = own_processes()
    backend, _ = warm((sys.executable, "-c", "import time; time.sleep(10_000)"), tmp_path)
    wait_for(lambda: own_processes() > before)
    if stopped_before:
        backend.stop()
        assert backend.state is BackendState.STOPPING
    backend.close()
    assert own_processes() == before and backend.state is BackendState.STOPPED
    backend.close()


@pytest.mark.parametrize("prompt", ["step_s=0.05", "hang=cancel", "hang=term"])
def test_a_backend_in_mid_job_leaves_no_process_and_its_job_on_disk(tmp_path: Path, prompt: str) -> None:
    before = own_processes()
    found = find_backend(ROOT)
    backend, session = warm((*found.words, "--runner", "tests.helpers.fake_runner"), tmp_path / "work")
    request = request_for(tmp_path / "out", tmp_path / "model", prompt, frames=tuple(range(1, 200)))
    job = GenerateJob(request, PassFolder(request.passes_folder, request.template.frames), session, time.monotonic())

    def on_disk() -> set[str]:
        return {file.parent.name for file in (tmp_path / "work" / "jobs").glob("*/job.json")}

    # A job is accepted before its inputs are there; it lies on disk from the moment they are.
    wait_for(lambda: bool(job.step(time.monotonic()) and session.memory and len(on_disk()) == len(job.results) == 2))
    during = own_processes() - before
    assert len(during) >= 2  # supervisor and worker
    backend.close()
    # A worker whose supervisor had to be killed sees that its pipe has closed, and ends.
    wait_for(lambda: not [one for one in during if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])
    assert on_disk() == {job_id for _, job_id in job.results} and len(job.results) == 2
