"""The worker process: warm, one job after another, commands on stdin and events on stdout as JSON lines.

torch comes with the runner module, which is imported at the first command, after the process has started. stdout is
taken away from everybody else first, so that a library that prints cannot break the lines. The end of stdin means
that the supervisor is gone: the job stops at its next step, and the process ends, by force after `GRACE_S`.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import threading
import time
from pathlib import Path
from queue import SimpleQueue

from backend.jobs.runners import Asked, Emit, Runner, load_runner
from backend.jobs.worker_protocol import Load, Run, Stop, Unload, WorkerLine, read_command, write_line
from backend.machine.folder_lock import FolderLock
from backend.machine.pipes import claim_stdout, read_lines, write_all
from shared.errors import CancelledError, JobError, LatentManError, ProtocolError, told
from shared.files.frame_files import is_disk_full, storage_error
from shared.models.files import ModelFiles
from shared.protocol.job_events import Cancelled, Done, Failed, WorkerEvent, is_terminal
from shared.protocol.launch import path_from

GRACE_S = 5.0
LOCK_WAIT_S = 30.0
MEMORY_EVERY_S = 2.0

logger = logging.getLogger(__name__)


def run_guarded(
    runner: Runner, folder: Path, emit: Emit, cancelled: Asked, segment: int | None = None
) -> Done | Failed | Cancelled:
    """Run a job folder, or one segment of it, to exactly one terminal event, which is also returned."""
    ends: list[Done | Failed | Cancelled] = []

    def once(event: WorkerEvent) -> None:
        if ends:
            return
        if isinstance(event, Done | Failed | Cancelled):
            ends.append(event)
        emit(event)

    end: Done | Failed | Cancelled = Done()
    try:
        with FolderLock(folder / "lock", LOCK_WAIT_S):
            runner.run(folder, once, cancelled, segment)
    except CancelledError:
        end = Cancelled()
    except LatentManError as error:
        end = Failed(*told(error))
    except Exception as error:  # The process must outlive a job, whatever a library raises.
        logger.exception("the job in %s failed", folder)
        end = Failed(*told(_unexpected(error, folder)))
    once(end)
    return ends[0]


def serve_worker(runner_module: str) -> int:
    """Run commands from stdin until it ends; returns the exit code."""
    output = _Output(claim_stdout())
    inbox = _Inbox(0)
    while True:
        command = inbox.commands.get()
        if command is None:
            return 0
        runner = load_runner(runner_module)
        match command:
            case Load(model, files):
                _prepare(runner, model, files)
            case Unload():
                runner.release()
            case Run(folder, job, attempt):
                emit = functools.partial(output.event, runner, job, attempt)
                run_guarded(runner, path_from(folder), emit, inbox.cancelled(job))
        output.memory(runner)


class _Output:
    """Lines to the supervisor: events, and the memory now and then."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._memory_at = 0.0

    def event(self, runner: Runner, job: str, attempt: int, event: WorkerEvent) -> None:
        """Write an event of a job, and the memory where that is due."""
        self._write(WorkerLine(job, attempt, event))
        if not is_terminal(event) and time.monotonic() - self._memory_at > MEMORY_EVERY_S:
            self.memory(runner)

    def memory(self, runner: Runner) -> None:
        """Write what the process holds."""
        self._memory_at = time.monotonic()
        self._write(WorkerLine("", 0, runner.memory()))

    def _write(self, line: WorkerLine) -> None:
        # A supervisor that is gone reads no more; the inbox is about to see the same.
        with contextlib.suppress(BrokenPipeError):
            write_all(self._descriptor, write_line(line))


class _Inbox:
    """Commands from stdin, read in a thread so that a cancel is seen while a job runs."""

    def __init__(self, descriptor: int) -> None:
        self.commands: SimpleQueue[Run | Load | Unload | None] = SimpleQueue()
        self._stopped: set[str] = set()
        self._ended = threading.Event()
        threading.Thread(target=self._read, args=(descriptor,), name="inbox", daemon=True).start()

    def cancelled(self, job: str) -> Asked:
        """The job's question whether it should stop. Cancels from before this attempt are forgotten."""
        return lambda: job in self._stopped or self._ended.is_set()

    def _read(self, descriptor: int) -> None:
        for line in read_lines(descriptor):
            try:
                command = read_command(line)
            except ProtocolError:
                logger.exception("a command was not understood")
                continue
            if isinstance(command, Stop):
                self._stopped.add(command.job)
            else:
                if isinstance(command, Run):
                    self._stopped.discard(command.job)
                self.commands.put(command)
        self._ended.set()
        self.commands.put(None)
        timer = threading.Timer(GRACE_S, os._exit, (1,))
        timer.daemon = True
        timer.start()


def _prepare(runner: Runner, model: str, files: ModelFiles) -> None:
    """Load a model ahead; a failure shows again, to the user, when the job runs."""
    try:
        runner.prepare(model, files)
    except LatentManError as error:
        logger.warning("cannot prepare the model: %s", error)


def _unexpected(error: Exception, folder: Path) -> LatentManError:
    if isinstance(error, OSError) and is_disk_full(error):
        return storage_error(error, folder)
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return JobError("job.memory", "The machine ran out of memory.", "Use a smaller picture or shorter segments.")
    text = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    return JobError("job.error", f"The job failed with {text}.", "The log has the details (in Blender: Open Log).")
