"""A worker that says nothing: when it is reported, and when not."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from blender_addon.client import stall
from blender_addon.client.backend_command import BackendCommand, find_backend
from blender_addon.client.backend_process import BackendProcess
from blender_addon.client.generate_job import GenerateJob
from blender_addon.client.progress import GenerateProgress, GenerateState
from blender_addon.client.stall import LEAST_SILENCE_S, TIMES_LONGEST, StallWatch
from shared.protocol.client.job_client import JobClient, Timing
from shared.protocol.client.session import Session

from .shots import PassFolder, request_for

ROOT = Path(__file__).resolve().parents[3]
GUARD_S = 60.0  # ends a test that would hang; nothing is measured with it


def silence_at(watch: StallWatch, until: float, since: float) -> float:
    """What the watch says at a time, looked at every second until then."""
    now = since
    while now < until:
        watch.silence_s(now)
        now += 1.0
    return watch.silence_s(until)


def test_silence_is_told_after_ten_minutes() -> None:
    watch = StallWatch()
    assert silence_at(watch, 10_000.0, 0.0) == 0.0  # nothing runs
    watch.heard(0.0)
    assert silence_at(watch, LEAST_SILENCE_S, 0.0) == 0.0
    assert watch.silence_s(LEAST_SILENCE_S + 1) == LEAST_SILENCE_S + 1
    watch.heard(LEAST_SILENCE_S + 2)
    assert watch.silence_s(LEAST_SILENCE_S + 3) == 0.0


def test_slow_steps_earn_more_patience() -> None:
    watch = StallWatch()
    watch.heard(0.0)
    silence_at(watch, 100.0, 0.0)
    watch.heard(100.0)  # a step of a hundred seconds
    allowed = TIMES_LONGEST * 100.0
    assert silence_at(watch, 100.0 + allowed, 100.0) == 0.0
    assert watch.silence_s(101.0 + allowed) == allowed + 1


def test_a_job_that_waits_for_its_turn_is_not_silent() -> None:
    watch = StallWatch()
    watch.heard(0.0)
    watch.rest()
    assert silence_at(watch, 10_000.0, 0.0) == 0.0


def test_who_slept_knows_nothing_of_the_worker() -> None:
    watch = StallWatch()
    watch.heard(0.0)
    assert silence_at(watch, 500.0, 0.0) == 0.0
    assert watch.silence_s(50_000.0) == 0.0  # the lid was closed
    assert silence_at(watch, 50_000.0 + 100.0, 50_000.0) == 0.0
    assert watch.silence_s(50_000.0 + 101.0) == 601.0


@pytest.mark.parametrize(
    ("stage", "steps", "where"),
    [
        ("sampling", 20, "Denoising, step 3 of 20"),
        ("loading", 0, "Loading the model"),
        ("", 0, "before the first step"),
    ],
)
def test_the_warning_says_where_and_what_to_do(stage: str, steps: int, where: str) -> None:
    fine = GenerateProgress(GenerateState.GENERATING, 8, 1, method="latentman", stage=stage, step=3, steps=steps)
    assert fine.warning == ""
    silent = replace(fine, silent_minutes=12)
    assert silent.warning == f"No progress for 12 minutes ({where}). Cancel, or wait longer."
    assert replace(silent, state=GenerateState.CANCELLING).warning == ""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute of silence is too long."""
    monkeypatch.setattr(stall, "LEAST_SILENCE_S", 59.0)
    monkeypatch.setattr(stall, "TIMES_LONGEST", 0.0)


def test_a_worker_that_hangs_is_reported_and_left_alone(tmp_path: Path, quick: None) -> None:
    found = find_backend(ROOT)
    command = BackendCommand((*found.words, "--runner", "tests.helpers.fake_runner"), found.folder)
    client = JobClient("test", timing=Timing(silence_s=1e6))  # the clock runs faster than the backend
    session = Session(client, BackendProcess(command, tmp_path / "work", time.monotonic()))
    request = request_for(tmp_path / "out", tmp_path / "model", "hang=term")
    passes = PassFolder(request.passes_folder, request.template.frames)
    job = GenerateJob(request, passes, session, time.monotonic())
    try:
        limit = time.monotonic() + GUARD_S
        now = time.monotonic()
        seen = []
        while not job.progress.warning:
            assert job.step(now) and time.monotonic() < limit, job.error
            seen.append(job.progress.silent_minutes)
            now += 1.0 if session.memory else 0.01  # its first word is that it holds a model
            time.sleep(0.01)
        assert set(seen) == {0, 1} and "No progress for 1 minute " in job.progress.warning
        assert job.state is GenerateState.GENERATING and session.client.ready
    finally:
        session.kill()
