"""Every sample of the manual runs as it is printed, and leaves what the pages on scripting and file formats say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from backend.make.scripting_page import PAGE, SAMPLES, with_samples
from shared.files.digest import sha256_file
from shared.jobs.job import parse_job
from shared.shot import parse_shot
from tests.helpers.markdown import table, table_after

ROOT = Path(__file__).resolve().parents[2]
MOTION = ROOT / "shared" / "motion" / "samples" / "dance_smpl_params.npy"
FRAMES = ["0001.png", "0002.png"]
GUARD_S = 300.0  # ends a sample that would hang; nothing is measured with it


def sample(number: int, *arguments: object) -> str:
    """Run a sample to its end and return what it printed."""
    (file,) = SAMPLES.glob(f"{number:02d}_*")
    program = ["sh"] if file.suffix == ".sh" else [sys.executable]
    command = [*program, str(file), *map(str, arguments)]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
    }
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=GUARD_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the batch command of sample 2 leaves."""
    folder = tmp_path_factory.mktemp("batch") / "result"
    printed = sample(2, MOTION, folder)
    assert [json.loads(line)["event"] for line in printed.splitlines() if line.startswith("{")][-1] == "done"
    return folder


@pytest.fixture(scope="module")
def passes(result: Path) -> Path:
    return result / "passes"


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The connection file of a backend that runs."""
    folder = tmp_path_factory.mktemp("backend")
    file = folder / "connection.json"
    command = [sys.executable, "-m", "backend", "serve", "--connection-file", str(file), "--work", str(folder / "work")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stderr=log, env=os.environ | {"PYTHONPATH": str(ROOT)})
    limit = time.monotonic() + GUARD_S
    while not file.is_file():
        assert process.poll() is None and time.monotonic() < limit, (folder / "log").read_text()
        time.sleep(0.05)
    yield file
    process.terminate()
    process.wait(30)


def pictures(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("[0-9]*.png"))


def test_the_page_has_the_samples_as_they_run() -> None:
    page = PAGE.read_text("utf-8")
    assert with_samples(page) == page, "run: make docs"


def test_a_sample_without_a_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "10_new.py").write_text("print(1)\n")
    with pytest.raises(ValueError, match=r"10_new\.py"):
        with_samples(PAGE.read_text("utf-8"), tmp_path)


def test_no_sample_is_left_out() -> None:
    assert [path.name[:2] for path in sorted(SAMPLES.iterdir())] == [f"{number:02d}" for number in range(1, 10)]


def test_1_generate_in_blender(tmp_path: Path) -> None:
    sample(1, "--", MOTION, tmp_path / "out")
    take = tmp_path / "out" / "take-001"
    assert pictures(take / "surfacelock") == FRAMES
    job = parse_job((take / "surfacelock" / "job.json").read_bytes())
    assert job.prompt == "a robot dancing on the moon" and job.steps == 1
    request = json.loads((take / "request.json").read_bytes())
    assert request.keys() == table("formats/job.md", "Shot").keys()
    assert request["methods"]["surfacelock"]["rounds"] == 2


def test_2_the_batch_command(result: Path) -> None:
    assert pictures(result / "surfacelock") == FRAMES
    assert (result / "shot.blend").is_file() and (result / "job.json").is_file()


def test_3_a_job_by_hand(passes: Path, tmp_path: Path) -> None:
    sample(3, passes, tmp_path / "out")
    assert pictures(tmp_path / "out") == FRAMES
    with Image.open(tmp_path / "out" / "0001.png") as picture:
        assert (picture.size, picture.mode) == ((128, 128), "RGB")


def test_4_a_job_folder(passes: Path, tmp_path: Path) -> None:
    printed = sample(4, passes, tmp_path / "job")
    assert pictures(tmp_path / "job" / "frames") == FRAMES
    assert "events" in printed


def test_5_read_the_passes(passes: Path, tmp_path: Path) -> None:
    printed = sample(5, passes / "0001.exr", tmp_path / "depth.png")
    assert "part  1" in printed or "part  2" in printed  # the torso is in the picture
    with Image.open(tmp_path / "depth.png") as picture:
        grey = np.asarray(picture)
    assert grey.shape == (128, 128) and 0 in grey and 200 < grey.max() <= 255
    assert grey[grey > 0].min() >= 51  # the body stays apart from the background


def test_6_the_same_point_in_two_frames(passes: Path, tmp_path: Path) -> None:
    sample(6, passes, tmp_path / "matches.npz")
    with np.load(tmp_path / "matches.npz") as data:
        here, there = data["here"], data["there"]
    assert here.shape == there.shape and len(here) > 500
    first, second = (channels(passes / f"000{frame}.exr")["iuv.R"] for frame in (1, 2))
    assert np.mean(second[tuple(here.T)] == first[tuple(there.T)]) > 0.9  # but for pixels where two parts meet


def test_7_lock_your_own_pictures(result: Path, passes: Path, tmp_path: Path) -> None:
    generator, own = np.random.default_rng(7), tmp_path / "own"
    own.mkdir()
    for name in FRAMES:
        Image.fromarray(generator.integers(0, 256, (128, 128, 3), np.uint8)).save(own / name)
    sample(7, passes, own, tmp_path / "out")
    assert pictures(tmp_path / "out") == FRAMES
    body = channels(passes / "0001.exr")["iuv.R"] > 0
    before, after = (np.asarray(Image.open(folder / FRAMES[0]), np.float64) for folder in (own, tmp_path / "out"))
    assert after[body].std() < 0.9 * before[body].std()  # the frames do not agree, so that their noise goes
    assert (tmp_path / "out" / "atlas.png").is_file()


def test_8_a_client_of_the_backend(connection: Path, passes: Path, tmp_path: Path) -> None:
    printed = sample(8, connection, passes, tmp_path / "out")
    assert pictures(tmp_path / "out") == FRAMES
    assert all(str(tmp_path / "out" / name) in printed for name in FRAMES)
    assert "decoding 1/1" in printed  # the last progress: newer ones replace those that nobody has read yet


def test_9_measure(result: Path) -> None:
    assert "surfacelock: change on the surface" in sample(9, result)


def channels(file: Path) -> dict[str, Any]:
    """The channels of an EXR file, (height, width) each."""
    found = OpenEXR.File(str(file), separate_channels=True).channels()
    return {name: np.asarray(channel.pixels) for name, channel in found.items()}


def test_passes_are_as_the_page_says(passes: Path) -> None:
    planes = channels(passes / "0001.exr")
    assert planes.keys() == table("formats/passes.md", "The file").keys()
    assert {plane.dtype for plane in planes.values()} == {np.dtype(np.float32)}
    header = OpenEXR.File(str(passes / "0001.exr"), header_only=True).header()
    assert "latentmanKey" in header and header["compression"] == OpenEXR.ZIP_COMPRESSION
    body = planes["iuv.R"] > 0
    assert np.isposinf(planes["Depth.Z"][~body]).all() and (planes["Depth.Z"][body] > 0).all()
    assert set(np.unique(planes["iuv.R"])) <= set(range(25))
    for name in ("iuv.G", "iuv.B"):
        assert (planes[name][~body] == 0).all() and 0 <= planes[name].min() and planes[name].max() <= 1


def test_a_world_point_lies_where_the_page_says(passes: Path) -> None:
    """The page's equation, by the joints that the file has both ways."""
    shot = parse_shot((passes / "shot.json").read_bytes())
    world, picture = shot.characters[0].joints_world[0], shot.characters[0].joints_picture[0]
    camera, intrinsics = shot.camera.world_to_camera[0], shot.camera.intrinsics[0]
    for joint, place in zip(world, picture, strict=True):
        q = intrinsics @ (camera @ [*joint, 1])[:3]
        assert np.allclose(q[:2] / q[2], place, atol=1e-6)
        assert shot.near_m - 0.5 < q[2] < shot.far_m + 0.5


