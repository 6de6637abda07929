"""What happens to jobs: waiting -> queued -> running -> done, failed or cancelled, each step journaled.

A job whose worker died is queued again and goes on from its finished frames; after `MAX_DEATHS` deaths in a row
without a new frame it fails. Reports of attempts that are not the present one are refused.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from backend.server.dispatch.port import Assignment, Dispatcher, DispatchEvent, Lost, Report
from backend.server.job_folders import JobFolders
from backend.server.journal import JobRow, Journal
from shared.errors import JobError, LatentManError, error_of, told
from shared.jobs.job import Job
from shared.jobs.result_files import RESULT_FILES
from shared.protocol.job_events import (
    Cancelled,
    Done,
    Failed,
    FileDone,
    FrameDone,
    Preview,
    Progress,
    WorkerEvent,
    extended,
)
from shared.protocol.messages import (
    TERMINAL_STATES,
    Accepted,
    JobCancelled,
    JobDone,
    JobFailed,
    PreviewPicture,
    ProgressReport,
)
from shared.protocol.preview import is_preview
from shared.protocol.process_end import OUT_OF_MEMORY_HINT

MAX_DEATHS = 3
_DIED_HINT = "For details, see the log (in Blender: Open Log), or run: latentman doctor"

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    attempt: int
    job: Job
    cancelling: bool = False


@dataclass(slots=True)
class _Memory:
    """What need not survive the supervisor."""

    running: dict[str, _Running] = field(default_factory=dict)
    waiting: dict[str, set[str]] = field(default_factory=dict)
    deaths: dict[str, int] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)  # of a predecessor, until somebody asks for them


class JobQueue:
    """The jobs of one supervisor."""

    def __init__(self, journal: Journal, folders: JobFolders, dispatcher: Dispatcher) -> None:
        self._journal = journal
        self._folders = folders
        self._dispatcher = dispatcher
        self._memory = _Memory()

    def recover(self, *, hold: bool = False) -> None:
        """Take up the work of a predecessor: what ran is queued again, damaged frames are forgotten.

        With `hold` it waits until somebody submits or attaches to it: whoever stopped it decides when it goes on.
        """
        for row in self._journal.in_state("waiting", "queued", "running"):
            self._check_files(row.job_id)
            if row.state == "running":
                self._journal.set_state(row.job_id, "queued")
            if row.state == "waiting":
                self._enqueue(row)
            if hold:
                self._memory.held.add(row.job_id)

    def take_up(self, job_id: str) -> None:
        """Let a job that was held go on, since somebody attaches to it. Raises JobError `job.unknown`."""
        self.require(job_id)
        self._memory.held.discard(job_id)

    def submit(self, job_id: str, job: Job) -> Accepted:
        """Take a job, or attach to it; one that failed or was cancelled is queued again with its finished frames.

        Raises LatentManError `storage.*` where its folder cannot be made.
        """
        self._memory.held.discard(job_id)
        row = self._journal.find(job_id)
        if row is None:
            self._journal.add(job_id, job, "waiting")
            self._enqueue(JobRow(job_id, job, "waiting", 0))
        elif row.state in ("failed", "cancelled") or (row.state == "done" and self._check_files(job_id)):
            self._check_files(job_id)
            self._memory.deaths.pop(job_id, None)
            self._journal.set_state(job_id, "waiting")
            self._enqueue(row)
        elif row.state == "waiting":
            self._enqueue(row)
        return self._accepted(job_id)

    def input_stored(self, digest: str) -> None:
        """An input arrived: queue the jobs that waited for it alone."""
        for job_id, missing in list(self._memory.waiting.items()):
            missing.discard(digest)
            row = self._journal.find(job_id) if not missing else None
            if row is not None:
                self._enqueue(row)

    def cancel(self, job_id: str) -> None:
        """Stop a job. Raises JobError `job.unknown`; a job that has ended stays as it is."""
        row = self.require(job_id)
        running = self._memory.running.get(job_id)
        if running is not None:
            running.cancelling = True
            self._dispatcher.cancel(job_id)
        elif row.state not in TERMINAL_STATES:
            self._memory.waiting.pop(job_id, None)
            self._journal.append(job_id, lambda seq: JobCancelled(job_id, seq))

    def require(self, job_id: str) -> JobRow:
        """The job. Raises JobError `job.unknown`."""
        row = self._journal.find(job_id)
        if row is None:
            raise JobError("job.unknown", f"The backend has no job {job_id[:12]}.", "Submit it again.")
        return row

    def pump(self) -> None:
        """Take in what the dispatcher reports and give it work."""
        for event in _without_overtaken(self._dispatcher.events()):
            running = self._memory.running.get(event.job_id)
            if running is None or running.attempt != event.attempt:
                logger.warning("refused a report of attempt %d at job %s", event.attempt, event.job_id[:12])
            elif isinstance(event, Lost):
                self._lost(event, running)
            else:
                self._report(event, running)
        while self._dispatcher.capacity() > 0:
            row = self._journal.next_queued(self._memory.held)
            if row is None:
                break
            self._start(row)

    def _start(self, row: JobRow) -> None:
        attempt = self._journal.set_state(row.job_id, "running", new_attempt=True)
        self._memory.running[row.job_id] = _Running(attempt, row.job)
        self._dispatcher.submit(Assignment(row.job_id, attempt, self._folders.path(row.job_id)))

    def _enqueue(self, row: JobRow) -> None:
        """Queue a waiting job if all its inputs are there; fail it where its folder cannot be made."""
        missing = self._folders.missing(row.job_id, row.job)
        if missing:
            self._memory.waiting[row.job_id] = set(missing)
            return
        self._memory.waiting.pop(row.job_id, None)
        try:
            self._folders.prepare(row.job_id, row.job)
        except LatentManError as error:
            self._fail(row.job_id, error)
            return
        self._journal.set_state(row.job_id, "queued")

    def _accepted(self, job_id: str) -> Accepted:
        row = self.require(job_id)
        missing = self._folders.missing(job_id, row.job) if row.state == "waiting" else ()
        return Accepted(job_id, row.state, row.attempt, missing, self._journal.frames(job_id))

    def _check_files(self, job_id: str) -> bool:
        """Forget journaled frames and result files that are damaged on disk; whether there were any."""
        damaged = self._folders.damaged(job_id, self._journal.frames(job_id))
        for frame in damaged:
            self._journal.forget_frame(job_id, frame)
        files = self._folders.damaged_files(job_id, self._journal.files(job_id))
        for name in files:
            self._journal.forget_file(job_id, name)
        return bool(damaged or files)

    def _report(self, report: Report, running: _Running) -> None:
        job_id = report.job_id
        match report.event:
            case Progress() as progress:
                self._journal.append(job_id, lambda seq: extended(progress, ProgressReport, job_id=job_id, seq=seq))
            case Preview(width=width, height=height, rgb=rgb) as preview if is_preview(width, height, rgb):
                self._journal.append(job_id, lambda seq: extended(preview, PreviewPicture, job_id=job_id, seq=seq), rgb)
            case FrameDone(frame, sha256):
                self._frame(job_id, running, frame, sha256)
            case FileDone(name, sha256):
                self._file(job_id, name, sha256)
            case Done() as done:
                self._done(job_id, running, done)
            case Failed() as failed:
                self._fail(job_id, error_of(failed, unsaid=JobError))
            case Cancelled():
                self._end(job_id)
                self._journal.append(job_id, lambda seq: JobCancelled(job_id, seq))
            case Preview():
                logger.warning("the worker sent a preview whose bytes do not fit its size")

    def _frame(self, job_id: str, running: _Running, frame: int, sha256: str) -> None:
        """Journal a frame only as it lies on disk, so that what is journaled is there and whole."""
        if frame in running.job.frames and self._folders.digest_of_frame(job_id, frame) == sha256:
            if self._journal.add_frame(job_id, frame, sha256):
                self._memory.deaths.pop(job_id, None)
        else:
            logger.error("the worker announced frame %d of job %s, which is not on disk", frame, job_id[:12])

    def _file(self, job_id: str, name: str, sha256: str) -> None:
        """Journal a result file only as it lies on disk."""
        if name in RESULT_FILES and self._folders.read_file(job_id, name, sha256) is not None:
            self._journal.add_file(job_id, name, sha256)
        else:
            logger.error("the worker announced a file %r of job %s, which is not on disk", name[:40], job_id[:12])

    def _done(self, job_id: str, running: _Running, done: Done) -> None:
        """End a job well once every frame is on disk; one whose event was lost in a kill is journaled now."""
        known = {one.frame for one in self._journal.frames(job_id)}
        absent: list[int] = []
        for frame in running.job.frames:
            if frame in known:
                continue
            digest = self._folders.digest_of_frame(job_id, frame)
            if digest is None:
                absent.append(frame)
            else:
                self._journal.add_frame(job_id, frame, digest)
        if absent:
            said = f"The worker ended without making frame {absent[0]}."
            self._fail(job_id, JobError("job.frames_absent", said, "Submit it again."))
            return
        self._end(job_id)
        self._journal.append(job_id, lambda seq: extended(done, JobDone, job_id=job_id, seq=seq))

    def _lost(self, lost: Lost, running: _Running) -> None:
        """A worker died: queue its job again, unless that was asked for or happens too often."""
        deaths = 1 if lost.stable else self._memory.deaths.get(lost.job_id, 0) + 1
        self._memory.deaths[lost.job_id] = deaths
        logger.warning("the worker of job %s died: %s (%d in a row)", lost.job_id[:12], lost.reason, deaths)
        if running.cancelling:
            self._end(lost.job_id)
            self._journal.append(lost.job_id, lambda seq: JobCancelled(lost.job_id, seq))
        elif deaths >= MAX_DEATHS:
            died = JobError(
                "job.worker_died",
                f"The backend's worker {lost.reason}. That was {deaths} times in a row, without one finished frame.",
                OUT_OF_MEMORY_HINT if "memory" in lost.reason else _DIED_HINT,
            )
            self._fail(lost.job_id, died)
        else:
            self._end(lost.job_id)
            self._journal.set_state(lost.job_id, "queued", reason=lost.reason)

    def _fail(self, job_id: str, error: LatentManError) -> None:
        self._end(job_id)
        self._journal.append(job_id, lambda seq: JobFailed(*told(error), job_id=job_id, seq=seq))

    def _end(self, job_id: str) -> None:
        self._memory.running.pop(job_id, None)


def _without_overtaken(events: list[DispatchEvent]) -> list[DispatchEvent]:
    """The same without the progress and previews that newer ones of the same job overtake: each costs a disk write."""
    kept: list[DispatchEvent] = []
    seen: set[tuple[str, type[WorkerEvent]]] = set()
    for event in reversed(events):
        if isinstance(event, Report) and isinstance(event.event, Progress | Preview):
            key = (event.job_id, type(event.event))
            if key in seen:
                continue
            seen.add(key)
        kept.append(event)
    return kept[::-1]
