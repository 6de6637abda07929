from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.server.journal import Journal
from shared.errors import BackendError
from shared.files.digest import sha256_bytes
from shared.jobs.job import Job, JobInputs
from shared.protocol.job_events import FileDone, FrameDone
from shared.protocol.messages import (
    File,
    Frame,
    JobCancelled,
    JobDone,
    JobEvent,
    JobFailed,
    PreviewPicture,
    ProgressReport,
    State,
)

NAME = sha256_bytes(b"job")
D = "d" * 64
JOB = Job("a café", (1, 2), JobInputs((D, D), D, D, D))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def running(journal: Journal) -> Journal:
    journal.add(NAME, JOB, "queued")
    journal.set_state(NAME, "running", new_attempt=True)
    return journal


def all_events(journal: Journal) -> list[JobEvent]:
    return [row.event for row in journal.events_after(NAME, 0, 1000)]


def report(journal: Journal, step: int) -> JobEvent:
    return journal.append(NAME, lambda seq: ProgressReport("denoise", step, 9, 0, 2, None, job_id=NAME, seq=seq))


def test_a_job_comes_back_as_it_was(journal: Journal) -> None:
    journal.add(NAME, JOB, "waiting")
    row = journal.find(NAME)
    assert row is not None
    assert (row.job, row.state, row.attempt) == (JOB, "waiting", 0)
    assert journal.find("0" * 64) is None


def test_sequence_numbers_rise_and_are_read_after(running: Journal) -> None:
    running.add_frame(NAME, 1, D)
    running.add_frame(NAME, 2, D)
    assert [event.seq for event in all_events(running)] == [1, 2, 3, 4]
    assert [row.event for row in running.events_after(NAME, 2, 1)] == [Frame(1, D, job_id=NAME, seq=3)]
    assert running.last_seq(NAME) == 4


def test_progress_and_preview_keep_only_the_newest(running: Journal) -> None:
    for step in range(5):
        report(running, step)
        running.append(NAME, lambda seq: PreviewPicture(1, job_id=NAME, seq=seq), bytes([step]))
    rows = running.events_after(NAME, 2, 1000)
    assert [row.event for row in rows] == [
        ProgressReport("denoise", 4, 9, 0, 2, None, job_id=NAME, seq=11),
        PreviewPicture(1, job_id=NAME, seq=12),
    ]
    assert rows[1].payload == b"\x04"


def test_a_number_is_never_used_twice_even_when_its_event_is_gone(running: Journal) -> None:
    report(running, 1)
    running.set_state(NAME, "queued")
    assert [event.seq for event in all_events(running)] == [1, 2, 4]


def test_the_same_frame_is_journaled_once_and_a_new_one_replaces_it(running: Journal) -> None:
    assert running.add_frame(NAME, 1, D)
    assert not running.add_frame(NAME, 1, D)
    assert running.add_frame(NAME, 1, "e" * 64)
    frames = [event for event in all_events(running) if isinstance(event, Frame)]
    assert frames == [Frame(1, "e" * 64, job_id=NAME, seq=4)]
    assert running.frames(NAME) == (FrameDone(1, "e" * 64),)
    running.forget_frame(NAME, 1)
    assert running.frames(NAME) == ()
    assert not any(isinstance(event, Frame) for event in all_events(running))


@pytest.mark.parametrize(
    ("make", "state"),
    [
        (lambda seq: JobDone(job_id=NAME, seq=seq), "done"),
        (lambda seq: JobFailed("job.x", "No.", "", job_id=NAME, seq=seq), "failed"),
        (lambda seq: JobCancelled(NAME, seq), "cancelled"),
    ],
)
def test_one_end(running: Journal, make: object, state: str) -> None:
    running.append(NAME, make)  # type: ignore[arg-type]
    row = running.find(NAME)
    assert row is not None and row.state == state
    with pytest.raises(ValueError, match="has ended already"):
        running.append(NAME, lambda seq: JobDone(job_id=NAME, seq=seq))
    assert running.last_seq(NAME) == 3


