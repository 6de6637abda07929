"""Worker processes on this machine: started when needed, kept warm, ended by force when they do not listen."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue

from backend.jobs.worker_protocol import Load, Run, Stop, Unload, WorkerCommand, WorkerLine, read_line, write_command
from backend.machine.devices import card_environment
from backend.machine.pipes import read_lines
from backend.server.dispatch.port import Assignment, DispatchEvent, DispatchSettings, Lost, Report
from backend.server.wakeup import Wakeup
from shared.errors import BackendError, ProtocolError
from shared.models.files import ModelFiles
from shared.protocol.job_events import Cancelled, is_terminal
from shared.protocol.launch import path_text
from shared.protocol.process_end import how_it_ended
from shared.protocol.worker_memory import WorkerMemory

STABLE_S = 600.0
LOG_BYTES = 1 << 20
# Shorter than for a cancel: whoever closes waits for it, and a job that is cut off goes on from its finished frames.
CLOSE_GRACE_S = 0.5

logger = logging.getLogger(__name__)


class LocalDispatcher:
    """A fixed number of places, each with at most one process; implements `Dispatcher` and `WarmWorkers`."""

    def __init__(self, settings: DispatchSettings, wakeup: Wakeup) -> None:
        self._settings = settings
        self._places = [_Place(settings, index, wakeup) for index in range(settings.places)]
        self._closed = False

    def submit(self, assignment: Assignment) -> None:
        """Give an assignment to a free place, to a warm one if there is one."""
        free = sorted((place for place in self._places if place.assignment is None), key=lambda place: not place.alive)
        free[0].start(assignment)

    def events(self) -> list[DispatchEvent]:
        """What the workers wrote, and which of them died."""
        if self._closed:
            return []
        now = time.monotonic()
        return [event for place in self._places for event in place.events(now)]

    def cancel(self, job_id: str) -> None:
        """Ask the job's worker to stop; `events` terminates it after `grace_s`, and kills it after as long again."""
        for place in self._places:
            if place.assignment is not None and place.assignment.job_id == job_id:
                place.cancel(time.monotonic())

    def capacity(self) -> int:
        """Places without an assignment."""
        return sum(place.assignment is None for place in self._places)

    def prepare(self, model: str, files: ModelFiles) -> None:
        """Warm a free place."""
        for place in self._places:
            if place.assignment is None:
                place.send(Load(model, files))
                return

    def release(self) -> None:
        """Have every process forget its model; one that loads just now does so afterwards."""
        if any(place.assignment is not None for place in self._places):
            raise BackendError(
                "backend.busy",
                "The backend is running a job, so its model is in use.",
                "Free the memory after the job has ended, or cancel the job.",
            )
        for place in self._places:
            place.send(Unload())

    def memory(self) -> tuple[WorkerMemory, ...]:
        """Of each process that is alive and has said it."""
        return tuple(place.memory for place in self._places if place.memory is not None)

    def next_deadline(self) -> float | None:
        """The next moment at which a worker that was asked to stop is ended by force."""
        return min((place.deadline for place in self._places if place.deadline is not None), default=None)

    def workers(self) -> int:
        """Processes alive."""
        return sum(place.alive for place in self._places)

    def close(self) -> None:
        """End all processes: the end of their stdin asks, then terminate, then kill."""
        self._closed = True
        for place in self._places:
            place.hang_up()
        deadline = time.monotonic() + CLOSE_GRACE_S
        for place in self._places:
            place.end(deadline)


