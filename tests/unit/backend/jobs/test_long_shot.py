"""A job's memory does not grow with the length of its shot."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.jobs.folder import JobFolder
from backend.passes.shot_passes import ShotPasses
from shared.files.digest import sha256_bytes
from shared.jobs.job import Job, JobInputs, canonical_json
from shared.methods import MethodSettings
from shared.methods.latentman import LatentManSettings
from shared.shot import Shot, shot_json
from tests.helpers.exr_shot import moving_square, write_exr
from tests.helpers.synthetic_passes import render_passes
from tests.helpers.tiny_models import write_tiny_model

SIZE, PERIOD = 32, 4
SHORT, LONG = 200, 2000
# With a lock, larger pictures of fewer frames: what the frames of 27 more segments see of the surface takes 54 MB.
LOCKED_SIZE, LOCKED_SHORT, LOCKED_LONG = 64, 24, 240
LOCKED_ROOM_BYTES = 8 * 2**20
# Passes are 13 bytes a pixel: all of the long shot's would take 24 MB more than the short one's, 48 MB while they are
# stacked. Frame numbers, cameras and joints do grow, by some kilobytes a frame while shot.json is read.
ROOM_BYTES = 14 * 2**20


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    write_tiny_model(folder)
    return folder


def repeated(shot: Shot, frames: int) -> Shot:
    """The shot over and over again, `frames` long."""
    rows = np.arange(frames) % len(shot.frames)
    camera = dataclasses.replace(
        shot.camera, world_to_camera=shot.camera.world_to_camera[rows], intrinsics=shot.camera.intrinsics[rows]
    )
    characters = tuple(
        dataclasses.replace(one, joints_world=one.joints_world[rows], joints_picture=one.joints_picture[rows])
        for one in shot.characters
    )
    return dataclasses.replace(shot, frames=tuple(range(1, frames + 1)), camera=camera, characters=characters)


def square(size: int) -> ShotPasses:
    vertices, charts = moving_square(PERIOD)
    return render_passes(vertices, charts, size=(size, size), focal_px=1.25 * size, camera_m=(0.3, -2.0, 0.0))


def write_job(folder: Path, model: Path, method: str, frames: int, size: int = SIZE) -> Job:
    """A job of one step in segments of eight frames, on a few frames' passes that come again and again."""
    (folder / "inputs").mkdir(parents=True)
    passes = square(size)
    exrs = []
    for position in passes.positions:
        write_exr(folder / "frame.exr", passes.frame(position))
        exrs.append((folder / "frame.exr").read_bytes())
    array, charts = io.BytesIO(), io.BytesIO()
    np.save(array, passes.vertices[np.arange(frames) % PERIOD])
    np.savez(charts, f=passes.charts.f, part=passes.charts.part, chart_uv=passes.charts.chart_uv)
    extra = (shot_json(repeated(passes.shot, frames)), array.getvalue(), charts.getvalue())
    for data in (*exrs, *extra):
        (folder / "inputs" / sha256_bytes(data)).write_bytes(data)
    digests = [sha256_bytes(data) for data in exrs]
    guided = LatentManSettings(align=(0.0, 1.0), guide=(0.0, 1.0), guide_through="decoder")
    job = Job(
        prompt="a red robot",
        frames=tuple(range(1, frames + 1)),
        inputs=JobInputs(tuple(digests[k % PERIOD] for k in range(frames)), *map(sha256_bytes, extra)),
        method=method,
        model=str(model),
        steps=1,
        width=size,
        height=size,
        segment_frames=8,
        settings=guided if method == "latentman" else MethodSettings(),
    )
    (folder / "job.json").write_bytes(canonical_json(job))
    return job


def peak_bytes(folder: Path) -> int:
    command = [sys.executable, "-m", "tests.helpers.run_measured", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["per_frame", "latentman"])
def test_two_thousand_frames_take_the_memory_of_two_hundred(tmp_path: Path, model: Path, method: str) -> None:
    peaks = {}
    for frames in (SHORT, LONG):
        folder = tmp_path / str(frames)
        job = write_job(folder, model, method, frames)
        peaks[frames] = peak_bytes(folder)
        assert all(JobFolder(folder).frame_path(frame).is_file() for frame in job.frames)
    assert peaks[LONG] - peaks[SHORT] < ROOM_BYTES


@pytest.mark.slow
def test_thirty_locked_segments_take_the_memory_of_three(tmp_path: Path, model: Path) -> None:
    peaks, kept = {}, {}
    for frames in (LOCKED_SHORT, LOCKED_LONG):
        folder = tmp_path / str(frames)
        job = write_job(folder, model, "surfacelock", frames, LOCKED_SIZE)
        peaks[frames] = peak_bytes(folder)
        assert all(JobFolder(folder).frame_path(frame).is_file() for frame in job.frames)
        kept[frames] = max(file.stat().st_size for file in (folder / "segments").glob("*.memory.safetensors"))
    assert peaks[LOCKED_LONG] - peaks[LOCKED_SHORT] < LOCKED_ROOM_BYTES
    assert kept[LOCKED_LONG] == kept[LOCKED_SHORT]  # what a segment hands on grows with the shot's surface alone
