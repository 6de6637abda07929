"""The report: video, contact sheet, and reading a result folder back."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backend.commands.evaluation.shot import compared_pictures
from backend.measure.metrics.comparison import Comparison
from backend.measure.report.captions import PAPER, fitted, side_by_side
from backend.measure.report.contact_sheet import Row, contact_sheet
from backend.measure.report.manifest import manifest
from backend.measure.report.result_folder import ResultFolder
from backend.measure.report.video import write_video
from shared.errors import InputError, LatentManError, PassesError
from shared.jobs.frame_range import held_for
from shared.jobs.job import Job, JobInputs, canonical_json
from shared.methods.finish import FinishSettings


def result_file(folder: Path, **changes: Any) -> Path:
    """A `result.json` of two frames, as the batch command writes it, but for the changes."""
    folder.mkdir(parents=True, exist_ok=True)
    method = {"method": "latentman", "job_id": "0" * 64, "seconds": 1.0, "folder": "latentman", "frames": {}}
    document = {
        "schema": 1,
        "server": "0.1.0",
        "engine": "CYCLES",
        "frames": [1, 2],
        "fps": 10,
        "width": 32,
        "height": 16,
        "seconds": {"passes": 1.0},
        "passes": {"folder": "passes", "frames": {}},
        "methods": [method],
    }
    (folder / "result.json").write_text(json.dumps(document | changes))
    return folder


def flat(colour: tuple[int, int, int], frames: int = 1) -> NDArray[Any]:
    return np.broadcast_to(np.array(colour, np.uint8), (frames, 16, 32, 3)).copy()


def test_video_holds_every_frame_at_its_rate(tmp_path: Path) -> None:
    frames = np.concatenate([flat((220, 30, 30), 3), flat((30, 30, 220), 3)])
    write_video(tmp_path / "video.mp4", frames, 12.0)
    with av.open(str(tmp_path / "video.mp4")) as container:
        stream = container.streams.video[0]
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert stream.average_rate == 12
    assert len(decoded) == 6 and decoded[0].shape == (16, 32, 3)
    for shown, meant in zip(decoded, frames, strict=True):
        assert np.abs(shown.astype(int) - meant).mean() < 6
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]


def test_a_video_on_twos_lasts_as_long_as_the_shot(tmp_path: Path) -> None:
    """Frames 1-8x2 at 29.97 frames a second: eight frames of 1.001/30 s, two of each picture."""
    frames = np.concatenate([flat((40 * k, 90, 0)) for k in (1, 2, 3, 4)])
    write_video(tmp_path / "video.mp4", frames, 29.97002857, held_for((1, 3, 5, 7)))
    with av.open(str(tmp_path / "video.mp4")) as container:
        stream = container.streams.video[0]
        reds = [frame.to_ndarray(format="rgb24")[..., 0].mean() for frame in container.decode(stream)]
        assert stream.average_rate == Fraction(30_000, 1001)
        assert stream.duration * stream.time_base == Fraction(8 * 1001, 30_000)
    np.testing.assert_allclose(reds, np.repeat([40, 80, 120, 160], 2), atol=6)


def test_a_video_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LatentManError, match="Cannot write to") as caught:
        write_video(tmp_path / "no folder" / "video.mp4", flat((1, 2, 3), 2), 10.0)
    assert caught.value.code == "storage.unwritable"


def test_the_manifest_says_how_long_frames_are_held(tmp_path: Path) -> None:
    folder = ResultFolder.open(result_file(tmp_path, frames=[1, 3, 5, 7], methods=[], fps=25))
    shot = manifest(folder, Comparison({}, None, None))["shot"]
    assert (shot["frames"], shot["held_for"], shot["seconds"]) == ([1, 3, 5, 7], [2, 2, 2, 2], 0.32)


def test_contact_sheet_chooses_evenly_in_time() -> None:
    frames = np.concatenate([flat((10 * k, 0, 0)) for k in range(6)])
    sheet = np.asarray(contact_sheet([Row("red", frames)], columns=3, cell=16, numbers=(1, 2, 3, 4, 20, 41)))
    width = (sheet.shape[1] - 4) // 3
    assert [int(sheet[-10, 4 + width * k + 16, 0]) for k in range(3)] == [0, 40, 50]  # 1, 21 -> 20, 41


def test_a_video_of_odd_size_repeats_the_last_row_and_column(tmp_path: Path) -> None:
    frame = np.zeros((15, 31, 3), np.uint8)
    frame[:, 16:] = 200
    write_video(tmp_path / "video.mp4", [frame], 10)
    with av.open(str(tmp_path / "video.mp4")) as container:
        (decoded,) = (one.to_ndarray(format="rgb24") for one in container.decode(container.streams.video[0]))
    assert decoded.shape == (16, 32, 3)
    assert np.abs(decoded[:15, :31].astype(int) - frame).mean() < 6 and decoded[15, 31].mean() > 180


def test_a_video_of_something_else_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs RGB frames"):
        write_video(tmp_path / "video.mp4", np.zeros((2, 16, 32, 4), np.uint8), 10)
    assert not list(tmp_path.iterdir())


def test_contact_sheet_shows_the_chosen_frames_in_order() -> None:
    frames = np.concatenate([flat((10 * k, 0, 0)) for k in range(20)])
    sheet = np.asarray(contact_sheet([Row("red", frames)], columns=3, cell=16))
    width = (sheet.shape[1] - 4) // 3
    shown = [int(sheet[-10, 4 + width * k + 16, 0]) for k in range(3)]
    assert shown == [0, 100, 190]  # frames 0, 9.5 to even (10) and 19


def test_contact_sheet_refuses_rows_that_differ() -> None:
    with pytest.raises(InputError, match="differ"):
        contact_sheet([Row("a", flat((0, 0, 0))), Row("b", flat((0, 0, 0), 2))])


def test_a_caption_is_made_smaller_then_shorter_until_it_fits() -> None:
    caption = "SurfaceLock   H_MSE 12.3   background 4.5   sharpness 67.8"
    text, font = fitted(caption, 1000, 14)
    assert text == caption
    whole = int(font.getlength(caption))
    text, smaller = fitted(caption, whole - 30, 14)
    assert text == caption and smaller.getlength(caption) <= whole - 30
    text, smallest = fitted(caption, 100, 14)
    assert caption.startswith(text + "   ") and smallest.getlength(text) <= 100
    text, smallest = fitted("SurfaceLock", 20, 14)
    assert text and "SurfaceLock".startswith(text) and smallest.getlength(text) <= 20
    assert fitted("SurfaceLock", 0, 14)[0] == ""


@pytest.mark.parametrize("columns", [4, 1])
def test_captions_stay_on_the_sheet(columns: int) -> None:
    row = Row(
        "SurfaceLock   H_MSE 12.3   background 4.5   sharpness 67.8   shading kept 0.91", flat((0, 0, 0), columns)
    )
    sheet = np.asarray(contact_sheet([row], columns=columns, cell=64))
    assert (sheet[4:24, -5:] == PAPER).all() and (sheet[4:24] != PAPER).any()


def test_pictures_stand_beside_each_other_under_their_captions() -> None:
    pictures = [flat(colour)[0] for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200), (90, 90, 0))]
    sheet = side_by_side(["one", "two", "three", "four"], pictures)
    assert sheet.shape == (2 * (20 + 16) + 4, 3 * 32 + 8, 3)
    for index, picture in enumerate(pictures):
        top, left = (index // 3) * 40, (index % 3) * 36
        np.testing.assert_array_equal(sheet[top + 20 : top + 36, left : left + 32], picture)
        assert (sheet[top : top + 20, left : left + 32] != PAPER).any()  # its caption
    assert (sheet[40:, 36:] == PAPER).all()
    np.testing.assert_array_equal(side_by_side(["one"], pictures[:1]), pictures[0])
    with pytest.raises(InputError, match="differ"):
        side_by_side(["one", "two"], [pictures[0], flat((0, 0, 0))[0, :8]])


def test_a_video_whose_frames_fail_leaves_nothing(tmp_path: Path) -> None:
    frames = (side_by_side(["one", "two"], [picture, picture[:8]]) for picture in flat((1, 2, 3), 2))
    with pytest.raises(InputError, match="differ"):
        write_video(tmp_path / "video.mp4", frames, 10)
    first = flat((1, 2, 3))[0]
    with pytest.raises(ValueError, match="shorter"):
        write_video(tmp_path / "video.mp4", iter([first, first]), 10, (1,))
    assert not list(tmp_path.iterdir())


def test_passes_may_lie_beside_the_take(tmp_path: Path) -> None:
    take = ResultFolder.open(result_file(tmp_path / "shot" / "take", passes={"folder": "../passes", "frames": {}}))
    with pytest.raises(PassesError) as refused:  # it looks in the right place; there is nothing there
        take.passes()
    assert str(tmp_path / "shot" / "passes") in str(refused.value)


@pytest.mark.parametrize("name", ["../../passes", "/tmp", "a/b", "..", "../..", ""])
def test_a_result_cannot_name_a_folder_elsewhere(tmp_path: Path, name: str) -> None:
    folder = ResultFolder.open(result_file(tmp_path / "take", passes={"folder": name, "frames": {}}))
    with pytest.raises(InputError, match="names a folder"):
        folder.passes()


def test_missing_and_broken_frames_are_named(tmp_path: Path) -> None:
    folder = ResultFolder.open(result_file(tmp_path))
    frames = tmp_path / "latentman"
    frames.mkdir()
    Image.fromarray(flat((1, 2, 3))[0]).save(frames / "0001.png")
    (frames / "0002.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match="0002.png is missing or not a picture"):
        folder.pictures(folder.result.methods[0])


def enlarged_shot(folder: Path, upscale: Literal["off", "2", "4"]) -> tuple[ResultFolder, NDArray[np.uint8]]:
    """A result of one method, whose job has 32x16 pixels and enlarges, and its frames at the passes' size."""
    inputs = JobInputs(("0" * 64,) * 2, *("0" * 64,) * 3)
    job = Job("a robot", (1, 2), inputs, width=32, height=16, finish=FinishSettings(upscale=upscale))
    frames = np.random.default_rng(0).integers(0, 256, (2, 16, 32, 3)).astype(np.uint8)
    (folder / "latentman").mkdir(parents=True)
    (folder / "latentman" / "job.json").write_bytes(canonical_json(job))
    factor = 1 if upscale == "off" else int(upscale)
    for number, frame in zip((1, 2), frames, strict=True):
        larger = frame.repeat(factor, axis=0).repeat(factor, axis=1).astype(int)
        larger[::factor, ::factor] += factor * (factor - 1)  # a block's mean is less than a level off
        Image.fromarray(np.minimum(larger, 255).astype(np.uint8)).save(folder / "latentman" / f"000{number}.png")
    return ResultFolder.open(result_file(folder)), frames


