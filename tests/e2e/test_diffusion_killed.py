"""kill -9 of the worker in the midst of a real diffusion: the same frames in the end, and none computed twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.commands.base.connection import Link
from backend.commands.base.private_backend import private_backend
from shared.protocol.client import events as events
from shared.protocol.client.events import ClientEvent
from tests.helpers.exr_shot import ExrShot, exr_shot
from tests.helpers.server_rig import drive, ended, ends_of, frames_of, linked, worker_of
from tests.helpers.tiny_models import write_tiny_model

FRAMES = 12  # six segments


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> ExrShot:
    folder = tmp_path_factory.mktemp("shot")
    write_tiny_model(folder / "model")
    return exr_shot(folder, folder / "model", "latentman", FRAMES)


def submit(link: Link, shot: ExrShot) -> None:
    for data in shot.inputs:
        link.client.add_input(data)
    link.client.submit(shot.job)


def written(work: Path, seen: list[ClientEvent]) -> dict[str, int]:
    """When each finished frame on disk was written, by name."""
    job_id = next(event.job_id for event in seen if isinstance(event, events.Accepted))
    return {path.name: path.stat().st_mtime_ns for path in (work / "jobs" / job_id / "frames").glob("*.png")}


@pytest.mark.slow
def test_a_worker_killed_between_segments_goes_on_to_the_same_frames(tmp_path: Path, shot: ExrShot) -> None:
    with private_backend(tmp_path / "whole") as running, linked(running.info) as link:
        submit(link, shot)
        undisturbed = frames_of(drive(link, ended))
    assert sorted(undisturbed) == list(shot.job.frames)

    with private_backend(tmp_path / "killed") as running, linked(running.info) as link:
        submit(link, shot)
        seen = drive(link, lambda seen: len(frames_of(seen)) >= 3)
        worker_of(running.process.pid).kill()
        before = written(tmp_path / "killed", seen)
        seen += drive(link, ended)
        after = written(tmp_path / "killed", seen)
    assert [type(event) for event in ends_of(seen)] == [events.Done]
    attempts = [event.attempt for event in seen if isinstance(event, events.StateChanged) and event.state == "running"]
    assert attempts == [1, 2]
    assert 3 <= len(before) < FRAMES  # it was killed in the midst
    assert {name: after[name] for name in before} == before
    assert frames_of(seen) == undisturbed
