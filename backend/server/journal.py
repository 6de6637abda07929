"""The journal: jobs, their finished frames and their events in one SQLite file; what it holds survives any kill.

An event is committed (WAL, synchronous FULL) before it is sent. Sequence numbers rise per job and are never used
twice. Progress and previews replace their predecessors; frames, files, states and ends stay.
"""

from __future__ import annotations

import math
import shutil
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shared.errors import BackendError
from shared.files.strict_json import dump_json, parse_json
from shared.jobs.job import Job, canonical_json, read_job
from shared.protocol.job_events import FileDone, FrameDone
from shared.protocol.messages import (
    EVENT_MESSAGES,
    TERMINAL_STATES,
    WIRE_NAMES,
    File,
    Frame,
    JobCancelled,
    JobDone,
    JobEvent,
    JobFailed,
    JobInfo,
    JobStateName,
    PreviewPicture,
    ProgressReport,
    State,
)

SCHEMA_VERSION = 2  # 2 has events of result files
_READ = (0, 1, SCHEMA_VERSION)  # 0 is a file that was just made
_FULL_BYTES = 1 << 16  # a disk with less than this left takes no transaction
BUSY_S = 1.0  # nobody else writes here; a curious reader may hold the file for a moment

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id TEXT PRIMARY KEY, job BLOB NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL,
    created REAL NOT NULL, next_seq INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS events (
    job_id TEXT NOT NULL REFERENCES jobs, seq INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, payload BLOB,
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS frames (
    job_id TEXT NOT NULL REFERENCES jobs, frame INTEGER NOT NULL, sha256 TEXT NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (job_id, frame)
) STRICT, WITHOUT ROWID;
"""

_REPLACED: tuple[type[JobEvent], ...] = (ProgressReport, PreviewPicture)
_ENDS: dict[type[JobEvent], JobStateName] = {JobDone: "done", JobFailed: "failed", JobCancelled: "cancelled"}


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as the journal has it."""

    job_id: str
    job: Job
    state: JobStateName
    attempt: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """A journaled event; `payload` holds a preview's picture, frames and result files lie in the job's folder."""

    event: JobEvent
    payload: bytes | None


class Journal:
    """One open journal file. Every method raises BackendError `journal.failed` where the file cannot be used, or
    `journal.full` where the disk is full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._guard():
            self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA foreign_keys=ON")
            version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            if version not in _READ:
                raise BackendError(
                    "journal.version",
                    f"{path} was written by another version of LatentMan.",
                    "Use that version, or another work folder.",
                )
            self._db.executescript(_TABLES)
            self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            rows = self._db.execute("SELECT job_id, next_seq FROM jobs").fetchall()
        self._last_seq: dict[str, int] = {job_id: next_seq - 1 for job_id, next_seq in rows}

    def close(self) -> None:
        """Close the file; the journal is not used after."""
        self._db.close()

    def last_seq(self, job_id: str) -> int:
        """The sequence number of the job's newest event; 0 if there is none."""
        return self._last_seq.get(job_id, 0)

    def add(self, job_id: str, job: Job, state: JobStateName) -> None:
        """Write a new job and its first state event."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, 0, ?, 1)", (job_id, canonical_json(job), state, time.time())
            )
            self._append(job_id, lambda seq: State(job_id, seq, state, 0))

    def find(self, job_id: str) -> JobRow | None:
        """The job by its id."""
        return next(iter(self._rows("WHERE job_id = ?", job_id)), None)

    def in_state(self, *states: JobStateName, created_before: float = math.inf) -> list[JobRow]:
        """Jobs in any of these states, oldest first; only those created before a time in seconds since 1970."""
        marks = ",".join("?" * len(states))
        clause = f"WHERE state IN ({marks}) AND created < ? ORDER BY created, job_id"
        return self._rows(clause, *states, created_before)

    def all_jobs(self) -> list[JobRow]:
        """Every job, oldest first."""
        return self._rows("ORDER BY created, job_id")

    def remove(self, job_id: str) -> None:
        """Forget a job that has ended, its frames and its events. Raises ValueError for one that has not."""
        with self._transaction():
            row = self._db.execute("SELECT state FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
            if row is not None and row[0] not in TERMINAL_STATES:
                raise ValueError(f"job {job_id[:12]} has not ended ({row[0]})")
            for table in ("events", "frames", "jobs"):
                self._db.execute(f"DELETE FROM {table} WHERE job_id = ?", (job_id,))
            self._last_seq.pop(job_id, None)

    def next_queued(self, held: Collection[str] = ()) -> JobRow | None:
        """The job that has been in the queue for longest, of those that are not held."""
        marks = ",".join("?" * len(held))
        clause = f"WHERE state = 'queued' AND job_id NOT IN ({marks}) ORDER BY created, job_id LIMIT 1"
        return next(iter(self._rows(clause, *held)), None)

    def listing(self, limit: int) -> tuple[JobInfo, ...]:
        """The newest jobs, newest first."""
        with self._guard():
            done = dict(self._db.execute("SELECT job_id, count(*) FROM frames GROUP BY job_id").fetchall())
        rows = self._rows("ORDER BY created DESC, job_id LIMIT ?", limit)
        return tuple(
            JobInfo(
                row.job_id, row.state, row.attempt, row.job.method, row.job.prompt, len(row.job.frames),
                done.get(row.job_id, 0),
            )
            for row in rows
        )  # fmt: skip

    def set_state(self, job_id: str, state: JobStateName, *, new_attempt: bool = False, reason: str = "") -> int:
        """Move a job to a state that is no end and journal the event, with the reason if something went wrong; returns
        the attempt.

        A job that had ended loses its end: it is under way again.
        """
        if state in TERMINAL_STATES:
            raise ValueError(f"{state} is an end; use append with its event")
        with self._transaction():
            self._db.execute(
                "UPDATE jobs SET state = ?, attempt = attempt + ? WHERE job_id = ?", (state, int(new_attempt), job_id)
            )
            names = [WIRE_NAMES[kind] for kind in (*_ENDS, *_REPLACED)]
            marks = ",".join("?" * len(names))
            self._db.execute(f"DELETE FROM events WHERE job_id = ? AND kind IN ({marks})", (job_id, *names))
            row = self._db.execute("SELECT attempt FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
            attempt = int(row[0])
            self._append(job_id, lambda seq: State(job_id, seq, state, attempt, reason))
        return attempt

    def append(self, job_id: str, make: Callable[[int], JobEvent], payload: bytes | None = None) -> JobEvent:
        """Journal one event, made by `make` from its sequence number.

        An end (`JobDone`, `JobFailed`, `JobCancelled`) also ends the job. Raises ValueError for a second end.
        """
        with self._transaction():
            return self._append(job_id, make, payload)

    def add_frame(self, job_id: str, frame: int, sha256: str) -> bool:
        """Journal a finished frame; False where the same frame with the same digest was journaled before."""
        with self._transaction():
            known = self._db.execute(
                "SELECT sha256 FROM frames WHERE job_id = ? AND frame = ?", (job_id, frame)
            ).fetchone()
            if known is not None and known[0] == sha256:
                return False
            self._forget(job_id, frame)
            event = self._append(job_id, lambda seq: Frame(frame, sha256, job_id=job_id, seq=seq))
            self._db.execute("INSERT INTO frames VALUES (?, ?, ?, ?)", (job_id, frame, sha256, event.seq))
        return True

    def forget_frame(self, job_id: str, frame: int) -> None:
        """A journaled frame's file is damaged or gone: it counts as not finished, and its event is withdrawn."""
        with self._transaction():
            self._forget(job_id, frame)

    def frames(self, job_id: str) -> tuple[FrameDone, ...]:
        """The job's finished frames by number."""
        with self._guard():
            rows = self._db.execute(
                "SELECT frame, sha256 FROM frames WHERE job_id = ? ORDER BY frame", (job_id,)
            ).fetchall()
        return tuple(FrameDone(frame, sha256) for frame, sha256 in rows)

    def add_file(self, job_id: str, name: str, sha256: str) -> bool:
        """Journal a result file; False where the same file with the same digest was journaled before."""
        with self._transaction():
            if FileDone(name, sha256) in self.files(job_id):
                return False
            self._forget_file(job_id, name)
            self._append(job_id, lambda seq: File(name, sha256, job_id=job_id, seq=seq))
        return True

    def forget_file(self, job_id: str, name: str) -> None:
        """A journaled result file is damaged or gone: its event is withdrawn."""
        with self._transaction():
            self._forget_file(job_id, name)

    def files(self, job_id: str) -> tuple[FileDone, ...]:
        """The job's result files."""
        return tuple(FileDone(file.name, file.sha256) for file in self._files(job_id))

    def events_after(self, job_id: str, after_seq: int, limit: int) -> list[EventRow]:
        """The job's events with a larger sequence number, in order, at most `limit`."""
        with self._guard():
            rows = self._db.execute(
                "SELECT kind, body, payload FROM events WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?",
                (job_id, after_seq, limit),
            ).fetchall()
        return [
            EventRow(msgspec.convert(parse_json(body), EVENT_MESSAGES[kind][0]), payload)
            for kind, body, payload in rows
        ]

    def _rows(self, clause: str, *values: object) -> list[JobRow]:
        with self._guard():
            # The clauses are this module's own text; values travel as parameters.
            rows = self._db.execute(f"SELECT job_id, job, state, attempt FROM jobs {clause}", values).fetchall()
        return [JobRow(job_id, read_job(parse_json(job)), state, attempt) for job_id, job, state, attempt in rows]

    def _append(self, job_id: str, make: Callable[[int], JobEvent], payload: bytes | None = None) -> JobEvent:
        state, seq = self._db.execute("SELECT state, next_seq FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        event = make(seq)
        kind = WIRE_NAMES[type(event)]
        end = _ENDS.get(type(event))
        if end is not None:
            if state in TERMINAL_STATES:
                raise ValueError(f"job {job_id[:12]} has ended already ({state})")
            self._db.execute("UPDATE jobs SET state = ? WHERE job_id = ?", (end, job_id))
        if isinstance(event, _REPLACED):
            self._db.execute("DELETE FROM events WHERE job_id = ? AND kind = ?", (job_id, kind))
        self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", (job_id, seq, kind, dump_json(event), payload))
        self._db.execute("UPDATE jobs SET next_seq = ? WHERE job_id = ?", (seq + 1, job_id))
        self._last_seq[job_id] = seq
        return event

    def _files(self, job_id: str) -> list[File]:
        with self._guard():
            rows = self._db.execute(
                "SELECT body FROM events WHERE job_id = ? AND kind = ? ORDER BY seq", (job_id, WIRE_NAMES[File])
            ).fetchall()
        return [msgspec.convert(parse_json(body), File) for (body,) in rows]

    def _forget_file(self, job_id: str, name: str) -> None:
        for file in self._files(job_id):
            if file.name == name:
                self._db.execute("DELETE FROM events WHERE job_id = ? AND seq = ?", (job_id, file.seq))

    def _forget(self, job_id: str, frame: int) -> None:
        row = self._db.execute("SELECT seq FROM frames WHERE job_id = ? AND frame = ?", (job_id, frame)).fetchone()
        if row is not None:
            self._db.execute("DELETE FROM events WHERE job_id = ? AND seq = ?", (job_id, row[0]))
            self._db.execute("DELETE FROM frames WHERE job_id = ? AND frame = ?", (job_id, frame))

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: sqlite3.Error) -> BackendError:
        """What a user is told: SQLite says of a full disk sometimes only that writing failed."""
        folder = self._path.parent
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL or _free_bytes(folder) < _FULL_BYTES:
            return BackendError(
                "journal.full",
                f"The disk with {folder} is full: the backend cannot write down what it does.",
                "Free some space there, then resume: finished frames are kept.",
            )
        return BackendError(
            "journal.failed",
            f"The backend cannot use its record of jobs, {self._path}: {error}.",
            "Check the folder's permissions, or choose another output folder.",
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._guard():
            before = dict(self._last_seq)
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._last_seq = before
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _free_bytes(folder: Path) -> float:
    """What is free on a folder's disk; endless where the system does not say."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return math.inf