def test_enlarged_frames_are_compared_at_the_passes_size_with_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, frames = enlarged_shot(tmp_path, "4")
    assert folder.pictures(folder.result.methods[0]).shape == (2, 64, 128, 3)
    compared = compared_pictures(folder)["latentman"]
    assert compared.shape == frames.shape and np.abs(compared.astype(int) - frames).max() <= 1
    sentence = "latentman: latentman: its 128x64 frames are compared at the passes' 32x16, by block averages.\n"
    assert capsys.readouterr().err == sentence


def test_frames_of_the_passes_size_are_compared_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = enlarged_shot(tmp_path, "off")
    assert np.array_equal(compared_pictures(folder)["latentman"], folder.pictures(folder.result.methods[0]))
    assert capsys.readouterr().err == ""


def test_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    folder, _ = enlarged_shot(tmp_path, "2")
    with pytest.raises(InputError, match="48x16 cannot be compared at 32x16"):
        folder.compared(np.zeros((2, 16, 48, 3), np.uint8))


def test_frames_sizes_are_those_of_their_jobs(tmp_path: Path) -> None:
    folder, _ = enlarged_shot(tmp_path, "2")
    assert folder.frame_size(folder.result.methods[0]) == (64, 32)


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 1}'])
def test_a_broken_result_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        ResultFolder.open(tmp_path)


def test_a_folder_without_a_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no result.json"):
        ResultFolder.open(tmp_path)
