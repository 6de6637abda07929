"""`python -m blender_addon`, the batch command through the bpy package: real Blender, passes and sockets, no model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shared.files.digest import sha256_file
from shared.jobs.job import parse_job
from shared.methods import DEFAULT_METHOD
from tests.helpers.fake_runner import expected_png

ROOT = Path(__file__).resolve().parents[2]
MOTION = ROOT / "shared" / "motion" / "samples" / "walk_smpl_params.npy"
SMALL = ("--motion", str(MOTION), "--fps", "10", "--size", "64x64", "--steps", "2")
GUARD_S = 120.0  # ends a test that would hang; nothing is measured with it


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the jobs name as their model; the fake runner does not look at it."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "weights.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A backend with the fake runner that stays up for all tests."""
    folder = tmp_path_factory.mktemp("backend")
    file = folder / "connection.json"
    command = [sys.executable, "-m", "backend", "serve", "--connection-file", str(file), "--work", str(folder / "work")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--runner", "tests.helpers.fake_runner"], cwd=ROOT, stderr=log)
    limit = time.monotonic() + GUARD_S
    while not file.is_file():
        assert process.poll() is None and time.monotonic() < limit, (folder / "log").read_text()
        time.sleep(0.05)
    yield file
    process.terminate()
    process.wait(30)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "blender_addon", *map(str, arguments)]


def batch(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=GUARD_S, check=False)


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one line in which a failed command says why."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("latentman: ")]
    assert len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
    return lines[0]


def test_motion_to_frames_and_the_same_again(tmp_path: Path, model: Path, connection: Path) -> None:
    out = tmp_path / "out"
    arguments = (
        *(*SMALL, "--frames", "1,3-5x2", "--prompt", "a test", "--model", model, "--connection", connection),
        *("--method", "text2video_zero,latentman", "--output", out, "--json"),
        *("--video", "--save-blend", out / "shot.blend"),  # in a folder that the command has yet to make
    )
    done = batch(*arguments)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines[-1]["event"] == "done" and set(lines[-1]["jobs"]) == {"text2video_zero", "latentman"}
    fractions = [line["fraction"] for line in lines if line["event"] == "progress"]
    assert fractions == sorted(fractions)
    for method in ("text2video_zero", "latentman"):
        job = parse_job((out / method / "job.json").read_bytes())
        assert job.frames == (1, 3, 5)
        assert [(out / method / f"{f:04d}.png").read_bytes() for f in job.frames] == [
            expected_png(job, index) for index in range(3)
        ]
    assert lines[-1]["videos"] == {name: str(out / f"{name}.mp4") for name in ("text2video_zero", "latentman")}
    assert all(Path(video).stat().st_size > 500 for video in lines[-1]["videos"].values())
    assert (out / "shot.blend").stat().st_size > 10_000
    files = {path: (path.stat().st_mtime_ns, sha256_file(path)) for path in out.rglob("*.png")}
    again = batch(*arguments)
    assert again.returncode == 0, again.stderr
    assert {path: (path.stat().st_mtime_ns, sha256_file(path)) for path in out.rglob("*.png")} == files