def test_the_surface_is_as_the_page_says(passes: Path) -> None:
    rows = table("formats/shot.md", "charts.npz")
    shot = parse_shot((passes / "shot.json").read_bytes())
    vertices = np.load(passes / "vertices.npy")
    sizes = {"vertices": vertices.shape[1], "faces": 0}
    assert vertices.dtype == np.float32 and vertices.shape[::2] == (len(shot.frames), 3)
    with np.load(passes / "charts.npz") as data:
        assert set(data) == rows.keys()
        sizes["faces"] = len(data["f"])
        for name, (kind, shape, _) in rows.items():
            wanted = tuple(sizes[size] if size in sizes else int(size) for size in shape.split(" x "))
            assert (str(data[name].dtype), data[name].shape) == (kind, wanted), name


def test_a_result_has_the_files_and_keys_that_the_page_says(result: Path) -> None:
    found = json.loads((result / "result.json").read_bytes())
    assert found.keys() == table("formats/take.md", "result.json").keys()
    (method,) = found["methods"]
    assert method.keys() == table_after("formats/take.md", "An entry of `methods`:").keys()
    folder = result / method["folder"]
    assert method["files"] == {"atlas.png": sha256_file(folder / "atlas.png")}
    assert method["frames"]["1"] == sha256_file(folder / "0001.png")
    assert json.loads((folder / "measured.json").read_bytes()).keys() == {"job_id", "seconds"}
    job = json.loads((folder / "job.json").read_bytes())
    assert job.keys() == table("formats/job.md", "Job").keys() - {"prompts"}
    assert {path.name for path in result.iterdir()} == {
        *(".backend", "passes", "surfacelock", "job.json", "result.json", "shot.blend")
    }


def test_an_atlas_is_as_the_page_says(result: Path) -> None:
    with Image.open(result / "surfacelock" / "atlas.png") as picture:
        assert (picture.size, picture.mode) == ((6 * 256, 4 * 256), "RGBA")
        assert set(np.unique(np.asarray(picture)[..., 3])) <= {0, 128, 255}
