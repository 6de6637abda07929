"""Jobs through a real supervisor, real sockets and a real worker process (whose runner draws one-pixel frames)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from backend.commands.base.connection import Link
from shared.errors import InputError, JobError, ModelError
from shared.files.digest import sha256_bytes
from shared.files.frame_files import frame_name
from shared.protocol.client import events as events
from shared.protocol.client.events import ClientEvent
from shared.protocol.client.job_client import JobClient
from shared.protocol.worker_memory import WorkerMemory
from tests.helpers.fake_runner import HELD_BYTES, expected_preview
from tests.helpers.server_rig import (
    QUICK,
    answered,
    backend,
    computed,
    drive,
    ended,
    ends_of,
    expected_digests,
    frames_of,
    linked,
    make_shot,
    run_shot,
)


def test_a_job_from_inputs_to_frames(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "a test preview=yes noise=stdout")
    with backend(tmp_path / "work") as running, linked(running.info) as link:
        seen = run_shot(link, shot)
    assert frames_of(seen) == expected_digests(shot)
    assert [type(event) for event in ends_of(seen)] == [events.Done]
    assert all(sha256_bytes(event.png) == event.sha256 for event in seen if isinstance(event, events.FrameReady))
    progress = [event for event in seen if isinstance(event, events.Progress)]
    assert progress and all((item.stage, item.steps, item.frames) == ("denoise", 3, 4) for item in progress)
    previews = [event for event in seen if isinstance(event, events.Preview)]
    assert previews and all(
        (one.width, one.height, one.rgb) == (1, 1, expected_preview(shot.job, one.frame - 1)) for one in previews
    )
    states = [event.state for event in seen if isinstance(event, events.StateChanged)]
    assert states == ["waiting", "queued", "running"]


def test_inputs_stream_before_the_job_and_are_sent_once(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model")
    other = dataclasses.replace(shot, job=dataclasses.replace(shot.job, seed=2))
    with backend(tmp_path / "work") as running, linked(running.info) as link:
        link.client.prepare(shot.job.model)
        for data in shot.inputs:
            link.client.add_input(data)
        seen = drive(link, lambda seen: answered(seen) == set(shot.job.inputs.digests()))
        assert [event.sent for event in seen if isinstance(event, events.InputStored)] == [True] * 7
        link.client.submit(shot.job)
        drive(link, ended)
        with linked(running.info) as second:
            seen = run_shot(second, other)
    assert [event.sent for event in seen if isinstance(event, events.InputStored)] == [False] * 7
    assert frames_of(seen) == expected_digests(other)


def test_a_job_waits_for_the_input_that_is_late(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model")
    with backend(tmp_path / "work") as running, linked(running.info) as link:
        for data in shot.inputs[1:]:
            link.client.add_input(data)
        link.client.submit(shot.job)
        seen = drive(link, lambda seen: any(isinstance(event, events.StateChanged) for event in seen))
        assert next(event for event in seen if isinstance(event, events.Accepted)).state == "waiting"
        link.client.add_input(shot.inputs[0])
        seen = drive(link, ended)
    assert frames_of(seen) == expected_digests(shot)


def test_submitting_twice_is_one_run(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "a test step_s=0.01")
    work = tmp_path / "work"
    with backend(work) as running, linked(running.info) as one, linked(running.info) as two:
        for data in shot.inputs:
            one.client.add_input(data)
        one.client.submit(shot.job)
        one.client.submit(shot.job)
        two.client.submit(shot.job)
        first = drive(one, lambda seen: len(ends_of(seen)) == 2)
        second = drive(two, ended)
        again = run_shot(two, shot)
    (job_id,) = {event.job_id for event in ends_of(first + second + again)}
    assert computed(work, job_id) == [1, 2, 3, 4]
    assert frames_of(first) == frames_of(second) == frames_of(again) == expected_digests(shot)


def test_frames_on_the_clients_disk_are_not_sent_again(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model")
    digests = expected_digests(shot)
    with backend(tmp_path / "work") as running:
        with linked(running.info) as link:
            run_shot(link, shot)
        with linked(running.info) as link:
            link.client.submit(shot.job, {1: digests[1], 2: "0" * 64, 3: digests[3]})
            seen = drive(link, ended)
    assert next(event for event in seen if isinstance(event, events.Accepted)).kept_frames == (1, 3)
    assert frames_of(seen) == {2: digests[2], 4: digests[4]}


@pytest.mark.parametrize("phase", ["waiting", "queued", "running"])
def test_cancel_in_each_phase_is_one_end(tmp_path: Path, phase: str) -> None:
    shot = make_shot(tmp_path / "model", "a test wait_at=1")
    busy = make_shot(tmp_path / "model", "the other wait_at=1")
    with backend(tmp_path / "work") as running, linked(running.info) as link, linked(running.info) as other:
        if phase == "queued":
            for data in busy.inputs:
                other.client.add_input(data)
            other.client.submit(busy.job)
            drive(other, lambda seen: any(isinstance(event, events.Progress) for event in seen))
        for data in shot.inputs if phase != "waiting" else shot.inputs[1:]:
            link.client.add_input(data)
        ticket = link.client.submit(shot.job)
        drive(link, lambda seen: any(isinstance(item, events.StateChanged) and item.state == phase for item in seen))
        link.client.cancel(ticket)
        seen = drive(link, ended)
        link.client.cancel(ticket)
        link.client.request_status()
        seen += drive(link, lambda seen: any(isinstance(event, events.JobsListed) for event in seen))
        assert [type(event) for event in ends_of(seen)] == [events.Cancelled]
        listed = next(event for event in seen if isinstance(event, events.JobsListed))
        assert listed.jobs[0].state == "cancelled"


def memory_when(link: Link, loaded: bool) -> WorkerMemory:
    """The worker's memory once it says that a model is loaded, or not."""

    def told(seen: list[ClientEvent]) -> bool:
        listed = [event for event in seen if isinstance(event, events.JobsListed)]
        link.client.request_status(jobs=0)
        return any([one.model_loaded for one in event.memory] == [loaded] for event in listed[-1:])

    (memory,) = [event for event in drive(link, told) if isinstance(event, events.JobsListed)][-1].memory
    return memory