def test_a_job_under_way_again_has_no_end_but_its_frames(running: Journal) -> None:
    running.add_frame(NAME, 1, D)
    running.append(NAME, lambda seq: JobFailed("job.x", "No.", "", job_id=NAME, seq=seq))
    assert running.set_state(NAME, "queued") == 1
    assert running.set_state(NAME, "running", new_attempt=True) == 2
    kinds = [type(event) for event in all_events(running)]
    assert kinds == [State, State, Frame, State, State]
    with pytest.raises(ValueError, match="is an end"):
        running.set_state(NAME, "done")


def test_what_was_written_is_there_after_a_restart(running: Journal, tmp_path: Path) -> None:
    running.add_frame(NAME, 1, D)
    before = all_events(running)
    again = Journal(tmp_path / "journal.sqlite3")
    assert all_events(again) == before
    assert again.last_seq(NAME) == 3
    assert [row.job_id for row in again.in_state("running", "queued")] == [NAME]
    again.close()


def test_the_queue_is_first_come_first_served(journal: Journal) -> None:
    names = [sha256_bytes(bytes([number])) for number in range(3)]
    for name in names:
        journal.add(name, JOB, "queued")
    row = journal.next_queued()
    assert row is not None and row.job_id == names[0]
    assert [info.job_id for info in journal.listing(2)] == [names[2], names[1]]
    assert (journal.listing(1)[0].frames, journal.listing(1)[0].done_frames) == (2, 0)


def test_the_journal_is_durable_before_it_answers(journal: Journal, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "journal.sqlite3")
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    journal.add(NAME, JOB, "queued")
    assert other.execute("SELECT count(*) FROM events").fetchone() == (1,)
    other.close()
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_locked_or_foreign_file_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, and long enough to be seen as none" * 40)
    with pytest.raises(BackendError) as caught:
        Journal(tmp_path / "text")
    assert caught.value.code == "journal.failed"
    newer = sqlite3.connect(tmp_path / "newer")
    newer.execute("PRAGMA user_version=99")
    newer.close()
    with pytest.raises(BackendError, match="another version"):
        Journal(tmp_path / "newer")


def test_a_write_that_fails_promises_nothing(running: Journal) -> None:
    running._db.execute("PRAGMA max_page_count=1")
    with pytest.raises(BackendError) as caught:
        running.append(NAME, lambda seq: PreviewPicture(1, job_id=NAME, seq=seq), bytes(1 << 20))
    assert caught.value.code == "journal.full" and str(running._path.parent) in caught.value.message
    assert running.last_seq(NAME) == 2 and len(all_events(running)) == 2


def test_a_result_file_is_journaled_once_and_replaced_by_another(running: Journal) -> None:
    assert running.add_file(NAME, "atlas", "a" * 64)
    assert not running.add_file(NAME, "atlas", "a" * 64)
    assert running.files(NAME) == (FileDone("atlas", "a" * 64),)
    assert running.add_file(NAME, "atlas", "b" * 64)
    assert running.files(NAME) == (FileDone("atlas", "b" * 64),)
    assert [event for event in all_events(running) if isinstance(event, File)] == [
        File("atlas", "b" * 64, job_id=NAME, seq=running.last_seq(NAME))
    ]
    running.forget_file(NAME, "atlas")
    assert running.files(NAME) == () and not any(isinstance(event, File) for event in all_events(running))


def test_the_notes_of_a_job_come_back(running: Journal) -> None:
    running.append(NAME, lambda seq: JobDone(("A plate was taken.",), job_id=NAME, seq=seq))
    end = all_events(running)[-1]
    assert isinstance(end, JobDone) and end.notes == ("A plate was taken.",)


def test_a_journal_of_the_version_before_is_read_and_becomes_todays(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    first = Journal(path)
    first.add(NAME, JOB, "queued")
    first.append(NAME, lambda seq: JobDone(job_id=NAME, seq=seq))
    first.close()
    before = sqlite3.connect(path)
    before.execute(
        "UPDATE events SET body = CAST(json_remove(CAST(body AS TEXT), '$.notes') AS BLOB) WHERE kind = 'DONE'"
    )
    before.execute("PRAGMA user_version=1")
    before.commit()
    before.close()
    again = Journal(path)
    end = all_events(again)[-1]
    again.close()
    assert isinstance(end, JobDone) and end.notes == ()
    after = sqlite3.connect(path)
    assert after.execute("PRAGMA user_version").fetchone()[0] == 2
    after.close()
