"""The job queue over a real journal and real folders; the dispatcher is played by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from backend.server import job_folders
from backend.server.dispatch.port import Assignment, DispatchEvent, Lost, Report
from backend.server.job_folders import JobFolders
from backend.server.job_queue import JobQueue
from backend.server.journal import Journal
from backend.server.store import InputStore
from shared.errors import LatentManError
from shared.files.digest import sha256_bytes
from shared.files.frame_files import PNG_SIGNATURE
from shared.jobs.job import Job, JobInputs
from shared.protocol import job_events as work
from shared.protocol.messages import Frame, JobFailed, ProgressReport

DATA = b"input"
NAME = sha256_bytes(DATA)
JOB = Job("x", (1, 2), JobInputs((NAME, NAME), NAME, NAME, NAME))
JOB_ID = sha256_bytes(b"job")
PNG = PNG_SIGNATURE + b"picture"


@dataclass
class ByHand:
    """A dispatcher with one place, whose events the test writes."""

    taken: list[Assignment] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    coming: list[DispatchEvent] = field(default_factory=list)
    free: int = 1

    def submit(self, assignment: Assignment) -> None:
        self.taken.append(assignment)
        self.free -= 1

    def events(self) -> list[DispatchEvent]:
        found, self.coming = self.coming, []
        self.free += sum(isinstance(event, Lost) or work.is_terminal(event.event) for event in found)
        return found

    def cancel(self, job_id: str) -> None:
        self.stopped.append(job_id)

    def capacity(self) -> int:
        return self.free

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        pass


@dataclass
class Rig:
    journal: Journal
    store: InputStore
    folders: JobFolders
    hand: ByHand
    queue: JobQueue

    def say(self, *events: DispatchEvent) -> None:
        self.hand.coming += events
        self.queue.pump()

    def state(self) -> str:
        row = self.journal.find(JOB_ID)
        assert row is not None
        return row.state

    def started(self) -> Rig:
        self.store.begin(NAME, len(DATA)).add(0, len(DATA), DATA)
        self.queue.submit(JOB_ID, JOB)
        self.queue.pump()
        return self

    def draw(self, frame: int, data: bytes = PNG) -> work.FrameDone:
        self.folders.frame_path(JOB_ID, frame).write_bytes(data)
        return work.FrameDone(frame, sha256_bytes(data))


def open_rig(folder: Path) -> Rig:
    store = InputStore(folder / "inputs")
    journal, folders, hand = Journal(folder / "journal"), JobFolders(folder / "jobs", store), ByHand()
    return Rig(journal, store, folders, hand, JobQueue(journal, folders, hand))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = open_rig(tmp_path)
    yield made
    made.journal.close()


def test_a_job_waits_for_inputs_then_runs(rig: Rig) -> None:
    accepted = rig.queue.submit(JOB_ID, JOB)
    assert (accepted.state, accepted.missing) == ("waiting", (NAME,))
    rig.store.begin(NAME, len(DATA)).add(0, len(DATA), DATA)
    rig.queue.input_stored(NAME)
    assert rig.state() == "queued"
    rig.queue.pump()
    assert rig.state() == "running"
    assert rig.hand.taken == [Assignment(JOB_ID, 1, rig.folders.path(JOB_ID))]


def test_reports_of_another_attempt_are_refused(rig: Rig) -> None:
    rig.started()
    frame = rig.draw(1)
    rig.say(Report(JOB_ID, 0, frame), Report(JOB_ID, 2, work.Done()), Report("f" * 64, 1, work.Done()))
    assert rig.state() == "running" and rig.journal.frames(JOB_ID) == ()
    rig.say(Report(JOB_ID, 1, frame))
    assert rig.journal.frames(JOB_ID) == (work.FrameDone(1, frame.sha256),)


def test_a_frame_is_journaled_only_as_it_lies_on_disk(rig: Rig) -> None:
    rig.started()
    true = rig.draw(1)
    rig.say(Report(JOB_ID, 1, work.FrameDone(1, "0" * 64)), Report(JOB_ID, 1, work.FrameDone(2, true.sha256)))
    rig.say(Report(JOB_ID, 1, rig.draw(2, b"no picture")), Report(JOB_ID, 1, rig.draw(77)))
    assert rig.journal.frames(JOB_ID) == ()


def test_done_takes_in_frames_whose_event_was_lost(rig: Rig) -> None:
    rig.started()
    first = rig.draw(1)
    rig.draw(2)
    rig.say(Report(JOB_ID, 1, first), Report(JOB_ID, 1, work.Done()))
    assert rig.state() == "done"
    assert [item.frame for item in rig.journal.frames(JOB_ID)] == [1, 2]


def test_three_deaths_without_a_frame_are_the_end(rig: Rig) -> None:
    rig.started()
    for attempt in (1, 2):
        rig.say(Lost(JOB_ID, attempt, "it died", stable=False))
        assert rig.state() == "running"
    rig.say(Report(JOB_ID, 3, rig.draw(1)), Lost(JOB_ID, 3, "it died", stable=False))
    assert rig.state() == "running"  # a new frame is progress: the count began again
    rig.say(Lost(JOB_ID, 4, "it died", stable=False))
    rig.say(Lost(JOB_ID, 5, "it died", stable=True))
    assert rig.state() == "running"  # so is having run for long
    rig.say(Lost(JOB_ID, 6, "it died", stable=False), Report(JOB_ID, 6, work.Done()))
    rig.say(Lost(JOB_ID, 7, "it died", stable=False))
    assert rig.state() == "failed"
    last = rig.journal.events_after(JOB_ID, 0, 100)[-1].event
    assert isinstance(last, JobFailed) and "3 times" in last.message and "it died" in last.message
    assert [assignment.attempt for assignment in rig.hand.taken] == [1, 2, 3, 4, 5, 6, 7]


def test_a_worker_that_dies_while_it_is_cancelled_is_cancelled(rig: Rig) -> None:
    rig.started()
    rig.queue.cancel(JOB_ID)
    assert (rig.hand.stopped, rig.state()) == ([JOB_ID], "running")
    rig.say(Lost(JOB_ID, 1, "it died", stable=False))
    assert rig.state() == "cancelled"
    rig.queue.cancel(JOB_ID)
    assert rig.state() == "cancelled"


def test_an_unknown_job_cannot_be_cancelled(rig: Rig) -> None:
    with pytest.raises(LatentManError) as caught:
        rig.queue.cancel("0" * 64)
    assert caught.value.code == "job.unknown"


def test_a_failed_job_submitted_again_keeps_its_frames(rig: Rig) -> None:
    rig.started()
    rig.say(Report(JOB_ID, 1, rig.draw(1)), Report(JOB_ID, 1, work.Failed("job.x", "No.")))
    assert rig.state() == "failed"
    accepted = rig.queue.submit(JOB_ID, JOB)
    assert (accepted.state, [item.frame for item in accepted.done_frames]) == ("queued", [1])
    rig.queue.pump()
    assert rig.hand.taken[-1].attempt == 2


def test_a_successor_takes_up_what_ran_and_forgets_damaged_frames(rig: Rig, tmp_path: Path) -> None:
    rig.started()
    rig.say(Report(JOB_ID, 1, rig.draw(1)), Report(JOB_ID, 1, rig.draw(2)))
    rig.folders.frame_path(JOB_ID, 2).write_bytes(PNG[:-1])
    rig.journal.close()
    after = open_rig(tmp_path)
    after.queue.recover()
    assert after.state() == "queued"
    assert [item.frame for item in after.journal.frames(JOB_ID)] == [1]
    rows = after.journal.events_after(JOB_ID, 0, 100)
    assert [row.event.frame for row in rows if isinstance(row.event, Frame)] == [1]
    after.queue.pump()
    assert after.hand.taken == [Assignment(JOB_ID, 2, after.folders.path(JOB_ID))]
    after.say(Report(JOB_ID, 1, work.Done()))  # the predecessor's worker
    assert after.state() == "running"
    after.journal.close()


@pytest.mark.parametrize("ask", ["submit", "take_up"])
def test_a_predecessors_work_that_is_held_goes_on_when_it_is_asked_for(rig: Rig, tmp_path: Path, ask: str) -> None:
    rig.started()
    rig.say(Report(JOB_ID, 1, rig.draw(1)))
    rig.journal.close()
    after = open_rig(tmp_path)
    after.queue.recover(hold=True)
    after.queue.pump()
    assert after.hand.taken == [] and after.state() == "queued"
    if ask == "submit":
        assert [item.frame for item in after.queue.submit(JOB_ID, JOB).done_frames] == [1]
    else:
        after.queue.take_up(JOB_ID)
    after.queue.pump()
    assert after.hand.taken == [Assignment(JOB_ID, 2, after.folders.path(JOB_ID))]
    after.journal.close()


def test_a_held_job_lets_others_pass_and_can_be_cancelled(rig: Rig, tmp_path: Path) -> None:
    rig.started()
    rig.journal.close()
    after = open_rig(tmp_path)
    after.queue.recover(hold=True)
    other = "e" * 64
    after.queue.submit(other, JOB)
    after.queue.pump()
    assert [one.job_id for one in after.hand.taken] == [other]
    after.queue.cancel(JOB_ID)
    assert after.state() == "cancelled"
    with pytest.raises(LatentManError, match="has no job"):
        after.queue.take_up("f" * 64)
    after.journal.close()


def test_progress_that_is_overtaken_is_not_written(rig: Rig) -> None:
    rig.started()
    before = rig.journal.last_seq(JOB_ID)
    steps = [Report(JOB_ID, 1, work.Progress("denoise", step, 9, 0, 2)) for step in range(9)]
    rig.say(*steps[:5], Report(JOB_ID, 1, rig.draw(1)), *steps[5:])
    assert rig.journal.last_seq(JOB_ID) == before + 2
    last = rig.journal.events_after(JOB_ID, before + 1, 9)[0].event
    assert isinstance(last, ProgressReport) and last.step == 8


def test_a_folder_that_cannot_be_made_fails_the_job(rig: Rig, tmp_path: Path) -> None:
    rig.store.begin(NAME, len(DATA)).add(0, len(DATA), DATA)
    (tmp_path / "jobs" / JOB_ID).write_text("in the way")
    assert rig.queue.submit(JOB_ID, JOB).state == "failed"
    (event,) = [row.event for row in rig.journal.events_after(JOB_ID, 0, 9) if isinstance(row.event, JobFailed)]
    assert event.code == "storage.unwritable"


def test_a_result_file_counts_only_as_it_lies_on_disk(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.started()
    atlas = rig.folders.path(JOB_ID) / "atlas.png"
    told = work.FileDone("atlas", sha256_bytes(PNG))
    rig.say(Report(JOB_ID, 1, told))
    assert rig.journal.files(JOB_ID) == ()
    for data in (b"no picture", PNG + b" of another"):
        atlas.write_bytes(data)
        rig.say(Report(JOB_ID, 1, told), Report(JOB_ID, 1, work.FileDone("atlas", "f" * 64)))
    rig.say(Report(JOB_ID, 1, work.FileDone("../job", sha256_bytes(PNG))))
    atlas.write_bytes(PNG)
    with monkeypatch.context() as patch:
        patch.setattr(job_folders, "MAX_RESULT_BYTES", len(PNG) - 1)
        rig.say(Report(JOB_ID, 1, told))
    assert rig.journal.files(JOB_ID) == ()
    rig.say(Report(JOB_ID, 1, told))
    assert rig.journal.files(JOB_ID) == (told,)


def test_a_done_job_whose_result_file_is_damaged_runs_again(rig: Rig) -> None:
    rig.started()
    atlas = rig.folders.path(JOB_ID) / "atlas.png"
    atlas.write_bytes(PNG)
    frames = [Report(JOB_ID, 1, rig.draw(frame)) for frame in JOB.frames]
    rig.say(*frames, Report(JOB_ID, 1, work.FileDone("atlas", sha256_bytes(PNG))), Report(JOB_ID, 1, work.Done()))
    assert rig.queue.submit(JOB_ID, JOB).state == "done"
    atlas.write_bytes(PNG + b" damaged")
    assert rig.queue.submit(JOB_ID, JOB).state == "queued"
    assert rig.journal.files(JOB_ID) == () and len(rig.journal.frames(JOB_ID)) == 2
