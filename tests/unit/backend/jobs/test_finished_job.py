"""Jobs with a lock, whose memory goes from segment to segment: the same bytes however the job is run."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backend import upscale
from backend.contract.kept_memory import memory_from_bytes, memory_to_bytes
from backend.jobs import engines, runner
from backend.jobs.folder import JobFolder
from backend.jobs.reuse import shot_facts
from backend.jobs.runner import RUNNER as PLAIN_RUNNER
from shared.errors import CancelledError, InputError, JobError
from shared.files.digest import sha256_bytes, sha256_file
from shared.jobs.job import Job, canonical_json
from shared.jobs.reuse import frames_to_generate
from shared.methods.finish import FinishSettings
from shared.protocol.job_events import Done, FileDone, FrameDone, Progress, WorkerEvent
from tests.helpers.exr_shot import exr_shot
from tests.helpers.finishing_runner import RUNNER
from tests.helpers.repeating import Repeating
from tests.helpers.tiny_models import write_tiny_model

ROOT = Path(__file__).resolve().parents[4]
FRAMES = 6  # three segments of two
ON = FinishSettings(lock="on")
METHODS = ("per_frame", "text2video_zero")
UPSCALES: tuple[Literal["off", "2", "4"], ...] = ("off", "2", "4")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    write_tiny_model(folder)
    return folder


def write_job(
    parent: Path, model: Path, method: str, raised: tuple[int, ...] = (), finish: FinishSettings = ON, name: str = ""
) -> tuple[Path, Job]:
    """The job in its folder below `parent`, named by its digest, or by `name` where it shall have no neighbours."""
    parent.mkdir(parents=True, exist_ok=True)
    shot = exr_shot(parent, model, method, FRAMES, raised)
    job = dataclasses.replace(shot.job, finish=finish)
    folder = parent / (name or sha256_bytes(canonical_json(job)))
    (folder / "inputs").mkdir(parents=True)
    for data in shot.inputs:
        (folder / "inputs" / sha256_bytes(data)).write_bytes(data)
    (folder / "job.json").write_bytes(canonical_json(job))
    return folder, job


def pictures(folder: Path) -> list[bytes]:
    return [JobFolder(folder).frame_path(frame).read_bytes() for frame in JobFolder(folder).job().frames]


def levels(folder: Path) -> NDArray[np.float64]:
    return np.stack([np.asarray(Image.open(io.BytesIO(data)), np.float64) for data in pictures(folder)])


def never() -> bool:
    return False


def run(folder: Path, segment: int | None = None) -> int:
    """Run it; how many steps were sampled."""
    seen: list[WorkerEvent] = []
    RUNNER.run(folder, seen.append, never, segment)
    return sum(isinstance(event, Progress) and event.stage == "sampling" for event in seen)


@pytest.fixture(scope="module")
def whole(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The locked shot of a method, run in one go."""
    folders: dict[str, Path] = {}

    def once(method: str) -> Path:
        if method not in folders:
            folders[method], _ = write_job(tmp_path_factory.mktemp(method), model, method, name="whole")
            run(folders[method])
        return folders[method]

    return once


