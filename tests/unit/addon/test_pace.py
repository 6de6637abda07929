"""What a shot will take, from what earlier ones took."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from blender_addon.client.pace import PACE_FILE, Estimate, Pace, read_pace, write_pace
from blender_addon.client.request import placeholder_inputs
from shared.jobs.job import Job
from shared.methods.surfacelock import SurfaceLockSettings

JOB = Job(
    "a robot",
    frames=(1,),
    inputs=placeholder_inputs(1),
    width=512,
    height=256,
    steps=20,
    settings=SurfaceLockSettings(),
)


def job(frames: int, **changes: object) -> Job:
    return dataclasses.replace(JOB, frames=tuple(range(1, frames + 1)), **changes)  # type: ignore[arg-type]


def test_time_grows_with_frames_steps_and_pixels() -> None:
    pace = Pace()
    pace.measured_frames("auto", job(8), 8, 80.0)
    pace.measured_passes("cycles", job(8), 8, 16.0)
    assert pace.estimate("auto", "cycles", job(8)).seconds == pytest.approx(96)
    assert pace.estimate("auto", "cycles", job(16)).seconds == pytest.approx(192)
    assert pace.estimate("auto", "cycles", job(8, steps=40)).seconds == pytest.approx(176)
    assert pace.estimate("auto", "cycles", job(8, height=512)).seconds == pytest.approx(192)


def test_another_method_model_or_device_is_not_known() -> None:
    pace = Pace()
    pace.measured_frames("auto", JOB, 8, 80.0)
    assert pace.estimate("auto", "cycles", job(8)).seconds == pytest.approx(80)
    assert pace.estimate("auto", "cycles", job(8, method="text2video_zero")).seconds is None
    assert pace.estimate("auto", "cycles", job(8, model="/models/other")).seconds is None
    assert pace.estimate("cpu", "cycles", job(8)).seconds is None


def test_other_settings_of_a_method_take_what_the_method_took_last() -> None:
    pace, heavier = Pace(), SurfaceLockSettings(particles=False)
    pace.measured_frames("auto", job(8), 8, 80.0)
    assert pace.estimate("auto", "cycles", job(8, settings=heavier)).seconds == pytest.approx(80)
    pace.measured_frames("auto", job(8, settings=heavier), 8, 40.0)
    assert pace.estimate("auto", "cycles", job(8, settings=heavier)).seconds == pytest.approx(40)
    assert pace.estimate("auto", "cycles", job(8)).seconds == pytest.approx(80)


def test_a_reused_take_does_not_count() -> None:
    pace = Pace()
    pace.measured_frames("auto", job(8), 0, 0.2)
    assert pace.known == {}


def test_the_last_shot_counts_as_much_as_all_before_it() -> None:
    pace = Pace()
    for seconds in (80.0, 40.0):
        pace.measured_frames("auto", job(8), 8, seconds)
    assert pace.estimate("auto", "cycles", job(8)).seconds == pytest.approx(60)


def test_paces_are_kept_in_a_file(tmp_path: Path) -> None:
    pace = Pace()
    pace.measured_frames("auto", JOB, 8, 80.0)
    write_pace(tmp_path, pace)
    assert read_pace(tmp_path) == pace


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"schema": 2, "seconds": {"a": 1}}', b'{"schema": 1, "seconds": 3}']
)
def test_a_file_that_cannot_be_read_is_no_pace(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PACE_FILE).write_bytes(content)
    assert read_pace(tmp_path) == Pace()


def test_numbers_that_are_no_times_are_left_out(tmp_path: Path) -> None:
    (tmp_path / PACE_FILE).write_bytes(b'{"schema": 1, "seconds": {"a": -1, "b": "x", "c": 0, "d": 2.5}}')
    assert read_pace(tmp_path) == Pace({"d": 2.5})


def test_a_shot_is_told_in_one_line() -> None:
    assert Estimate(106, 850.0).text == "106 frames, about 14 min"
    assert Estimate(1, 31.0).text == "1 frame, about 31 s"
    assert Estimate(1200, None).text == "1,200 frames; the first take will show how long this machine needs"
