"""The rules of the dispatch port as tests: a dispatcher's test module has a subclass that opens it.

class TestMine(DispatcherContract):
    @pytest.fixture
    def rig(self, tmp_path): ...  # yield a Rig of two places; its jobs are run by tests.helpers.fake_runner
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.server.dispatch.port import Assignment, Dispatcher, DispatchEvent, Lost, Report
from backend.server.wakeup import Wakeup
from shared.files.digest import sha256_bytes, sha256_file
from shared.files.frame_files import frame_name
from shared.jobs.job import Job, JobInputs, canonical_json
from shared.protocol.job_events import Cancelled, Done, Failed, FileDone, FrameDone, Progress, WorkerEvent, is_terminal
from tests.helpers.server_rig import GUARD_S

PASS = b"a pass"
INPUTS = JobInputs((sha256_bytes(PASS),) * 2, *[sha256_bytes(PASS)] * 3)
STEPS = 2
PLACES = 2
WAITING = "wait_at=2"  # after its first frame, the first attempt goes on until it is stopped


@dataclass(frozen=True, slots=True)
class Rig:
    """A dispatcher of two places, what it wakes, and a way to end whoever runs a job, without a word."""

    dispatcher: Dispatcher
    wakeup: Wakeup
    kill: Callable[[str], None]

    def until(self, enough: Callable[[list[DispatchEvent]], bool]) -> list[DispatchEvent]:
        """All events until they are enough, asked for only when the dispatcher wakes its owner or had said when."""
        seen = self.dispatcher.events()
        limit = time.monotonic() + GUARD_S
        while not enough(seen):
            assert time.monotonic() < limit, seen
            deadline = self.dispatcher.next_deadline()
            wait_s = min(limit, deadline or limit) - time.monotonic()
            woken, _, _ = select.select([self.wakeup.fileno()], [], [], max(0.0, wait_s))
            assert woken or deadline is not None, f"nobody was woken; so far there were {seen}"
            self.wakeup.clear()
            seen += self.dispatcher.events()
        return seen


def job_folder(folder: Path, prompt: str, steps: int = STEPS) -> Path:
    """A job folder as the supervisor makes it, of two frames."""
    for name in ("inputs", "frames", "segments"):
        (folder / name).mkdir(parents=True)
    (folder / "inputs" / sha256_bytes(PASS)).write_bytes(PASS)
    job = Job(prompt, (1, 2), INPUTS, steps=steps, width=64, height=64)
    (folder / "job.json").write_bytes(canonical_json(job))
    return folder


def is_end(event: DispatchEvent) -> bool:
    """Whether nothing may follow it."""
    return isinstance(event, Lost) or is_terminal(event.event)


def ended(jobs: int = 1) -> Callable[[list[DispatchEvent]], bool]:
    """Whether so many assignments have ended."""
    return lambda seen: sum(map(is_end, seen)) >= jobs


def waits(seen: list[DispatchEvent]) -> bool:
    """Whether a job of the prompt `WAITING` has come to where it waits."""
    return any(
        isinstance(one, Report) and isinstance(one.event, Progress) and one.event.stage == "waiting" for one in seen
    )


def of_job(seen: list[DispatchEvent], job_id: str) -> list[WorkerEvent]:
    """What was reported for a job."""
    return [one.event for one in seen if isinstance(one, Report) and one.job_id == job_id]


class DispatcherContract:
    """What every dispatcher keeps to."""

    @pytest.fixture
    def rig(self, tmp_path: Path) -> Iterator[Rig]:
        """The dispatcher under test, of two places; a subclass opens and closes it."""
        raise NotImplementedError

    def test_events_come_in_order_and_end_once(self, rig: Rig, tmp_path: Path) -> None:
        for name in ("a", "b"):
            rig.dispatcher.submit(Assignment(name, 1, job_folder(tmp_path / name, f"job {name}")))
        seen = rig.until(ended(2))
        for name in ("a", "b"):
            frames = [event for event in of_job(seen, name) if isinstance(event, FrameDone)]
            expected: list[WorkerEvent] = []
            for index, frame in enumerate(frames):
                expected += [Progress("denoise", step + 1, STEPS, index, 2) for step in range(STEPS)]
                expected.append(frame)
            assert [frame.frame for frame in frames] == [1, 2]
            assert of_job(seen, name) == [*expected, Done()]
        assert {(one.job_id, one.attempt) for one in seen} == {("a", 1), ("b", 1)}

    def test_nothing_follows_an_end(self, rig: Rig, tmp_path: Path) -> None:
        rig.dispatcher.submit(Assignment("first", 1, job_folder(tmp_path / "first", "x")))
        rig.until(ended())
        rig.dispatcher.submit(Assignment("second", 1, job_folder(tmp_path / "second", "x")))
        later = rig.until(ended())
        assert {one.job_id for one in later} == {"second"} and sum(map(is_end, later)) == 1

    def test_a_frame_that_is_reported_lies_whole_in_the_folder(self, rig: Rig, tmp_path: Path) -> None:
        folder = job_folder(tmp_path / "job", WAITING)
        rig.dispatcher.submit(Assignment("job", 1, folder))
        frames = [event for event in of_job(rig.until(waits), "job") if isinstance(event, FrameDone)]
        assert [frame.frame for frame in frames] == [1]  # while the job runs on
        assert sha256_file(folder / "frames" / frame_name(1)) == frames[0].sha256
        rig.dispatcher.cancel("job")
        rig.until(ended())

    def test_a_result_file_that_is_reported_lies_whole_in_the_folder_and_the_end_has_the_notes(
        self, rig: Rig, tmp_path: Path
    ) -> None:
        folder = job_folder(tmp_path / "job", "atlas=yes note=chosen")
        rig.dispatcher.submit(Assignment("job", 1, folder))
        *_, file, end = of_job(rig.until(ended()), "job")
        assert file == FileDone("atlas", sha256_file(folder / "atlas.png")) and end == Done(("chosen",))

    def test_capacity_counts_the_free_places(self, rig: Rig, tmp_path: Path) -> None:
        assert rig.dispatcher.capacity() == PLACES
        for index, name in enumerate(("a", "b")):
            rig.dispatcher.submit(Assignment(name, 1, job_folder(tmp_path / name, WAITING)))
            assert rig.dispatcher.capacity() == PLACES - 1 - index
        rig.until(waits)
        for name in ("a", "b"):
            rig.dispatcher.cancel(name)
        rig.until(ended(2))
        assert rig.dispatcher.capacity() == PLACES

    def test_a_cancelled_job_ends_as_cancelled(self, rig: Rig, tmp_path: Path) -> None:
        folder = job_folder(tmp_path / "job", WAITING)
        rig.dispatcher.submit(Assignment("job", 1, folder))
        rig.until(waits)
        rig.dispatcher.cancel("another job")
        rig.dispatcher.cancel("job")
        rig.dispatcher.cancel("job")
        seen = rig.until(ended())
        assert seen[-1] == Report("job", 1, Cancelled()) and sum(map(is_end, seen)) == 1
        rig.dispatcher.cancel("job")  # it has ended
        rig.dispatcher.submit(Assignment("job", 2, folder))
        again = rig.until(ended())
        assert again[-1] == Report("job", 2, Done()) and {one.attempt for one in again} == {2}

    def test_a_job_that_dies_of_being_cancelled_is_cancelled(self, rig: Rig, tmp_path: Path) -> None:
        rig.dispatcher.submit(Assignment("job", 1, job_folder(tmp_path / "job", WAITING)))
        rig.until(waits)
        rig.dispatcher.cancel("job")
        rig.kill("job")
        seen = rig.until(ended())
        assert seen[-1] == Report("job", 1, Cancelled()) and sum(map(is_end, seen)) == 1

    def test_a_job_that_fails_says_why(self, rig: Rig, tmp_path: Path) -> None:
        rig.dispatcher.submit(Assignment("job", 1, job_folder(tmp_path / "job", "fail=model")))
        end = rig.until(ended())[-1]
        assert end == Report("job", 1, Failed("model.test", "The model is not there.", "Bring it.", "model"))
        assert rig.dispatcher.capacity() == PLACES

    def test_who_dies_loses_the_job_and_the_place_is_free(self, rig: Rig, tmp_path: Path) -> None:
        folder = job_folder(tmp_path / "job", WAITING)
        rig.dispatcher.submit(Assignment("job", 1, folder))
        rig.until(waits)
        rig.kill("job")
        seen = rig.until(ended())
        assert isinstance(seen[-1], Lost) and (seen[-1].job_id, seen[-1].attempt) == ("job", 1) and seen[-1].reason
        assert sum(map(is_end, seen)) == 1 and not seen[-1].stable
        assert rig.dispatcher.capacity() == PLACES
        rig.dispatcher.submit(Assignment("job", 2, folder))
        again = rig.until(ended())
        assert again[-1] == Report("job", 2, Done()) and {one.attempt for one in again} == {2}

    def test_asking_for_events_never_blocks(self, rig: Rig, tmp_path: Path) -> None:
        assert rig.dispatcher.events() == []
        folder = job_folder(tmp_path / "job", f"{WAITING} quiet=yes")
        rig.dispatcher.submit(Assignment("job", 1, folder))
        rig.until(lambda seen: any(isinstance(event, FrameDone) for event in of_job(seen, "job")))
        answers: list[list[DispatchEvent]] = []

        def ask() -> None:  # until the silent job has nothing more to tell
            while not answers or answers[-1]:
                answers.append(rig.dispatcher.events())

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(GUARD_S)
        assert not asking.is_alive() and answers[-1] == []
        assert rig.dispatcher.capacity() == PLACES - 1  # it still runs
        rig.dispatcher.cancel("job")
        assert rig.until(ended())[-1] == Report("job", 1, Cancelled())

    def test_a_closed_dispatcher_reports_nothing(self, rig: Rig, tmp_path: Path) -> None:
        folder = job_folder(tmp_path / "job", WAITING)
        rig.dispatcher.submit(Assignment("job", 1, folder))
        rig.until(waits)
        rig.dispatcher.close()
        assert rig.dispatcher.events() == []
        assert not (folder / "frames" / frame_name(2)).exists()
