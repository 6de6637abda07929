"""What a worker process hears and says, and how a run ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.jobs.runners import DEFAULT_RUNNER, Asked, Emit, load_runner
from backend.jobs.worker import run_guarded
from backend.jobs.worker_protocol import (
    LineContent,
    Load,
    Run,
    Stop,
    Unload,
    WorkerCommand,
    WorkerLine,
    read_command,
    read_line,
    write_command,
    write_line,
)
from shared.errors import CancelledError, InputError, ModelError, ProtocolError
from shared.models.files import LoraFile, ModelFiles
from shared.protocol import job_events as work
from shared.protocol.job_events import WorkerEvent
from shared.protocol.worker_memory import WorkerMemory
from tests.helpers.fake_runner import FakeRunner
from tests.helpers.server_rig import RUNNER

ROOT = Path(__file__).resolve().parents[4]

EVENTS: list[LineContent] = [
    work.Progress("denoise", 1, 20, 0, 2, 1.5),
    work.Progress("load", 0, 0, 0, 2, None),
    work.Preview(1, 1, 1, b"\x00\xff\x80"),
    work.FrameDone(1, "a" * 64),
    work.FileDone("atlas", "b" * 64),
    work.Done(),
    work.Done(("A plate was taken.",)),
    work.Failed("job.x", "Nö.", "Try."),
    work.Cancelled(),
    WorkerMemory("a card", "card", True, 3, 5, 8, 4),
]


LOAD = Load("embedded", ModelFiles(loras=(LoraFile("a.safetensors", 0.5),)))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_as_lines(event: LineContent) -> None:
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


class _Scripted(FakeRunner):
    """A runner that does what the test says."""

    def __init__(self, act: Callable[[Emit], None]) -> None:
        super().__init__()
        self._act = act

    def run(self, folder: Path, emit: Emit, cancelled: Asked, segment: int | None = None) -> None:
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
    tmp_path: Path, act: Callable[[Emit], None], end: WorkerEvent
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


def test_a_runner_is_what_its_module_exports() -> None:
    assert isinstance(load_runner(RUNNER), FakeRunner)
    with pytest.raises(InputError, match=r"tests\.helpers\.clips has no RUNNER") as caught:
        load_runner("tests.helpers.clips")
    assert DEFAULT_RUNNER in caught.value.hint


def test_supervisor_and_commands_never_import_torch() -> None:
    servers = ["backend.server.serve", "backend.commands.base.private_backend", "backend.jobs.worker"]
    names = ("serve", "submit", "status", "cancel", "worker", "run_job", "run_segment", "doctor")
    modules = ["backend.cli", *servers, *(f"backend.commands.{name}" for name in names)]
    code = f"""
import sys
for name in {modules!r}: __import__(name)
print('torch' in sys.modules, 'diffusers' in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False"]