def test_memory_is_told_and_released_when_no_job_needs_it(tmp_path: Path) -> None:
    shot, waiting = (make_shot(tmp_path / "model", prompt) for prompt in ("a test", "a test wait_at=1"))
    with backend(tmp_path / "work") as running, linked(running.info) as link:
        run_shot(link, shot)
        assert memory_when(link, True).held_bytes == HELD_BYTES
        for data in waiting.inputs:
            link.client.add_input(data)
        ticket = link.client.submit(waiting.job)
        drive(link, lambda seen: any(isinstance(one, events.Progress) and one.stage == "waiting" for one in seen))
        link.client.release_models()
        seen = drive(link, lambda seen: any(isinstance(event, events.ReleaseRefused) for event in seen))
        (refused,) = [event for event in seen if isinstance(event, events.ReleaseRefused)]
        assert refused.error.code == "backend.busy" and "is running a job" in str(refused.error)
        link.client.cancel(ticket)
        drive(link, ended)
        link.client.release_models()
        assert memory_when(link, False).held_bytes == 0
        link.client.submit(waiting.job)  # the second attempt does not wait
        assert [type(event) for event in ends_of(drive(link, ended))] == [events.Done]
        assert memory_when(link, True).held_bytes == HELD_BYTES


def test_a_cancelled_job_goes_on_with_its_finished_frames(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "a test wait_at=3")
    work = tmp_path / "work"
    with backend(work) as running, linked(running.info) as link:
        for data in shot.inputs:
            link.client.add_input(data)
        ticket = link.client.submit(shot.job)
        drive(link, lambda seen: len(frames_of(seen)) == 2)
        link.client.cancel(ticket)
        (cancelled,) = ends_of(drive(link, ended))
        assert isinstance(cancelled, events.Cancelled)
        seen = run_shot(link, shot)
    assert [type(event) for event in ends_of(seen)] == [events.Done]
    assert frames_of(seen) == expected_digests(shot)
    assert sorted(computed(work, cancelled.job_id)) == [1, 2, 3, 4]
    assert max(event.attempt for event in seen if isinstance(event, events.StateChanged)) == 2


