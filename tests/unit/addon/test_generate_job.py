"""A shot from passes to frames against a real backend process: sockets, journal and worker are real, no model is."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from blender_addon.client.backend_command import BackendCommand, find_backend, parse_backend_command
from blender_addon.client.backend_process import BackendProcess
from blender_addon.client.generate_job import GenerateJob
from blender_addon.client.present import FrameLook
from blender_addon.client.progress import GenerateState
from blender_addon.client.request import GenerateRequest
from blender_addon.client.result_file import ShotResult, write_result
from shared.errors import BackendError, CancelledError, InputError, JobError, RenderError
from shared.files.digest import sha256_file
from shared.files.frame_files import PNG_SIGNATURE
from shared.jobs.job import parse_job
from shared.methods.finish import FinishSettings
from shared.models.files import LoraFile, ModelFiles
from shared.protocol.client.events import Preview
from shared.protocol.client.job_client import JobClient
from shared.protocol.client.session import Session
from tests.helpers.fake_runner import expected_atlas, expected_png, expected_preview

from .shots import PassFile, PassFolder, request_for

ROOT = Path(__file__).resolve().parents[3]
GUARD_S = 60.0  # ends a test that would hang; nothing is measured with it
METHODS = ("text2video_zero", "latentman")


@contextmanager
def session_on(work: Path) -> Iterator[Session]:
    """A session with a backend process of its own, started as the add-on starts it, with the fake runner."""
    found = find_backend(ROOT)
    command = BackendCommand((*found.words, "--runner", "tests.helpers.fake_runner"), found.folder)
    session = Session(JobClient("test"), BackendProcess(command, work, time.monotonic()))
    try:
        yield session
    finally:
        session.close()


def start(request: GenerateRequest, session: Session, fails: RenderError | None = None) -> GenerateJob:
    passes = PassFolder(request.passes_folder, request.template.frames, fails)
    return GenerateJob(request, passes, session, time.monotonic())


class EndlessPasses(PassFolder):
    """Passes that never come."""

    def __init__(self) -> None:
        self.closed = False

    @property
    def done(self) -> bool:
        return False

    @property
    def shot_ready(self) -> bool:
        return False

    def step(self) -> list[PassFile]:
        return []

    def close(self) -> None:
        self.closed = True


def drive(job: GenerateJob, until: Callable[[], bool] = lambda: False) -> None:
    """Step the job until it ends or `until` is true."""
    limit = time.monotonic() + GUARD_S
    while job.step(time.monotonic()) and not until():
        assert time.monotonic() < limit, job.progress
        time.sleep(0.002)


def computed(work: Path) -> list[str]:
    """The frames that the runner computed, over all jobs and attempts."""
    return [line for log in sorted(work.glob("jobs/*/computed.txt")) for line in log.read_text().split()]


def test_passes_become_frames_of_every_method(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model", frames=(1, 2, 7))
    with session_on(tmp_path / "work") as session:
        job = start(request, session)
        drive(job)
    job.raise_if_unfinished()
    assert job.state is GenerateState.DONE and job.progress.fraction == 1.0
    for method in METHODS:
        made = parse_job((request.output / method / "job.json").read_bytes())
        assert (made.method, made.frames) == (method, (1, 2, 7))
        assert made.inputs.passes == tuple(sha256_file(request.passes_folder / f"{f:04d}.exr") for f in (1, 2, 7))
        for index, frame in enumerate(made.frames):
            assert (request.output / method / f"{frame:04d}.png").read_bytes() == expected_png(made, index)
    assert (request.output / "job.json").read_bytes() == (request.output / "latentman" / "job.json").read_bytes()


def test_the_newest_preview_is_there_until_the_shot_ends(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model", "preview=yes step_s=0.02", frames=(1, 2, 7))
    seen: list[Preview | None] = []
    with session_on(tmp_path / "work") as session:
        job = start(request, session)

        def note() -> bool:
            seen.append(job.preview)
            return False

        drive(job, note)
    assert job.state is GenerateState.DONE and job.preview is None
    pictures = {(one.frame, one.width, one.height, one.rgb) for one in seen if one is not None}
    made = [made for made, _ in job.results]
    assert pictures and pictures <= {
        (frame, 1, 1, expected_preview(one, index)) for one in made for index, frame in enumerate(one.frames)
    }


def test_the_model_is_prepared_with_the_jobs_own_files_before_the_passes_are_there(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    lora = tmp_path / "a.safetensors"
    template = replace(request.template, model_files=ModelFiles(loras=(LoraFile(str(lora)),)))
    with session_on(tmp_path / "work") as session:
        job = GenerateJob(replace(request, template=template), EndlessPasses(), session, time.monotonic())
        drive(job, lambda: bool(session.memory))
        (memory,) = session.memory
        job.cancel(time.monotonic())
        drive(job)
    assert memory.device == f"{tmp_path / 'model'} {lora}"


def test_the_result_file_says_what_was_made(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    with session_on(tmp_path / "work") as session:
        job = start(request, session)
        drive(job)
    result = json.loads((request.output / "result.json").read_bytes())
    assert result["frames"] == [1, 2, 3]
    assert [one["method"] for one in result["methods"]] == list(METHODS)
    for one in result["methods"]:
        folder = request.output / one["folder"]
        assert one["frames"] == {str(frame): sha256_file(folder / f"{frame:04d}.png") for frame in (1, 2, 3)}
        assert one["received"] == 3
        assert (one["method"], one["job_id"]) in [(done.method, job_id) for done, job_id in job.results]
    exr = request.output / result["passes"]["folder"] / "0002.exr"
    assert result["passes"]["frames"]["2"] == sha256_file(exr)
    assert result["frame_size"] == {"width": result["width"], "height": result["height"]}


def test_the_result_file_says_how_large_enlarged_frames_are(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    template = replace(request.template, finish=FinishSettings(upscale="4"), width=64, height=48)
    done = ShotResult("0.1.0", 0.0, 0.0, {}, ())
    write_result(replace(request, template=template), done)
    result = json.loads((request.output / "result.json").read_bytes())
    assert (result["width"], result["height"]) == (64, 48)
    assert result["frame_size"] == {"width": 256, "height": 192}


def test_result_files_come_beside_the_frames_and_notes_into_the_result_file(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model", "atlas=yes note=chosen")
    for _ in range(2):  # the backend sends them again to whoever asks again
        with session_on(tmp_path / "work") as session:
            job = start(request, session)
            drive(job)
        job.raise_if_unfinished()
        result = json.loads((request.output / "result.json").read_bytes())
        for one, (made, _) in zip(result["methods"], job.results, strict=True):
            atlas = request.frames_folder(made.method) / "atlas.png"
            assert atlas.read_bytes() == expected_atlas(made)
            assert one["files"] == {"atlas.png": sha256_file(atlas)} and one["notes"] == ["chosen"]
            assert job.notes(made.method) == ("chosen",)
            atlas.unlink()
    (request.frames_folder("latentman") / "atlas.png").touch()  # of a job before
    other = request_for(request.output, tmp_path / "model")
    with session_on(tmp_path / "work") as session:
        job = start(other, session)
        drive(job)
    assert job.notes("latentman") == () and not (request.frames_folder("latentman") / "atlas.png").exists()


def test_the_same_again_computes_and_fetches_nothing(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    for expected in (3, 0):
        with session_on(tmp_path / "work") as session:
            drive(start(request, session))
        result = json.loads((request.output / "result.json").read_bytes())
        assert [one["received"] for one in result["methods"]] == [expected, expected]
    assert len(computed(tmp_path / "work")) == 6


def seconds(request: GenerateRequest) -> dict[str, float]:
    """By method, what the result file says."""
    result = json.loads((request.output / "result.json").read_bytes())
    return {one["method"]: one["seconds"] for one in result["methods"]}


def test_the_same_again_keeps_the_seconds_that_were_measured(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model", "step_s=0.01")
    with session_on(tmp_path / "work") as session:
        drive(start(request, session))
    measured = seconds(request)
    assert all(value >= 0.09 for value in measured.values())  # three frames of three steps of 10 ms
    with session_on(tmp_path / "work") as session:
        drive(start(request, session))
    assert seconds(request) == measured


def test_going_on_with_a_shot_keeps_the_seconds_of_the_method_that_was_finished(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model", "step_s=0.03")
    with session_on(tmp_path / "work") as session:
        job = start(request, session)
        drive(job, lambda: job.progress.methods_done == 1 and job.progress.step > 1)
        drive_until_cancelled(job)
    files = [request.frames_folder(method) / "measured.json" for method in METHODS]
    first, second = (json.loads(file.read_bytes())["seconds"] for file in files)
    assert first >= 0.27
    with session_on(tmp_path / "work") as session:
        drive(start(request, session))
    assert seconds(request)[METHODS[0]] == first
    assert seconds(request)[METHODS[1]] > second


def drive_until_cancelled(job: GenerateJob) -> None:
    job.cancel(time.monotonic())
    drive(job)
    with pytest.raises(CancelledError):
        job.raise_if_unfinished()


def test_a_lost_or_broken_frame_is_fetched_again(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    with session_on(tmp_path / "work") as session:
        drive(start(request, session))
        lost, broken = (request.output / "latentman" / name for name in ("0001.png", "0003.png"))
        before = lost.read_bytes(), broken.read_bytes()
        lost.unlink()
        broken.write_bytes(before[1][:-5])
        drive(start(request, session))
    assert (lost.read_bytes(), broken.read_bytes()) == before
    assert len(computed(tmp_path / "work")) == 6


def test_cancel_keeps_what_is_finished_and_the_same_again_goes_on(tmp_path: Path) -> None:
    prompt = "step_s=0.05"
    request = request_for(tmp_path / "out", tmp_path / "model", prompt, frames=(1, 2, 3, 4))
    with session_on(tmp_path / "work") as session:
        job = start(request, session)
        drive(job, lambda: bool(job.frames_done("text2video_zero")))
        job.cancel(time.monotonic())
        meanwhile = job.state
        assert meanwhile is GenerateState.CANCELLING
        drive(job)
        assert job.state is GenerateState.CANCELLED
        with pytest.raises(CancelledError):
            job.raise_if_unfinished()
        again = start(request, session)
        drive(again)
    again.raise_if_unfinished()
    assert len(computed(tmp_path / "work")) == 8  # two methods of four frames, none twice


def test_cancel_before_the_backend_answers(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    with session_on(tmp_path / "work") as session:
        job = start(request, session)
        job.step(time.monotonic())
        job.cancel(time.monotonic())
        drive(job)
    assert job.state is GenerateState.CANCELLED
    assert not (tmp_path / "work" / "jobs").is_dir() or computed(tmp_path / "work") == []


def test_a_failed_job_is_told_and_stops_the_others(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model", "fail=model")
    with session_on(tmp_path / "work") as session:
        job = start(request, session)
        drive(job)
    assert job.state is GenerateState.FAILED
    assert job.error is not None and "The model is not there." in str(job.error)
    assert not (request.output / "result.json").exists()


def test_failed_passes_stop_the_shot(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    with session_on(tmp_path / "work") as session:
        job = start(request, session, fails=RenderError("render.test", "The child died."))
        drive(job)
    assert job.state is GenerateState.FAILED and str(job.error) == "The child died."
    assert job.frames_done("latentman") == ()


def test_a_frame_that_never_comes_is_missed(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model", "skip_frame=2")
    with session_on(tmp_path / "work") as session:
        job = start(request, session)
        drive(job)
    assert isinstance(job.error, JobError)


def test_a_killed_worker_is_replaced_and_no_frame_is_computed_twice(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model", "die_at=2")
    with session_on(tmp_path / "work") as session:
        job = start(request, session)
        drive(job)
    job.raise_if_unfinished()
    assert sorted(computed(tmp_path / "work")) == ["1", "1", "2", "2", "3", "3"]


def test_a_lost_worker_is_told_until_the_next_frame_comes(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model", "wait_at=2 quiet=yes")
    with session_on(tmp_path / "work") as session:
        job = start(request, session)
        drive(job, lambda: bool(job.progress.frame))
        (backend,) = [p for p in psutil.Process().children() if "--stdio" in p.cmdline()]
        (worker,) = backend.children()
        worker.kill()  # while no event of the job flows
        drive(job, lambda: bool(job.progress.warning))
        assert "worker was stopped by the system, probably because memory ran out" in job.progress.warning
        assert job.progress.stage == "" and job.progress.text.endswith("Waiting for the backend")
        drive(job, lambda: not job.progress.warning)
        assert job.error is None and len(job.frames_done("text2video_zero")) >= 2
        drive_until_cancelled(job)


def test_a_killed_backend_is_noticed_and_the_same_again_goes_on(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model", "step_s=0.05", frames=(1, 2, 3, 4))
    with session_on(tmp_path / "work") as session:
        job = start(request, session)
        drive(job, lambda: bool(job.frames_done("text2video_zero")))
        (backend,) = [p for p in psutil.Process().children() if "--stdio" in p.cmdline()]
        backend.kill()
        drive(job)
    assert isinstance(job.error, BackendError) and job.error.code == "backend.died"
    assert f"(process {backend.pid} on this machine) was stopped by the system, probably" in job.error.message
    assert "memory" in job.error.message and "resume" in job.error.hint
    with session_on(tmp_path / "work") as session:
        again = start(request, session)
        drive(again)
    again.raise_if_unfinished()
    assert len(computed(tmp_path / "work")) == 8


def test_closing_the_session_ends_every_process(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model", "step_s=0.05")
    before = set(psutil.Process().children(recursive=True))
    with session_on(tmp_path / "work") as session:
        job = start(request, session)
        drive(job, lambda: bool(job.frames_done("text2video_zero")))
        during = set(psutil.Process().children(recursive=True)) - before
        assert len(during) >= 2  # supervisor and worker
    assert not [process for process in during if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def test_a_program_that_is_no_backend_is_named(tmp_path: Path) -> None:
    source = BackendProcess(BackendCommand(("/bin/echo", "hello")), tmp_path / "work", time.monotonic())
    session = Session(JobClient("test"), source)
    request = request_for(tmp_path / "out", tmp_path / "model")
    job = start(request, session)
    drive(job)
    session.close()
    assert isinstance(job.error, BackendError)
    assert job.error.code in ("backend.launch", "backend.start_failed") and "hello" not in str(job.error)


def test_a_backend_that_ends_at_once_is_told_without_the_lines_of_its_log(tmp_path: Path) -> None:
    words = (sys.executable, "-c", "import no_such_backend")
    session = Session(JobClient("test"), BackendProcess(BackendCommand(words), tmp_path / "work", time.monotonic()))
    job = start(request_for(tmp_path / "out", tmp_path / "model"), session)
    drive(job)
    session.close()
    assert job.error is not None and job.error.code == "backend.start_failed"
    assert job.error.message == f"The backend ({sys.executable}) ended with exit code 1 before it was ready."
    assert "no_such_backend" in (tmp_path / "work" / "backend.log").read_text()


def test_a_second_blender_on_one_folder_is_told_who_works_there(tmp_path: Path) -> None:
    with session_on(tmp_path / "work") as first:
        job = start(request_for(tmp_path / "out", tmp_path / "model", "wait_at=2"), first)
        drive(job, lambda: bool(job.progress.frame))
        with session_on(tmp_path / "work") as second:
            other = start(request_for(tmp_path / "other", tmp_path / "model"), second)
            drive(other)
        assert job.step(time.monotonic()) and job.error is None  # the first goes on
    assert other.error is not None and other.error.code == "backend.locked"
    assert f"Blender (process {os.getpid()} on this machine, since " in other.error.message
    assert str(tmp_path / "work") in other.error.message and "another output folder" in other.error.hint
    assert not (tmp_path / "work" / "lock_user.json").exists()


def test_passes_and_frames_that_are_there_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    frames = tuple(range(1, 9))
    request = request_for(tmp_path / "out", tmp_path / "model", frames=frames)
    for frame in frames:
        (request.frames_folder("latentman") / f"{frame:04d}.png").write_bytes(PNG_SIGNATURE + b"%d" % frame)
    look = FrameLook(request.frames_folder("latentman"), frames)
    assert not look.step(time.monotonic()) and look.found == {}  # no time: nothing is read
    assert look.step(time.monotonic() + GUARD_S) and sorted(look.found) == list(frames)


def test_the_backends_own_reason_for_not_starting_is_told(tmp_path: Path) -> None:
    (tmp_path / "work" / "journal.sqlite3").mkdir(parents=True)
    with session_on(tmp_path / "work") as session:
        job = start(request_for(tmp_path / "out", tmp_path / "model"), session)
        drive(job)
    assert job.state is GenerateState.FAILED
    assert "journal" in str(job.error)


@pytest.mark.parametrize("text", ["", "no-such-program --fast", "/nowhere/python", "unclosed 'quote"])
def test_a_backend_command_that_is_no_program_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_backend_command(text)
    assert caught.value.hint


def test_a_python_runs_the_backend_as_a_module() -> None:
    assert parse_backend_command("python3").words[1:] == ("-m", "backend", "serve", "--stdio")
    assert parse_backend_command("ls --all").words[1:] == ("--all", "serve", "--stdio")
