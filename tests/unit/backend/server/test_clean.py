"""`latentman clean`: what has ended and is old goes, what another job needs stays."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.cli import main
from backend.machine.folder_lock import FolderLock
from backend.server.cleaning import find_leftovers
from backend.server.job_folders import JobFolders
from backend.server.journal import Journal
from backend.server.store import InputStore
from shared.files.digest import sha256_bytes
from shared.jobs.job import Job, JobInputs
from shared.protocol.messages import JobDone

OLD, SHARED, NEW = (sha256_bytes(name) for name in (b"old", b"shared", b"new"))
DAY_S = 86_400.0


class Work:
    """A work folder with jobs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.journal = Journal(folder / "journal.sqlite3")
        self.folders = JobFolders(folder / "jobs", InputStore(folder / "inputs"))
        for data in (b"old", b"shared", b"new"):
            (folder / "inputs" / sha256_bytes(data)).write_bytes(data * 1000)

    def add(self, name: str, inputs: JobInputs, days: float, *, ended: bool) -> str:
        """A job of some days' age, and its folder with one frame."""
        job, job_id = Job(name, (1,), inputs), sha256_bytes(name.encode())
        self.journal.add(job_id, job, "queued")
        self.folders.prepare(job_id, job)
        (self.folders.path(job_id) / "frames" / "0001.png").write_bytes(b"x" * 500)
        if ended:
            self.journal.append(job_id, lambda seq: JobDone(job_id=job_id, seq=seq))
        with sqlite3.connect(self.folder / "journal.sqlite3") as db:
            db.execute("UPDATE jobs SET created = created - ? WHERE job_id = ?", (days * DAY_S, job_id))
        return job_id

    def left(self) -> tuple[set[str], set[str], set[str]]:
        """Names of jobs in the journal, of job folders, and of inputs."""
        folders = ({path.name for path in (self.folder / name).iterdir()} for name in ("jobs", "inputs"))
        return ({row.job_id for row in self.journal.all_jobs()}, *folders)  # type: ignore[return-value]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    made = Work(tmp_path / "work")
    yield made
    made.journal.close()


def clean(work: Work, *arguments: str) -> int:
    return main(["clean", "--work", str(work.folder), *arguments])


def test_old_ended_jobs_go_with_what_only_they_needed(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    work.add("old and done", JobInputs((OLD,), SHARED, SHARED, SHARED), 40, ended=True)
    kept = {
        work.add("new and done", JobInputs((NEW,), SHARED, SHARED, SHARED), 1, ended=True),
        work.add("old and queued", JobInputs((SHARED,), SHARED, SHARED, SHARED), 90, ended=False),
    }
    assert clean(work) == 0
    assert work.left() == (kept, kept, {SHARED, NEW})
    assert capsys.readouterr().out == "Removed 1 jobs and 1 inputs, 0.0 MB.\n"


def test_the_size_is_what_comes_free(work: Work) -> None:
    job_id = work.add("old and done", JobInputs((OLD,), SHARED, SHARED, SHARED), 40, ended=True)
    work.add("new and done", JobInputs((NEW,), SHARED, SHARED, SHARED), 1, ended=True)
    job_file = (work.folders.path(job_id) / "job.json").stat().st_size
    # The frame, the input that has two names, the job file; SHARED is another job's too.
    assert find_leftovers(work.folder, work.journal, time.time() - 30 * DAY_S).size_bytes() == 500 + 3000 + job_file


def test_a_dry_run_keeps_everything(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    work.add("old and done", JobInputs((OLD,), SHARED, SHARED, SHARED), 40, ended=True)
    before = work.left()
    assert clean(work, "--dry-run") == 0
    assert work.left() == before
    assert "Would remove 1 jobs" in capsys.readouterr().out


def test_folders_without_a_job_go_and_foreign_files_stay(work: Work) -> None:
    orphan = work.folder / "jobs" / sha256_bytes(b"killed in the midst of cleaning")
    orphan.mkdir()
    (orphan / "job.json").write_text("{}")
    note = work.folder / "jobs" / "note.txt"
    note.write_text("mine")
    assert clean(work) == 0
    assert not orphan.exists() and note.exists()


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no symbolic links here")
def test_a_link_is_removed_and_not_followed(work: Work, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (work.folder / "jobs" / sha256_bytes(b"link")).symlink_to(outside, target_is_directory=True)
    assert clean(work) == 0
    assert (outside / "precious").exists()


def test_a_folder_at_work_and_one_that_is_none_are_refused(
    work: Work, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FolderLock(work.folder / "lock", 0.0):
        assert clean(work) == 1
    assert "Another program already works in" in capsys.readouterr().err
    assert main(["clean", "--work", str(tmp_path)]) == 2
    assert "not a work folder" in capsys.readouterr().err
    assert clean(work, "--days", "-1") == 2


def test_a_job_under_way_cannot_be_forgotten(work: Work) -> None:
    job_id = work.add("queued", JobInputs((OLD,), SHARED, SHARED, SHARED), 40, ended=False)
    with pytest.raises(ValueError, match="has not ended"):
        work.journal.remove(job_id)
    assert job_id in work.left()[0]