@pytest.mark.parametrize(
    ("wish", "code", "kind"),
    [
        ("fail=model", "model.test", ModelError),
        ("fail=input", "sample.size", InputError),
        ("fail=boom", "job.error", JobError),
    ],
)
def test_a_failing_job_names_its_reason_and_can_be_submitted_again(
    tmp_path: Path, wish: str, code: str, kind: type[Exception]
) -> None:
    shot = make_shot(tmp_path / "model", f"a test {wish}")
    with backend(tmp_path / "work") as running, linked(running.info) as link:
        for _ in range(2):
            (end,) = ends_of(run_shot(link, shot))
            assert isinstance(end, events.Failed)
            assert end.error.code == code
            assert type(end.error) is kind


def test_a_worker_that_leaves_a_frame_out_has_failed(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "a test skip_frame=3")
    with backend(tmp_path / "work") as running, linked(running.info) as link:
        (end,) = ends_of(run_shot(link, shot))
    assert isinstance(end, events.Failed)
    assert (end.error.code, "frame 3" in end.error.message) == ("job.frames_absent", True)


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model")
    shot = dataclasses.replace(shot, job=dataclasses.replace(shot.job, model=str(tmp_path / "nothing")))
    with backend(tmp_path / "work") as running, linked(running.info) as link:
        link.client.prepare(shot.job.model)
        (end,) = ends_of(run_shot(link, shot))
    assert isinstance(end, events.Failed)
    assert isinstance(end.error, ModelError)
    assert end.job_id == ""


def test_a_frame_damaged_on_the_backends_disk_is_computed_anew(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model")
    work = tmp_path / "work"
    with backend(work) as running, linked(running.info) as link:
        (end,) = ends_of(run_shot(link, shot))
        assert isinstance(end, events.Done)
        (work / "jobs" / end.job_id / "frames" / frame_name(2)).write_bytes(b"rubbish")
        attached = link.client.attach(end.job_id)
        (failed,) = ends_of(drive(link, ended))
        assert isinstance(failed, events.Failed) and failed.ticket == attached
        assert failed.error.code == "job.frame_damaged"
        seen = run_shot(link, shot)
    assert frames_of(seen) == expected_digests(shot)
    assert sorted(computed(work, end.job_id)) == [1, 2, 2, 3, 4]


def test_an_attach_to_an_unknown_job_fails(tmp_path: Path) -> None:
    with backend(tmp_path / "work") as running, linked(running.info) as link:
        link.client.attach("0" * 64)
        (end,) = ends_of(drive(link, ended))
    assert isinstance(end, events.Failed)
    assert end.error.code == "job.unknown"


def test_a_slow_reader_gets_everything_within_its_credit(tmp_path: Path) -> None:
    """A client whose window is smaller than two frames still gets every frame, and old progress is dropped."""
    shot = make_shot(tmp_path / "model", frames=30)
    with backend(tmp_path / "work") as running:
        with linked(running.info) as link:
            run_shot(link, shot)
        narrow = JobClient("narrow", timing=QUICK, credit_bytes=100)
        with Link(narrow, running.info) as link:
            narrow.submit(shot.job)
            seen = drive(link, ended)
    assert frames_of(seen) == expected_digests(shot)
    assert len([event for event in seen if isinstance(event, events.Progress)]) <= 1
