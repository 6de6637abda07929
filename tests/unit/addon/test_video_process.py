"""A take's video as the add-on has it written: a child process that is looked at, and its sentence where it fails."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from blender_addon.client.backend_command import BackendCommand
from blender_addon.client.request import placeholder_inputs
from blender_addon.client.video_process import VideoOrder, VideoProcess
from shared.errors import BackendError, InputError
from shared.jobs.job import Job, canonical_json

ROOT = Path(__file__).resolve().parents[3]
COMMAND = BackendCommand((sys.executable, "-m", "backend", "serve", "--stdio"), ROOT)
GUARD_S = 60.0


def finish(video: VideoProcess) -> None:
    limit = time.monotonic() + GUARD_S
    while video.step():
        assert time.monotonic() < limit
        time.sleep(0.01)


def frames(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "job.json").write_bytes(canonical_json(Job("a robot", (1, 2), placeholder_inputs(2))))
    for frame in (1, 2):
        Image.new("RGB", (32, 16), (90, 60, 60)).save(folder / f"000{frame}.png")
    return folder


def test_a_video_is_written_and_named_and_a_second_one_waits(tmp_path: Path) -> None:
    video, order = VideoProcess(), VideoOrder(frames(tmp_path / "take"), tmp_path / "take.mp4")
    video.start(COMMAND, order)
    assert video.target == order.target
    with pytest.raises(InputError, match="still being written"):
        video.start(COMMAND, order)
    finish(video)
    saved = video.saved  # read again: the type checker takes `running` to be what it was
    assert saved == order.target and order.target.stat().st_size > 500
    video.close()


def test_the_programs_own_sentence_is_the_error(tmp_path: Path) -> None:
    video, folder = VideoProcess(), frames(tmp_path / "take")
    (folder / "0002.png").unlink()
    video.start(COMMAND, VideoOrder(folder, tmp_path / "take.mp4"))
    with pytest.raises(BackendError, match="is missing frame 2 of its 2 frames. Resume") as caught:
        finish(video)
    assert caught.value.message.startswith(str(folder)) and caught.value.code == "video.failed"
    assert not video.running and video.saved is None and not (tmp_path / "take.mp4").exists()


def test_a_program_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    video = VideoProcess()
    with pytest.raises(BackendError, match="could not be started"):
        video.start(BackendCommand((str(tmp_path / "no"), "serve")), VideoOrder(tmp_path, tmp_path / "v.mp4"))
    assert not video.running


def test_closing_in_the_middle_leaves_no_process_and_no_part(tmp_path: Path) -> None:
    video, target = VideoProcess(), tmp_path / "take.mp4"
    video.start(COMMAND, VideoOrder(frames(tmp_path / "take"), target))
    process = video._process
    target.with_name("take.mp4.part").write_bytes(b"half")  # as the program leaves it when it is killed
    video.close()
    assert process is not None and process.returncode is not None and not video.running
    assert not target.exists() and not target.with_name("take.mp4.part").exists()
    video.close()