def test_frames_are_pulled_to_the_mean_of_all_frames_so_far(
    tmp_path: Path, model: Path, whole: Callable[[str], Path]
) -> None:
    folder, _ = write_job(tmp_path, model, "per_frame", finish=FinishSettings(), name="plain")
    PLAIN_RUNNER.run(folder, lambda event: None, never)
    free, locked = levels(folder), levels(whole("per_frame"))
    for frame in range(FRAMES):
        mean = free[: 2 * (frame // 2) + 2].mean(axis=0)
        np.testing.assert_allclose(locked[frame], (free[frame] + mean) / 2, atol=1.01)
    assert np.abs(locked - free).max() > 2
    assert not any("memory" in path.name for path in (folder / "segments").glob("*"))
    kept = [path.name for path in whole("per_frame").glob("segments/*")]
    assert sorted(kept) == [f"000{start}.memory.safetensors" for start in (0, 2, 4)]


@pytest.mark.parametrize("method", METHODS)
def test_segment_by_segment_it_is_the_same_job(
    tmp_path: Path, model: Path, method: str, whole: Callable[[str], Path]
) -> None:
    parts, _ = write_job(tmp_path, model, method, name="parts")
    with pytest.raises(JobError, match="needs the results of segment 0"):
        run(parts, 1)
    for segment in range(3):
        run(parts, segment)
    assert pictures(parts) == pictures(whole(method))
    assert sorted(path.name for path in parts.glob("segments/*")) == sorted(
        path.name for path in whole(method).glob("segments/*")
    )


def command(kind: str, folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "backend", kind, str(folder), "--runner", "tests.helpers.finishing_runner", *more]


def test_segments_in_processes_of_their_own_make_the_same_frames(
    tmp_path: Path, model: Path, whole: Callable[[str], Path]
) -> None:
    parts, _ = write_job(tmp_path, model, "per_frame", name="parts")
    for segment in ("0", "1", "2"):
        ran = subprocess.run(
            command("run-segment", parts, "--segment", segment), cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
    assert pictures(parts) == pictures(whole("per_frame"))


def test_a_job_whose_process_was_killed_goes_on_to_the_same_frames(
    tmp_path: Path, model: Path, whole: Callable[[str], Path]
) -> None:
    folder, _ = write_job(tmp_path, model, "per_frame", name="killed")
    with subprocess.Popen(command("run-job", folder), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "frame":
                process.kill()
                break
    assert 0 < len(list(folder.glob("frames/*.png"))) < FRAMES
    run(folder)
    assert pictures(folder) == pictures(whole("per_frame"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("damage", ["gone", "cut short", "not finite"])
def test_a_memory_that_was_lost_is_made_again(
    tmp_path: Path, model: Path, method: str, damage: str, whole: Callable[[str], Path]
) -> None:
    """By the segment itself, although its frames are there, by a run of the whole job, and while it is decoded."""
    parts, again, halfway = (write_job(tmp_path, model, method, name=name)[0] for name in ("parts", "again", "halfway"))
    for folder in (parts, again):
        run(folder, 0)
    seen: list[WorkerEvent] = []
    with pytest.raises(CancelledError):  # its latents are there, and one of its two frames
        RUNNER.run(halfway, seen.append, lambda: any(isinstance(one, Progress) and one.frame == 1 for one in seen))
    assert (halfway / "segments" / "0000.latents.safetensors").is_file()
    for folder in (parts, again, halfway):
        file = folder / "segments" / "0000.memory.safetensors"
        if damage == "gone":
            file.unlink()
        elif damage == "cut short":
            file.write_bytes(file.read_bytes()[:-10])
        else:
            memory = memory_from_bytes(file.read_bytes())
            memory.arrays["total"][0, 0, 0] = float("nan")
            file.write_bytes(memory_to_bytes(memory))
    with pytest.raises(JobError, match="needs the results of segment 0"):
        run(parts, 1)
    for segment in range(3):
        run(parts, segment)
    for folder in (again, halfway):
        run(folder)
    assert pictures(parts) == pictures(again) == pictures(halfway) == pictures(whole(method))


@pytest.mark.parametrize("method", METHODS)
def test_an_edit_costs_its_segment_and_all_behind_it(tmp_path: Path, model: Path, method: str) -> None:
    jobs = tmp_path / "jobs"
    first, _ = write_job(jobs, model, method)
    steps = run(first)
    edited, job = write_job(jobs, model, method, (3,))
    facts = shot_facts(job, JobFolder(edited).passes(job))
    assert frames_to_generate(job, facts, jobs) == 4
    assert run(edited) == steps * 2 // 3
    alone, _ = write_job(tmp_path / "alone", model, method, (3,), name="alone")
    run(alone)
    assert pictures(edited) == pictures(alone)
    assert pictures(edited)[:2] == pictures(first)[:2]
    assert all(one != other for one, other in zip(pictures(edited)[2:], pictures(first)[2:], strict=True))


def test_a_segment_is_not_taken_over_without_its_memory(tmp_path: Path, model: Path) -> None:
    jobs = tmp_path / "jobs"
    first, _ = write_job(jobs, model, "per_frame")
    steps = run(first)
    (first / "segments" / "0002.memory.safetensors").write_bytes(b"damaged")
    edited, _ = write_job(jobs, model, "per_frame", (5,))
    assert run(edited) == steps * 2 // 3  # the middle segment and the edited one
    assert pictures(edited)[:4] == pictures(first)[:4]


def test_frames_of_an_unlocked_job_are_the_methods_own(tmp_path: Path, model: Path) -> None:
    folders = []
    for name, finish in (("auto", FinishSettings()), ("off", FinishSettings(lock="off", background="plate"))):
        folder, _ = write_job(tmp_path, model, "per_frame", finish=finish, name=name)
        run(folder)
        folders.append(folder)
    plain, _ = write_job(tmp_path, model, "per_frame", finish=FinishSettings(), name="plain")
    PLAIN_RUNNER.run(plain, lambda event: None, never)
    assert pictures(folders[0]) == pictures(folders[1]) == pictures(plain)


@pytest.mark.parametrize("lost", [None, "0004.memory.safetensors"])
def test_the_end_leaves_the_result_files_and_notes(tmp_path: Path, model: Path, lost: str | None) -> None:
    folder, job = write_job(tmp_path, model, "per_frame", name="job")
    run(folder, 0)
    run(folder, 1)
    assert not (folder / "atlas.png").exists()
    run(folder, 2)
    for again in (folder / "atlas.png", folder / "result.json"):
        again.unlink()
    if lost is not None:
        (folder / "segments" / lost).unlink()
    seen: list[WorkerEvent] = []
    RUNNER.run(folder, seen.append, never)
    assert [event.frame for event in seen if isinstance(event, FrameDone)] == list(job.frames)
    notes = ("The mean of 6 frames was taken.",)
    assert seen[-2:] == [FileDone("atlas", sha256_file(folder / "atlas.png")), Done(notes)]
    assert json.loads((folder / "result.json").read_bytes())["notes"] == list(notes)
    free, _ = write_job(tmp_path, model, "per_frame", finish=FinishSettings(), name="plain")
    PLAIN_RUNNER.run(free, lambda event: None, never)
    mean = np.asarray(Image.open(folder / "atlas.png"), np.float64)
    np.testing.assert_allclose(mean, levels(free).mean(axis=0), atol=1.01)
    assert json.loads((free / "result.json").read_bytes())["notes"] == [] and not (free / "atlas.png").exists()


def test_a_result_file_that_is_too_large_stays_where_it_is_and_is_told(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = write_job(tmp_path, model, "per_frame", name="job")
    monkeypatch.setattr(runner, "MAX_RESULT_BYTES", 10)
    seen: list[WorkerEvent] = []
    RUNNER.run(folder, seen.append, never)
    assert (folder / "atlas.png").is_file() and not any(isinstance(event, FileDone) for event in seen)
    assert isinstance(seen[-1], Done) and "atlas.png (0 MB) is too large to send" in seen[-1].notes[-1]


@pytest.fixture
def repeating(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Jobs that enlarge do so by repeating pixels; the value is what the enlarging calls itself."""
    stamp = {"stamp": "repeating 1"}

    def enlarging(job: Job) -> Repeating | None:
        return None if job.finish.upscale == "off" else Repeating(int(job.finish.upscale), stamp["stamp"])

    monkeypatch.setattr(engines, "job_upscaler", enlarging)
    return stamp


@pytest.mark.parametrize("lock", ["on", "off"])
def test_frames_are_enlarged_last_and_the_notes_say_so(
    tmp_path: Path, model: Path, repeating: dict[str, str], lock: Literal["on", "off"]
) -> None:
    folders = {}
    for times in UPSCALES:
        finish = FinishSettings(lock=lock, upscale=times)
        folders[times], _ = write_job(tmp_path, model, "per_frame", finish=finish, name=times)
        run(folders[times])
    own = levels(folders["off"])
    assert np.array_equal(levels(folders["2"]), own.repeat(2, axis=1).repeat(2, axis=2))
    assert np.array_equal(levels(folders["4"]), own.repeat(4, axis=1).repeat(4, axis=2))
    notes = {name: json.loads((folder / "result.json").read_bytes())["notes"] for name, folder in folders.items()}
    assert notes["4"] == [*notes["off"], "Frames were enlarged 4 times, to 64x64."]
    if lock == "on":  # the memory is of frames at the job's own size
        assert (folders["4"] / "atlas.png").read_bytes() == (folders["off"] / "atlas.png").read_bytes()


def test_enlarged_frames_are_taken_over_by_jobs_that_enlarge_alike_alone(
    tmp_path: Path, model: Path, repeating: dict[str, str]
) -> None:
    jobs, two = tmp_path / "jobs", FinishSettings(lock="on", upscale="2")
    first, _ = write_job(jobs, model, "per_frame", finish=two)
    steps = run(first)
    edited, _ = write_job(jobs, model, "per_frame", (5,), finish=two)
    assert run(edited) == steps // 3
    assert pictures(edited)[:4] == pictures(first)[:4]
    four, _ = write_job(jobs, model, "per_frame", finish=FinishSettings(lock="on", upscale="4"))
    assert run(four) == steps
    repeating["stamp"] = "repeating 2"  # another library, or other weights
    again, _ = write_job(jobs, model, "per_frame", (4,), finish=two)
    assert run(again) == steps


def test_a_job_that_enlarges_is_refused_without_the_extra(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(upscale.FOLDER, raising=False)
    monkeypatch.setattr(upscale, "PACKAGE", "no_package_of_this_name")
    folder, _ = write_job(tmp_path, model, "per_frame", finish=FinishSettings(upscale="2"), name="job")
    with pytest.raises(InputError, match="This backend cannot enlarge frames") as caught:
        PLAIN_RUNNER.run(folder, lambda event: None, never)
    assert caught.value.code == "job.upscale" and not (folder / "frames").exists()