class _Place:
    """One place for a process, on a machine with several GPUs tied to its share of them."""

    def __init__(self, settings: DispatchSettings, index: int, wakeup: Wakeup) -> None:
        self._settings = settings
        self._index = index
        self._wakeup = wakeup
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._started_at = 0.0
        self._broken = ""
        self._kill_next = False
        self._cancelling = False
        self.assignment: Assignment | None = None
        self.deadline: float | None = None
        self.memory: WorkerMemory | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self._cancelling = False
        self._started_at = time.monotonic()
        self.send(Run(path_text(assignment.folder.absolute()), assignment.job_id, assignment.attempt))

    def cancel(self, now: float) -> None:
        if self._cancelling or self.assignment is None:
            return
        self._cancelling = True
        self.deadline = now + self._settings.grace_s
        self._kill_next = False
        self.send(Stop(self.assignment.job_id))

    def events(self, now: float) -> list[DispatchEvent]:
        found: list[DispatchEvent] = []
        with contextlib.suppress(Empty):
            while True:
                line = self._lines.get_nowait()
                if line is None:
                    found += self._ended()
                    break
                found += self._take(line)
        if self.deadline is not None and now >= self.deadline:
            self._force(now)
        return found

    def hang_up(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def end(self, deadline: float) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
            return
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
            return
        process.kill()
        process.wait()

    def send(self, command: WorkerCommand) -> None:
        """Tell the process; it is started for what needs one."""
        if self._process is None:
            if isinstance(command, Stop | Unload) or not self._open():
                return
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(write_command(command))
            self._process.stdin.flush()
        except OSError:
            logger.warning("worker %d no longer reads; it is reported as ended", self._index)

    def _open(self) -> bool:
        """Start the process and the thread that reads it. A start that fails is reported as a death."""
        self._broken = ""
        try:
            self._settings.logs.mkdir(parents=True, exist_ok=True)
            path = self._settings.logs / f"worker-{self._index}.log"
            mode = "wb" if path.exists() and path.stat().st_size > LOG_BYTES else "ab"
            with path.open(mode) as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "backend", "worker", "--runner", self._settings.runner],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=self._environment(),
                    start_new_session=True,
                )
        except OSError as error:
            self._broken = f"could not be started: {error.strerror or error}"
            self._lines.put(None)
            self._wakeup.set()
            return False
        threading.Thread(target=self._read, args=(self._process,), name=f"worker-{self._index}", daemon=True).start()
        return True

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
        root = str(Path(__file__).resolve().parents[3])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
        return environment | card_environment(environment, self._settings.places, self._index)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        """In a thread: hand on each line, then None at the process's end."""
        if process.stdout is not None:
            for line in read_lines(process.stdout.fileno()):
                self._lines.put(line)
                self._wakeup.set()
            process.stdout.close()
        process.wait()
        self._lines.put(None)
        self._wakeup.set()

    def _take(self, data: bytes) -> list[DispatchEvent]:
        if self._broken:
            return []
        try:
            line = read_line(data)
        except ProtocolError as error:
            logger.warning("worker %d wrote what cannot be read: %s", self._index, error.message)
            self._broken = "was ended because it wrote what the backend cannot read"
            self._kill()
            return []
        if isinstance(line.event, WorkerMemory):
            self.memory = line.event
            return []
        if not self._is_current(line):
            return []
        if is_terminal(line.event):
            self._release()
        return [Report(line.job, line.attempt, line.event)]

    def _is_current(self, line: WorkerLine) -> bool:
        """Whether the line belongs to the present assignment; a stale attempt is refused."""
        current = self.assignment
        return current is not None and (line.job, line.attempt) == (current.job_id, current.attempt)

    def _ended(self) -> list[DispatchEvent]:
        """The process is gone: what it was doing is lost, or cancelled if that was asked for."""
        code = self._process.wait() if self._process is not None else 0
        self.hang_up()
        self._process = self.memory = None
        assignment, cancelling = self.assignment, self._cancelling
        reason = self._broken or how_it_ended(code)
        self._broken = ""
        self._release()
        if assignment is None:
            return []
        if cancelling:
            return [Report(assignment.job_id, assignment.attempt, Cancelled())]
        stable = time.monotonic() - self._started_at > STABLE_S
        return [Lost(assignment.job_id, assignment.attempt, reason, stable)]

    def _release(self) -> None:
        self.assignment = None
        self.deadline = None
        self._cancelling = False

    def _force(self, now: float) -> None:
        if self._process is not None:
            logger.warning("worker %d does not stop; ending it", self._index)
            if self._kill_next:
                self._process.kill()
            else:
                self._process.terminate()
        self._kill_next = True
        self.deadline = now + self._settings.grace_s

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
