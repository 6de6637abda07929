"""`latentman video`: a take's frames as an mp4 file, or one sentence on why not."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from backend.cli import main
from shared.errors import EXIT_BAD_ARGUMENTS, EXIT_DONE
from shared.jobs.job import Job, JobInputs, canonical_json

FRAMES = (1, 3, 5)
REDS = (40, 120, 200)


def take(folder: Path, frames: tuple[int, ...] = FRAMES, size: tuple[int, int] = (33, 17)) -> Path:
    """A take's folder of frames with its job, at 12 frames a second; width and height are odd."""
    folder.mkdir(parents=True)
    digest = "0" * 64
    job = Job("a robot", FRAMES, JobInputs((digest,) * len(FRAMES), digest, digest, digest), fps=12.0)
    (folder / "job.json").write_bytes(canonical_json(job))
    for frame, red in zip(FRAMES, REDS, strict=True):
        if frame in frames:
            Image.new("RGB", size, (red, 60, 60)).save(folder / f"{frame:04d}.png")
    return folder


def reds(video: Path) -> tuple[list[float], float]:
    """The red of each of a video's frames, and its rate."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        found = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert found[0].shape == (18, 34, 3) and stream.codec_context.name == "h264"
        return [float(one[..., 0].mean()) for one in found], float(stream.average_rate)


def test_a_take_on_twos_lasts_as_long_as_its_shot_beside_its_folder(tmp_path: Path) -> None:
    folder = take(tmp_path / "take-001" / "latentman")
    assert main(["video", str(folder)]) == EXIT_DONE
    shown, rate = reds(tmp_path / "take-001" / "latentman.mp4")
    np.testing.assert_allclose(shown, np.repeat(REDS, 2), atol=6)
    assert rate == 12
    assert {path.name for path in folder.parent.iterdir()} == {"latentman", "latentman.mp4"}


def test_rate_and_file_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, target = take(tmp_path / "latentman"), tmp_path / "shown.mp4"
    assert main(["video", str(folder), "--fps", "24", "--output", str(target)]) == EXIT_DONE
    assert reds(target)[1] == 24 and str(target) in capsys.readouterr().err
    assert main(["video", str(folder), "--fps", "0"]) == EXIT_BAD_ARGUMENTS
    assert "not between 1 and 1000" in capsys.readouterr().err


def test_what_is_missing_is_one_sentence_and_an_earlier_video_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = take(tmp_path / "take-001" / "latentman", frames=(1,))
    (tmp_path / "take-001" / "job.json").write_bytes((folder / "job.json").read_bytes())
    (tmp_path / "empty").mkdir()
    earlier = tmp_path / "take-001" / "latentman.mp4"
    earlier.write_bytes(b"earlier")
    cut_off = take(tmp_path / "cut off")
    data = (cut_off / "0003.png").read_bytes()
    (cut_off / "0003.png").write_bytes(data[: len(data) // 2])
    grown = take(tmp_path / "grown")
    Image.new("RGB", (66, 34)).save(grown / "0005.png")
    for place, said in (
        (folder, f"{folder} is missing frames 3,5 of its 3 frames."),
        (tmp_path / "nowhere", "There is no folder"),
        (tmp_path / "empty", "has no job.json"),
        (cut_off, "0003.png is not a complete picture"),
        (grown, "0005.png has 66x34 pixels, but the frames before it have 33x17"),
    ):
        assert main(["video", str(place)]) == EXIT_BAD_ARGUMENTS
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line
    assert earlier.read_bytes() == b"earlier" and not list(tmp_path.glob("**/*.part"))


def test_a_take_folder_leads_to_its_methods_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = take(tmp_path / "latentman")
    (inside / "job.json").rename(tmp_path / "job.json")
    method = Job.__dataclass_fields__["method"].default
    inside.rename(tmp_path / str(method))
    assert main(["video", str(tmp_path)]) == EXIT_BAD_ARGUMENTS
    assert f"Give {tmp_path / str(method)}." in capsys.readouterr().err
