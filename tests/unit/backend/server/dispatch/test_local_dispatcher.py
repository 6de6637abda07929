"""Real worker processes behind the dispatch port, and the models that they keep warm."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from backend.jobs.worker_protocol import Load
from backend.server.dispatch.local import LocalDispatcher
from backend.server.dispatch.port import Assignment, DispatchEvent, DispatchSettings, Lost, Report
from backend.server.wakeup import Wakeup
from shared.errors import BackendError
from shared.models.files import LoraFile, ModelFiles
from shared.protocol import job_events as work
from shared.protocol.process_end import how_it_ended
from shared.protocol.worker_memory import WorkerMemory
from tests.helpers.fake_runner import HELD_BYTES
from tests.helpers.server_rig import GUARD_S, RUNNER
from tests.unit.backend.server.dispatch.contract import PLACES, DispatcherContract, Rig, is_end, job_folder

LOAD = Load("embedded", ModelFiles(loras=(LoraFile("a.safetensors", 0.5),)))


class TestLocalDispatcher(DispatcherContract):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> Iterator[Rig]:
        wakeup = Wakeup()
        made = LocalDispatcher(DispatchSettings(RUNNER, PLACES, tmp_path / "logs", grace_s=0.3), wakeup)
        yield Rig(made, wakeup, _kill_the_worker)
        made.close()
        wakeup.close()
        assert made.workers() == 0


def _kill_the_worker(_job_id: str) -> None:
    """The one worker process that was started for the one job."""
    (worker,) = (child for child in psutil.Process().children() if RUNNER in child.cmdline())
    os.kill(worker.pid, signal.SIGKILL)


@pytest.fixture
def dispatcher(tmp_path: Path) -> Iterator[LocalDispatcher]:
    wakeup = Wakeup()
    made = LocalDispatcher(DispatchSettings(RUNNER, 1, tmp_path / "logs", grace_s=0.3), wakeup)
    yield made
    made.close()
    wakeup.close()
    assert made.workers() == 0


def until_end(dispatcher: LocalDispatcher) -> list[DispatchEvent]:
    seen: list[DispatchEvent] = []
    limit = time.monotonic() + GUARD_S
    while not any(map(is_end, seen)):
        assert time.monotonic() < limit, seen
        seen += dispatcher.events()
        time.sleep(0.02)
    return seen


def test_a_worker_is_kept_for_the_next_job(dispatcher: LocalDispatcher, tmp_path: Path) -> None:
    dispatcher.prepare("a model", ModelFiles())
    assert (dispatcher.capacity(), dispatcher.workers()) == (1, 1)
    for number in range(2):
        dispatcher.submit(Assignment(f"job {number}", 1, job_folder(tmp_path / str(number), "x")))
        assert dispatcher.capacity() == 0
        seen = until_end(dispatcher)
        assert seen[-1] == Report(f"job {number}", 1, work.Done())
        told = [event.event for event in seen if isinstance(event, Report)]
        assert [event.frame for event in told if isinstance(event, work.FrameDone)] == [1, 2]
        assert (dispatcher.capacity(), dispatcher.workers()) == (1, 1)


def held(dispatcher: LocalDispatcher, until: Callable[[tuple[WorkerMemory, ...]], bool]) -> tuple[WorkerMemory, ...]:
    limit = time.monotonic() + GUARD_S
    while not until(dispatcher.memory()):
        assert time.monotonic() < limit, dispatcher.memory()
        assert dispatcher.events() == []
        time.sleep(0.02)
    return dispatcher.memory()


def test_a_model_is_loaded_with_its_files_and_released(dispatcher: LocalDispatcher) -> None:
    dispatcher.release()
    assert (dispatcher.memory(), dispatcher.workers()) == ((), 0)  # nothing is started only to be told
    dispatcher.prepare("a model", LOAD.files)
    (loaded,) = held(dispatcher, bool)
    assert (loaded.device, loaded.model_loaded, loaded.held_bytes) == ("a model a.safetensors", True, HELD_BYTES)
    dispatcher.release()
    (released,) = held(dispatcher, lambda told: not told[0].model_loaded)
    assert released.held_bytes == 0 and dispatcher.workers() == 1


def test_nothing_is_released_while_a_job_runs(dispatcher: LocalDispatcher, tmp_path: Path) -> None:
    dispatcher.submit(Assignment("job", 1, job_folder(tmp_path / "job", "step_s=0.05", steps=1000)))
    limit = time.monotonic() + GUARD_S
    while not dispatcher.memory() and time.monotonic() < limit:
        dispatcher.events()
    assert dispatcher.memory()[0].model_loaded
    with pytest.raises(BackendError, match="is running a job"):
        dispatcher.release()
    dispatcher.cancel("job")
    assert until_end(dispatcher)[-1] == Report("job", 1, work.Cancelled())
    dispatcher.release()
    held(dispatcher, lambda told: not told[0].model_loaded)


def test_a_worker_that_died_holds_nothing(dispatcher: LocalDispatcher, tmp_path: Path) -> None:
    dispatcher.prepare("a model", ModelFiles())
    held(dispatcher, bool)
    dispatcher.submit(Assignment("job", 1, job_folder(tmp_path / "job", "die=always")))
    assert isinstance(until_end(dispatcher)[-1], Lost)
    assert dispatcher.memory() == ()


def test_a_death_is_reported_once(dispatcher: LocalDispatcher, tmp_path: Path) -> None:
    dispatcher.submit(Assignment("job", 4, job_folder(tmp_path / "job", "die=always")))
    assert until_end(dispatcher)[-1] == Lost("job", 4, how_it_ended(-signal.SIGKILL), stable=False)
    assert dispatcher.events() == []
    assert (dispatcher.capacity(), dispatcher.workers()) == (1, 0)


@pytest.mark.parametrize("wish", ["step_s=0.02", "hang=cancel", "hang=term"])
def test_a_cancelled_job_ends_as_cancelled_whether_it_listens_or_not(
    dispatcher: LocalDispatcher, tmp_path: Path, wish: str
) -> None:
    dispatcher.submit(Assignment("job", 1, job_folder(tmp_path / "job", wish, steps=1000)))
    time.sleep(0.6)  # into the job
    dispatcher.cancel("another job")
    dispatcher.cancel("job")
    dispatcher.cancel("job")
    assert dispatcher.next_deadline() is not None
    assert until_end(dispatcher)[-1] == Report("job", 1, work.Cancelled())
    assert dispatcher.next_deadline() is None
    dispatcher.submit(Assignment("job", 2, job_folder(tmp_path / "again", "x")))
    assert until_end(dispatcher)[-1] == Report("job", 2, work.Done())


def test_a_runner_that_is_not_there_is_a_death_with_a_log(tmp_path: Path) -> None:
    wakeup = Wakeup()
    dispatcher = LocalDispatcher(DispatchSettings("tests.helpers.no_such_runner", 1, tmp_path / "logs"), wakeup)
    dispatcher.submit(Assignment("job", 1, tmp_path))
    (lost,) = until_end(dispatcher)
    dispatcher.close()
    wakeup.close()
    assert isinstance(lost, Lost) and "exit code 2" in lost.reason
    assert "no_such_runner" in (tmp_path / "logs" / "worker-0.log").read_text()
