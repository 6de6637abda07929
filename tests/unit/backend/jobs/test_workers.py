"""Worker lines, and real worker processes behind the dispatch port."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.jobs import worker_events as work
from backend.jobs.worker import run_guarded
from backend.jobs.worker_commands import Load, Run, Stop, Unload, WorkerCommand, read_command, write_command
from backend.jobs.worker_events import WorkerEvent, WorkerLine, read_line, write_line
from backend.server.dispatch.local import LocalDispatcher, WorkerSettings
from backend.server.dispatch.port import Assignment, DispatchEvent, Lost, Report
from backend.server.wakeup import Wakeup
from shared.errors import BackendError, CancelledError, ModelError, ProtocolError
from shared.files.digest import sha256_bytes
from shared.jobs.job import Job, JobInputs, canonical_json
from shared.models.files import LoraFile, ModelFiles
from shared.protocol.worker_memory import WorkerMemory
from tests.helpers.fake_runner import HELD_BYTES
from tests.helpers.server_rig import GUARD_S, RUNNER

ROOT = Path(__file__).resolve().parents[4]
PASS = b"a pass"
INPUTS = JobInputs((sha256_bytes(PASS),) * 2, *[sha256_bytes(PASS)] * 3)

EVENTS: list[work.LineContent] = [
    work.Progress("denoise", 1, 20, 0, 2, 1.5),
    work.Progress("load", 0, 0, 0, 2, None),
    work.Preview(1, 1, 1, b"\x00\xff\x80"),
    work.FrameDone(1, "a" * 64),
    work.Done(),
    work.Failed("job.x", "Nö.", "Try."),
    work.Cancelled(),
    WorkerMemory("a card", "card", True, 3, 5, 8, 4),
]


LOAD = Load("embedded", ModelFiles(loras=(LoraFile("a.safetensors", 0.5),)))


def job_folder(folder: Path, prompt: str, steps: int = 2) -> Path:
    """A job folder as the supervisor makes it, of two frames."""
    for name in ("inputs", "frames", "segments"):
        (folder / name).mkdir(parents=True)
    (folder / "inputs" / sha256_bytes(PASS)).write_bytes(PASS)
    job = Job(prompt, (1, 2), INPUTS, steps=steps, width=64, height=64)
    (folder / "job.json").write_bytes(canonical_json(job))
    return folder


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_as_lines(event: work.LineContent) -> None:
    line = write_line(WorkerLine("job", 3, event))
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert read_line(line) == WorkerLine("job", 3, event)


@pytest.mark.parametrize(
    "line", [b"", b"hello", b"{}", b'{"event":"explode","body":{}}', b'{"event":"frame","body":{"frame":"1"}}',
             b'{"event":"preview","body":{"frame":1,"width":1,"height":1,"rgb":"%%%"}}'],
)  # fmt: skip
def test_lines_that_are_no_events(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_line(line)


@pytest.mark.parametrize("command", [Run("/a folder", "job", 2), Stop("job"), LOAD, Unload()])
def test_commands_as_lines(command: WorkerCommand) -> None:
    assert read_command(write_command(command)) == command
    with pytest.raises(ProtocolError):
        read_command(b'{"command":"eval"}')


class _Scripted:
    """A runner that does what the test says."""

    def __init__(self, act: Callable[[Callable[[WorkerEvent], None]], None]) -> None:
        self._act = act

    def run_job(self, folder: Path, emit: Callable[[WorkerEvent], None], cancelled: Callable[[], bool]) -> None:
        self._act(emit)


def _raise(error: Exception) -> Callable[[object], None]:
    def act(_emit: object) -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("act", "end"),
    [
        (lambda emit: None, work.Done()),
        (lambda emit: emit(work.Cancelled()), work.Cancelled()),
        (lambda emit: [emit(work.Failed("job.x", "No.")), emit(work.Done())], work.Failed("job.x", "No.")),
        (_raise(CancelledError("job.cancelled", "Stopped.")), work.Cancelled()),
        (_raise(ModelError("model.x", "No.", "Hint.")), work.Failed("model.x", "No.", "Hint.", "model")),
    ],
)
def test_a_run_ends_in_exactly_one_terminal_event(
    tmp_path: Path, act: Callable[[Callable[[WorkerEvent], None]], None], end: WorkerEvent
) -> None:
    seen: list[WorkerEvent] = []
    assert run_guarded(_Scripted(act), tmp_path, seen.append, lambda: False) == end
    assert seen == [end]


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (ValueError("boom"), "job.error", "job"),
        (OSError(28, "No space left on device"), "storage.full", "error"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "job.memory", "job"),
        (MemoryError(), "job.memory", "job"),
    ],
)
def test_whatever_a_library_raises_is_a_typed_failure(tmp_path: Path, error: Exception, code: str, kind: str) -> None:
    end = run_guarded(_Scripted(_raise(error)), tmp_path, lambda event: None, lambda: False)
    assert isinstance(end, work.Failed) and (end.code, end.kind) == (code, kind)


@pytest.fixture
def dispatcher(tmp_path: Path) -> Iterator[LocalDispatcher]:
    wakeup = Wakeup()
    made = LocalDispatcher(WorkerSettings(RUNNER, 1, tmp_path / "logs", grace_s=0.3), wakeup)
    yield made
    made.close()
    wakeup.close()
    assert made.workers() == 0


def until_end(dispatcher: LocalDispatcher) -> list[DispatchEvent]:
    seen: list[DispatchEvent] = []
    limit = time.monotonic() + GUARD_S
    while not any(isinstance(event, Lost) or work.is_terminal(event.event) for event in seen):
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
    with pytest.raises(BackendError, match="A job is running"):
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
    assert until_end(dispatcher)[-1] == Lost("job", 4, "it was ended by signal 9", stable=False)
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
    dispatcher = LocalDispatcher(WorkerSettings("tests.helpers.no_such_runner", 1, tmp_path / "logs"), wakeup)
    dispatcher.submit(Assignment("job", 1, tmp_path))
    (lost,) = until_end(dispatcher)
    dispatcher.close()
    wakeup.close()
    assert isinstance(lost, Lost) and "exit code 1" in lost.reason
    assert "no_such_runner" in (tmp_path / "logs" / "worker-0.log").read_text()


def test_supervisor_and_commands_never_import_torch() -> None:
    servers = ["backend.server.serve", "backend.commands.private_backend", "backend.jobs.worker"]
    names = ("serve", "submit", "status", "cancel", "worker", "run_segment", "doctor")
    modules = ["backend.cli", *servers, *(f"backend.commands.{name}" for name in names)]
    code = f"""
import sys
for name in {modules!r}: __import__(name)
print('torch' in sys.modules, 'diffusers' in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False"]