def pictures_on_the_timeline(blend: Path) -> list[Path]:
    """The pictures that the strips of a .blend show, as Blender finds them when it opens the file."""
    code = f"""
import bpy, json
bpy.ops.wm.open_mainfile(filepath={str(blend)!r})
strips = bpy.context.scene.sequence_editor
strips = strips.strips if hasattr(strips, "strips") else strips.sequences
print(json.dumps([bpy.path.abspath(s.directory) + e.filename for s in strips for e in s.elements]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=GUARD_S, check=True)
    return [Path(one) for one in json.loads(done.stdout.splitlines()[-1])]


def test_a_saved_blend_finds_its_frames_wherever_it_lies(tmp_path: Path, model: Path, connection: Path) -> None:
    """A file without a folder yet, then one that is open and saved elsewhere."""
    common = ("--frames", "1-4x2", "--steps", "2", "--prompt", "a test", "--model", model, "--connection", connection)
    first, second = tmp_path / "films" / "first.blend", tmp_path / "cut" / "second.blend"
    for blend in (first, second):
        blend.parent.mkdir()
    out = tmp_path / "out"
    done = batch(*SMALL, *common, "--output", out, "--save-blend", first)
    assert done.returncode == 0, done.stderr
    shown = [out / DEFAULT_METHOD / f"000{frame}.png" for frame in (1, 1, 3, 3)]
    assert [path.resolve() for path in pictures_on_the_timeline(first)] == shown
    done = batch("--blend", first, *common, "--method", "per_frame", "--output", out, "--save-blend", second)
    assert done.returncode == 0, done.stderr
    shown += [out / "per_frame" / f"000{frame}.png" for frame in (1, 1, 3, 3)]
    found = pictures_on_the_timeline(second)
    assert [path.resolve() for path in found] == shown and all(path.is_file() for path in found)


def test_a_job_file_repeats_a_job(tmp_path: Path, model: Path, connection: Path) -> None:
    common = ("--motion", MOTION, "--fps", "10", "--connection", connection, "--method", "latentman")
    wanted = ("--size", "64x48", "--steps", "2", "--frames", "2", "--seed", "11", "--negative", "blurry")
    first = batch(*common, *wanted, "--prompt", "a test", "--model", model, "--output", tmp_path / "a")
    assert first.returncode == 0, first.stderr
    second = batch(*common, "--job", tmp_path / "a" / "job.json", "--output", tmp_path / "b")
    assert second.returncode == 0, second.stderr
    assert (tmp_path / "b" / "job.json").read_bytes() == (tmp_path / "a" / "job.json").read_bytes()
    assert sha256_file(tmp_path / "b" / "passes" / "0002.exr") == sha256_file(tmp_path / "a" / "passes" / "0002.exr")


def test_ctrl_c_ends_everything_and_the_same_again_goes_on(tmp_path: Path, model: Path) -> None:
    """With a backend of its own, which must not outlive the command."""
    backend = f"{sys.executable} -m tests.e2e.fake_backend"
    out = tmp_path / "out"
    arguments = (*SMALL, "--frames", "1-3", "--model", model, "--prompt", "step_s=0.4", "--output", out)
    process = subprocess.Popen(
        command(*arguments, "--method", "text2video_zero", "--backend", backend, "--json"),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    while '"denoise"' not in (line := process.stdout.readline()):
        assert line, process.communicate()
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(started) >= 2  # supervisor and worker
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=GUARD_S)
    assert process.returncode == 3, said
    assert not [one for one in started if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    again = batch(*arguments, "--method", "text2video_zero", "--backend", backend)
    assert again.returncode == 0, again.stderr
    computed = next((out / ".backend").glob("jobs/*/computed.txt")).read_text().split()
    assert sorted(computed) == ["1", "2", "3"]


def test_a_killed_worker_changes_nothing(tmp_path: Path, model: Path, connection: Path) -> None:
    arguments = (*SMALL, "--frames", "1-3", "--model", model, "--method", "latentman", "--connection", connection)
    done = batch(*arguments, "--prompt", "die_at=2", "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    job = parse_job((tmp_path / "out" / "job.json").read_bytes())
    for index, frame in enumerate(job.frames):
        assert (tmp_path / "out" / "latentman" / f"{frame:04d}.png").read_bytes() == expected_png(job, index)


def test_a_failed_job_is_exit_code_1_or_its_errors_own(tmp_path: Path, model: Path, connection: Path) -> None:
    arguments = (*SMALL, "--frames", "1", "--model", model, "--connection", connection, "--output", tmp_path / "out")
    done = batch(*arguments, "--prompt", "fail=boom")
    assert done.returncode == 1
    assert sentence(done)
    done = batch(*arguments, "--prompt", "fail=input")
    assert done.returncode == 2
    assert sentence(done) == "latentman: The picture is too small. Use a larger one."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--frames", "9-1"), "runs backwards"),
        (("--frames", ","), "contains no frame"),
        (("--prompt", "x" * 10_000), "10,000 characters"),
        (("--motion", __file__), "is not a motion file"),
        (("--fps", "0"), "frame rate"),
        (("--job", "/nowhere/job.json"), "/nowhere/job.json"),
        (("--connection", __file__), "connection file"),
        (("--save-blend", "/nowhere/shot.blend"), "does not exist"),
        (("--backend", "a", "--connection", "b"), "not allowed with"),
    ],
)
def test_bad_arguments_are_exit_code_2(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    given = (*SMALL, "--frames", "1", "--prompt", "a test", "--output", tmp_path / "out", *arguments)
    done = batch(*given)
    assert done.returncode == 2
    assert words in sentence(done)


def test_a_folder_that_cannot_be_written_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = batch(*SMALL, "--frames", "1", "--prompt", "a test", "--output", tmp_path / "file" / "out")
    assert done.returncode == 2
    assert str(tmp_path / "file") in sentence(done)
    if os.geteuid() != 0:
        done = batch(*SMALL, "--frames", "1", "--prompt", "a test", "--output", "/usr/latentman-test")
        assert done.returncode == 2 and "cannot be written to" in sentence(done)


def test_names_that_are_not_utf8_are_taken(tmp_path: Path, model: Path) -> None:
    """The motion, the .blend, the output and the work folder of a backend that is started here."""
    if sys.platform != "linux":
        pytest.skip("other file systems have no such names")
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    motion = folder / os.fsdecode(b"walk\xff.npy")
    motion.write_bytes(MOTION.read_bytes())
    backend = f"{sys.executable} -m tests.e2e.fake_backend"
    common = (
        *("--frames", "1", "--model", model, "--prompt", "a test", "--backend", backend, "--output", folder / "out"),
        *("--method", "per_frame", "--steps", "2"),
    )
    done = batch("--motion", motion, "--fps", "10", "--size", "64x64", *common, "--json")
    assert done.returncode == 0, done.stderr
    assert (folder / "out" / "per_frame" / "0001.png").is_file()
    done = batch("--motion", motion, *common, "--dry-run")
    assert done.returncode == 0 and "caf\\udce9" in done.stdout
    named = batch(*SMALL, *common[:2], "--prompt", "x", "--model", folder, "--output", tmp_path / "out")
    assert named.returncode == 2 and "contains bytes that are not UTF-8" in sentence(named)


@pytest.mark.parametrize("option", ["--output", "--save-blend", "--blend", "--job", "--motion"])
def test_names_that_are_too_long_are_one_sentence(tmp_path: Path, option: str) -> None:
    name = tmp_path / f"{'x' * 300}.blend"
    done = batch(*SMALL, "--frames", "1", "--prompt", "a test", "--output", tmp_path / "out", option, name)
    assert done.returncode == 2
    assert "x" * 40 in sentence(done)


def test_a_dry_run_renders_nothing(tmp_path: Path) -> None:
    done = batch(*SMALL, "--frames", "1-30,47", "--prompt", "a test", "--output", tmp_path / "out", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "31 frames (1-30,47) at 64x64" in done.stdout
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
