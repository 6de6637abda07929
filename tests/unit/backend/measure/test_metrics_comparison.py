"""`latentman eval`: the comparison of methods, its picture, and the command on a real result folder."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backend.cli import main
from backend.commands.evaluation.shot import table
from backend.commands.report import caption
from backend.measure.metrics.comparison import Comparison, unconstrained
from backend.measure.metrics.consistency import consistency, consistency_matches, resampling_floor
from backend.measure.metrics.strip import body_box, consistency_strip, worst_frames
from backend.measure.report.manifest import manifest
from backend.measure.report.result_folder import ResultFolder
from backend.passes.shot_passes import ShotPasses
from shared.errors import EXIT_BAD_ARGUMENTS, EXIT_DONE, InputError
from shared.files.frame_files import frame_name
from shared.jobs.job import Job, JobInputs, canonical_json
from shared.shot import shot_json
from tests.helpers.clips import noisy, painted, sliding_square
from tests.helpers.exr_shot import write_exr
from tests.helpers.synthetic_passes import all_parts


@cache
def clips() -> tuple[ShotPasses, dict[str, NDArray[Any]], Comparison]:
    """Noise beside the mean of it and of a steady texture: half the differences, less sharp."""
    passes = sliding_square(frames=5)
    loose = noisy(passes)
    pictures = {"text2video_zero": loose, "latentman": (loose + painted(passes, 0.8)) / 2}
    pictures = {name: frames.round().astype(np.uint8) for name, frames in pictures.items()}
    matches = consistency_matches(passes, 48, 64)
    figures = {name: consistency(frames, passes, matches) for name, frames in pictures.items()}
    return passes, pictures, Comparison(figures, resampling_floor(passes, matches), "text2video_zero")


def write_result(folder: Path) -> None:
    """The clips as the batch command leaves them."""
    passes, pictures, _ = clips()
    (folder / "passes").mkdir(parents=True)
    for k, frame in enumerate(passes.shot.frames):
        write_exr(folder / "passes" / frame_name(frame, ".exr"), passes.frame(k))
    (folder / "passes" / "shot.json").write_bytes(shot_json(passes.shot))
    np.save(folder / "passes" / "vertices.npy", passes.vertices)
    charts = passes.charts
    np.savez(folder / "passes" / "charts.npz", f=charts.f, part=charts.part, chart_uv=charts.chart_uv)
    name = hashlib.sha256().hexdigest()
    job = Job("a square", passes.shot.frames, JobInputs((name,) * len(passes.shot.frames), name, name, name))
    entries = []
    for name, frames in pictures.items():
        (folder / name).mkdir()
        (folder / name / "job.json").write_bytes(canonical_json(job))
        for frame, picture in zip(passes.shot.frames, frames, strict=True):
            Image.fromarray(picture).save(folder / name / frame_name(frame))
        entries.append({"method": name, "job_id": "0" * 64, "seconds": 1.0, "folder": name, "frames": {}})
    document = {
        "schema": 1,
        "server": "0.1.0",
        "engine": "CYCLES",
        "frames": passes.shot.frames,
        "fps": 10,
        "width": 64,
        "height": 48,
        "seconds": {},
        "passes": {"folder": "passes", "frames": {}},
        "methods": entries,
    }
    (folder / "result.json").write_text(json.dumps(document))


def test_sharpness_is_held_against_the_unconstrained_run() -> None:
    _, _, comparison = clips()
    figures = comparison.figures
    assert comparison.sharpness_ratio("text2video_zero") == 1
    ours, theirs = (figures[name].sharpness.mean for name in ("latentman", "text2video_zero"))
    assert ours is not None and theirs is not None
    assert comparison.sharpness_ratio("latentman") == pytest.approx(ours / theirs)
    assert ours < theirs
    assert Comparison(figures, comparison.floor, None).sharpness_ratio("latentman") is None


def background_by_hand(pictures: NDArray[Any], part: NDArray[Any]) -> float:
    """The change of consecutive frames at pixels more than 4 off the body in both, one pixel after another."""
    frames, height, width = part.shape
    means = []
    for k in range(1, frames):
        terms = []
        for row, column in np.ndindex(height, width):
            around = part[k - 1 : k + 1, max(row - 4, 0) : row + 5, max(column - 4, 0) : column + 5]
            if not around.any():
                terms.append((pictures[k, row, column].astype(float) - pictures[k - 1, row, column]) ** 2)
        means.append(np.mean(terms))
    return float(np.mean(means))


def test_the_background_is_held_against_the_unconstrained_run() -> None:
    passes, pictures, comparison = clips()
    ours, theirs = (background_by_hand(pictures[name], all_parts(passes)) for name in ("latentman", "text2video_zero"))
    assert comparison.background_ratio("latentman") == pytest.approx(ours / theirs)
    assert ours / theirs == pytest.approx(0.25, rel=0.01)  # grey and noise in equal parts: half of the differences
    assert comparison.background_ratio("text2video_zero") == 1
    assert Comparison(comparison.figures, comparison.floor, None).background_ratio("latentman") is None
    moving = {name: dataclasses.replace(one, background=None) for name, one in comparison.figures.items()}
    assert Comparison(moving, comparison.floor, "text2video_zero").background_ratio("latentman") is None


def test_every_text_has_the_background_and_the_sharpness_beside_h_mse(tmp_path: Path) -> None:
    passes, pictures, comparison = clips()
    figures = comparison.figures
    background = {name: background_by_hand(frames, all_parts(passes)) for name, frames in pictures.items()}
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table(figures).splitlines()]
    rows = {line[0]: line[1:] for line in lines if line}
    assert rows["background change"] == [f"{value:.1f}" for value in background.values()]
    ours = figures["latentman"]
    shown = caption("latentman", comparison)
    assert shown.startswith(f"LatentMan   H_MSE {ours.h_mse.mean:.1f}   background {background['latentman']:.1f}")
    assert f"   sharpness {ours.sharpness.mean:.1f}   " in shown and f"   mask IoU {ours.mask_iou.mean:.2f}" in shown
    moving = {"latentman": dataclasses.replace(ours, background=None)}
    assert "background" not in caption("latentman", Comparison(moving, None, None))
    write_result(tmp_path)
    written = manifest(ResultFolder.open(tmp_path), comparison)
    assert written["background"] == pytest.approx(background)
    assert written["sharpness"] == {name: figure.sharpness.mean for name, figure in figures.items()}


def test_the_floor_is_brought_to_a_methods_sharpness() -> None:
    _, _, comparison = clips()
    assert comparison.floor is not None
    sharp = comparison.floor.sharpness.mean
    assert sharp is not None
    unmeasured = Comparison(comparison.figures, None, comparison.against)
    assert set(unmeasured.floor_of("latentman")) == {None} and unmeasured.json_value()["floor"] is None
    for name, figure in comparison.figures.items():
        own = figure.sharpness.mean
        assert own is not None
        expected = [(part.mean or 0.0) * own / sharp for part in comparison.floor.surface]
        assert comparison.floor_of(name) == pytest.approx(expected)


def test_the_unconstrained_run_is_the_one_with_the_least_consistency() -> None:
    assert unconstrained(["latentman", "masactrl", "shared_noise", "text2video_zero"]) == "shared_noise"
    assert unconstrained(["latentman", "text2video_zero"], "latentman") == "latentman"
    assert unconstrained(["latentman"]) is None
    with pytest.raises(InputError, match='no method "per_frame"'):
        unconstrained(["latentman"], "per_frame")


def test_worst_frames_come_worst_first_and_gaps_do_not_count() -> None:
    assert worst_frames([3.0, None, 9.0, 9.0, 1.0], 3) == [3, 4, 1]
    assert worst_frames([None]) == []


def test_the_body_is_cut_out_with_a_margin() -> None:
    part = np.zeros((2, 40, 50), np.uint8)
    part[0, 10:20, 3] = 1
    part[1, 12, 30:33] = 5
    box = body_box(part)
    assert (box.top, box.bottom, box.left, box.right) == (4, 26, 0, 39)
    assert body_box(np.zeros((1, 8, 9), np.uint8)).right == 9


def test_the_strip_is_one_picture_that_shows_the_frames_themselves() -> None:
    passes, pictures, comparison = clips()
    data = consistency_strip(comparison, pictures, passes.shot.frames, all_parts(passes))
    assert data == consistency_strip(comparison, pictures, passes.shot.frames, all_parts(passes))
    red = {name: np.broadcast_to(np.array([250, 3, 120], np.uint8), p.shape) for name, p in pictures.items()}
    shown = np.asarray(
        Image.open(io.BytesIO(consistency_strip(comparison, red, passes.shot.frames, all_parts(passes))))
    )
    same = (shown[..., :3] == (250, 3, 120)).all(-1)
    assert same.mean() > 0.1  # the worst frames of both rows
    assert not same[:, : shown.shape[1] // 3].any()  # the bars lie to the left of them


def test_eval_writes_json_and_picture_and_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_result(tmp_path / "take")
    assert main(["eval", str(tmp_path / "take"), "--output", str(tmp_path / "out")]) == EXIT_DONE
    printed = capsys.readouterr().out
    assert "H_MSE (eq. 9)" in printed and "sharpness over text2video_zero's" in printed
    assert "background over text2video_zero's" in printed
    value = json.loads((tmp_path / "out" / "consistency.json").read_text())
    _, _, comparison = clips()
    expected = comparison.figures["latentman"].h_mse.mean
    assert value["methods"]["latentman"]["h_mse"]["mean"] == pytest.approx(expected)
    assert set(value["methods"]) == {"text2video_zero", "latentman"} and value["frames"] == [1, 2, 3, 4, 5]
    with Image.open(tmp_path / "out" / "consistency.png") as picture:
        assert picture.format == "PNG" and picture.width > 1000
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["consistency.json", "consistency.png"]


def test_the_report_shows_every_method_beside_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_result(tmp_path)
    document = json.loads((tmp_path / "result.json").read_text())
    for entry, files in zip(document["methods"], ({}, {"atlas.png": "1" * 64}), strict=True):
        entry |= {"files": files, "notes": ["A plate was taken."] if files else []}
    (tmp_path / "result.json").write_text(json.dumps(document))
    assert main(["report", str(tmp_path)]) == EXIT_DONE
    printed = capsys.readouterr().out
    assert "shading over text2video_zero's" in printed and "mask IoU" in printed and "seam ratio" in printed
    written = json.loads((tmp_path / "manifest.json").read_text())
    assert written["shading_kept"].keys() == written["seam_ratio"].keys() == {"text2video_zero", "latentman"}
    assert written["methods"]["latentman"]["files"] == {"latentman/atlas.png": "1" * 64}
    assert written["methods"]["latentman"]["notes"] == ["A plate was taken."]
    assert written["methods"]["text2video_zero"]["files"] == {}
    with av.open(str(tmp_path / "video.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (2 * 64 + 4, 48 + 20)
        assert sum(1 for _ in container.decode(stream)) == 5


def test_eval_refuses_a_method_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_result(tmp_path)
    assert main(["eval", str(tmp_path), "--against", "per_frame"]) == EXIT_BAD_ARGUMENTS
    assert 'The result has no method "per_frame".' in capsys.readouterr().err
    assert not (tmp_path / "consistency.json").exists()
