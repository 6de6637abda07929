"""The command line as a user meets it: real processes, exit codes and sentences."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.cli import main
from backend.jobs.worker_protocol import read_line
from shared.files.digest import sha256_file
from shared.files.frame_files import frame_name
from shared.jobs.job import canonical_json
from shared.protocol.job_events import Done, FrameDone
from tests.helpers.fake_runner import expected_atlas
from tests.helpers.server_rig import GUARD_S, RUNNER, Shot, expected_digests, make_shot

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def latentman(*arguments: str | Path) -> Ran:
    """Run `latentman` to its end, in this process: a start of Python for each would be most of the time."""
    with contextlib.redirect_stdout(io.StringIO()) as stdout, contextlib.redirect_stderr(io.StringIO()) as stderr:
        code = main([str(argument) for argument in arguments])
    return Ran(code, stdout.getvalue(), stderr.getvalue())


def latentman_process(*arguments: str | Path) -> Ran:
    """Run `latentman` to its end, in a process of its own."""
    command = [sys.executable, "-m", "backend", *map(str, arguments)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=GUARD_S)
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def write_passes(folder: Path, shot: Shot) -> Path:
    """The shot's inputs as a passes folder, and its job file beside it."""
    folder.mkdir()
    names = [*(frame_name(frame, ".exr") for frame in shot.job.frames), "shot.json", "vertices.npy", "charts.npz"]
    for name, data in zip(names, shot.inputs, strict=True):
        (folder / name).write_bytes(data)
    job = folder.with_suffix(".json")
    job.write_bytes(canonical_json(shot.job))
    return job


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The connection file of a backend that was started by hand."""
    folder = tmp_path_factory.mktemp("served")
    file = folder / "connection.json"
    command = [sys.executable, "-m", "backend", "serve", "--connection-file", str(file), "--work", str(folder / "work")]
    process = subprocess.Popen([*command, "--runner", RUNNER], cwd=ROOT, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + GUARD_S
    while not file.exists():
        assert process.poll() is None and time.monotonic() < limit
        time.sleep(0.05)
    yield file
    process.terminate()
    assert process.wait(GUARD_S) == 0


def test_submit_puts_the_frames_in_place_and_status_shows_the_job(served: Path, tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "a robot")
    job = write_passes(tmp_path / "passes", shot)
    done = latentman("submit", job, tmp_path / "passes", "--output", tmp_path / "out", "--connection-file", served)
    assert (done.returncode, done.stderr) == (0, "")
    written = {frame: sha256_file(tmp_path / "out" / frame_name(frame)) for frame in shot.job.frames}
    assert written == expected_digests(shot)
    assert len(list((tmp_path / "out").iterdir())) == 4
    status = latentman("status", "--json", "--connection-file", served)
    (row,) = [row for row in json.loads(status.stdout)["jobs"] if row["prompt"] == "a robot"]
    assert (row["state"], row["frames"], row["done_frames"], row["attempt"]) == ("done", 4, 4, 1)
    cancel = latentman("cancel", row["job_id"][:12], "--connection-file", served)
    assert (cancel.returncode, "has already finished" in cancel.stdout) == (1, True)
    shown = latentman("status", "--connection-file", served).stdout
    assert row["job_id"][:12] in shown and "the worker holds 3.0 GiB (at most 3.0 GiB); 5.0 GiB of 8.0 GiB" in shown


def test_submit_puts_result_files_beside_the_frames_and_prints_notes(served: Path, tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "atlas=yes note=chosen")
    job = write_passes(tmp_path / "passes", shot)
    arguments = ("--output", tmp_path / "out", "--connection-file", served)
    done = latentman("submit", job, tmp_path / "passes", *arguments)
    assert (done.returncode, done.stderr) == (0, "latentman: chosen\n")
    assert (tmp_path / "out" / "atlas.png").read_bytes() == expected_atlas(shot.job)
    plain = make_shot(tmp_path / "model", "of its own")
    again = write_passes(tmp_path / "others", plain)
    assert latentman("submit", again, tmp_path / "others", *arguments).returncode == 0
    assert not (tmp_path / "out" / "atlas.png").exists()


def test_the_same_command_again_brings_back_what_was_lost(served: Path, tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "again")
    job = write_passes(tmp_path / "passes", shot)
    arguments = ("submit", job, tmp_path / "passes", "--output", tmp_path / "out", "--connection-file", served)
    assert latentman(*arguments).returncode == 0
    kept = tmp_path / "out" / frame_name(1)
    before = kept.stat().st_mtime_ns
    (tmp_path / "out" / frame_name(2)).unlink()
    (tmp_path / "out" / frame_name(3)).write_bytes(b"damaged")
    assert latentman(*arguments).returncode == 0
    written = {frame: sha256_file(tmp_path / "out" / frame_name(frame)) for frame in shot.job.frames}
    assert written == expected_digests(shot)
    assert kept.stat().st_mtime_ns == before


def test_a_job_file_without_inputs_takes_them_from_the_folder(served: Path, tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "bare")
    job = write_passes(tmp_path / "passes", shot)
    value = json.loads(job.read_bytes())
    del value["inputs"]
    job.write_text(json.dumps(value))
    done = latentman("submit", job, tmp_path / "passes", "--output", tmp_path / "out", "--connection-file", served)
    assert done.returncode == 0
    assert sha256_file(tmp_path / "out" / frame_name(4)) == expected_digests(shot)[4]


def test_ctrl_c_cancels_the_job(served: Path, tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "to be stopped wait_at=1")
    job = write_passes(tmp_path / "passes", shot)
    command = [sys.executable, "-m", "backend", "submit", str(job), str(tmp_path / "passes")]
    options = ["--output", str(tmp_path / "out"), "--connection-file", str(served)]
    process = subprocess.Popen([*command, *options], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + GUARD_S
    while '"running"' not in latentman("status", "--json", "--connection-file", served).stdout:
        assert time.monotonic() < limit
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=GUARD_S)
    assert (process.returncode, told) == (3, "latentman: cancelled.\n")


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ({"prompt": "x" * 10_000}, 2, "The prompt has 10,000 characters; the limit is 2,000."),
        ({"frames": []}, 2, "The job has no frames."),
        ({"prompt": "fail=model"}, 2, "The model is not there. Bring it."),
        ({"prompt": "fail=input"}, 2, "The picture is too small. Use a larger one."),
        ({"prompt": "fail=boom"}, 1, "The job failed with ValueError: boom. The log has the details"),
        ({"steps": "many"}, 2, "$.steps: int is needed"),
    ],
)
def test_failures_are_one_sentence_and_a_code(
    served: Path, tmp_path: Path, change: dict[str, object], code: int, sentence: str
) -> None:
    shot = make_shot(tmp_path / "model")
    job = write_passes(tmp_path / "passes", shot)
    value = json.loads(job.read_bytes()) | change
    del value["inputs"]
    job.write_text(json.dumps(value))
    done = latentman("submit", job, tmp_path / "passes", "--output", tmp_path / "out", "--connection-file", served)
    assert done.returncode == code
    assert sentence in done.stderr and done.stderr.startswith("latentman: ") and done.stderr.count("\n") == 1


def test_files_that_are_not_as_they_should_be(served: Path, tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model")
    job = write_passes(tmp_path / "passes", shot)
    options = ("--connection-file", served)
    unwritable = latentman("submit", job, tmp_path / "passes", "--output", "/proc/nothing", *options)
    assert (unwritable.returncode, "cannot be written to" in unwritable.stderr) == (2, True)
    (tmp_path / "passes" / frame_name(1, ".exr")).write_bytes(b"another pass")
    differ = latentman("submit", job, tmp_path / "passes", "--output", tmp_path / "out", *options)
    assert (differ.returncode, "are not the inputs that" in differ.stderr) == (2, True)
    (tmp_path / "passes" / frame_name(1, ".exr")).unlink()
    missing = latentman("submit", job, tmp_path / "passes", "--output", tmp_path / "out", *options)
    assert (missing.returncode, "0001.exr is missing" in missing.stderr) == (2, True)
    nobody = latentman("status", "--connection-file", tmp_path / "nothing.json")
    assert (nobody.returncode, "latentman serve" in nobody.stderr) == (2, True)


def test_a_lora_named_on_the_command_line_is_part_of_the_job(served: Path, tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model", "styled")
    job = write_passes(tmp_path / "passes", shot)
    lora = tmp_path / "style.safetensors"
    options = ("--output", tmp_path / "out", "--connection-file", served, "--lora", f"{lora}=0.5")
    arguments = ("submit", job, tmp_path / "passes", *options)
    absent = latentman(*arguments)
    assert (absent.returncode, f"cannot find the LoRA {lora}." in absent.stderr) == (2, True)
    ids = []
    for content in (b"one", b"one", b"another"):
        lora.write_bytes(content)
        assert latentman(*arguments).returncode == 0
        status = json.loads(latentman("status", "--json", "--connection-file", served).stdout)
        ids.append({row["job_id"] for row in status["jobs"] if row["prompt"] == "styled"})
    assert [len(found) for found in ids] == [1, 1, 2]


def shot_folder(folder: Path, shot: Shot) -> Path:
    for name in ("inputs", "frames", "segments"):
        (folder / name).mkdir(parents=True)
    for digest, data in zip(shot.job.inputs.passes, shot.inputs, strict=False):
        (folder / "inputs" / digest).write_bytes(data)
    (folder / "job.json").write_bytes(canonical_json(shot.job))
    return folder


def test_run_job_runs_a_folder_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model")
    folder = shot_folder(tmp_path / "job", shot)
    for _ in range(2):
        done = latentman_process("run-job", folder, "--runner", RUNNER)
        assert done.returncode == 0
        events = [read_line(line.encode()).event for line in done.stdout.splitlines()]
        frames = {event.frame: event.sha256 for event in events if isinstance(event, FrameDone)}
        assert frames == expected_digests(shot) and events[-1] == Done()
    assert (folder / "computed.txt").read_text().split() == ["1", "2", "3", "4"]
    failing = dataclasses.replace(shot.job, prompt="fail=model")
    (folder / "job.json").write_bytes(canonical_json(failing))
    failed = latentman("run-job", folder, "--runner", RUNNER)
    assert (failed.returncode, failed.stderr) == (2, "latentman: The model is not there. Bring it.\n")
    assert latentman("run-job", tmp_path).returncode == 2
    unknown = latentman("run-job", folder, "--runner", "nosuch.module")
    assert (unknown.returncode, "There is no module nosuch.module." in unknown.stderr) == (2, True)
    noisy = dataclasses.replace(shot.job, prompt="noise=stdout")
    (folder / "job.json").write_bytes(canonical_json(noisy))
    said = latentman_process("run-job", folder, "--runner", RUNNER).stdout.splitlines()
    assert said and all(read_line(line.encode()) for line in said)


def test_run_segment_runs_the_frames_of_one_segment(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / "model")
    shot = dataclasses.replace(shot, job=dataclasses.replace(shot.job, segment_frames=3))
    folder = shot_folder(tmp_path / "job", shot)
    for segment, frames in (("1", [4]), ("0", [1, 2, 3])):
        done = latentman_process("run-segment", folder, "--segment", segment, "--runner", RUNNER)
        assert done.returncode == 0
        events = [read_line(line.encode()).event for line in done.stdout.splitlines()]
        assert [event.frame for event in events if isinstance(event, FrameDone)] == frames
        assert events[-1] == Done()
    refused = latentman("run-segment", folder, "--segment", "-1", "--runner", RUNNER)
    assert (refused.returncode, "counted from 0" in refused.stderr) == (2, True)
    assert latentman("run-segment", folder, "--runner", RUNNER).returncode == 2  # which one?


def test_the_table_of_commands() -> None:
    helped = latentman_process("--help")
    assert helped.returncode == 0
    for command in (
        "serve",
        "submit",
        "status",
        "cancel",
        "run-job",
        "run-segment",
        "convert-smpl",
        "doctor",
        "eval",
        "train",
    ):
        assert f"  {command} " in helped.stdout
    unknown = latentman("dance")
    assert (unknown.returncode, 'unknown command "dance"' in unknown.stderr) == (2, True)
    assert latentman().returncode == 2
    assert latentman("serve", "--port", "x").returncode == 2
    assert latentman("serve", "--help").returncode == 0
    elsewhere = latentman("serve", "--dispatcher", "nowhere")
    assert (elsewhere.returncode, "'local'" in elsewhere.stderr) == (2, True)


def test_doctor_names_what_is_wrong_and_the_command(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (tmp_path / "file").write_text("")
    told = latentman("doctor", "--json", "--model", model, "--work", tmp_path / "file" / "work")
    rows = {row["name"]: row for row in json.loads(told.stdout)}
    assert told.returncode == 1
    assert rows["python"]["works"] and rows["zmq"]["works"] and rows["torch"]["works"]
    assert "on cpu" in rows["torch"]["text"] or "cuda" in rows["torch"]["text"]
    assert not rows["model"]["works"] and "lacks tokenizer" in rows["model"]["text"]
    assert not rows["work folder"]["works"] and rows["work folder"]["mend"]
    assert os.linesep not in rows["model"]["mend"]
    cut = Path(shutil.copytree(ROOT / "backend" / "embedded", tmp_path / "cut"))
    weights = cut / "unet" / "diffusion_pytorch_model.safetensors"
    whole = weights.stat().st_size
    os.truncate(weights, 10_000_000)
    told = latentman("doctor", "--json", "--model", cut, "--work", tmp_path / "work")
    (row,) = [row for row in json.loads(told.stdout) if row["name"] == "model"]
    assert not row["works"] and f"{weights.name}: It is incomplete: 10 MB of {whole / 1e6:.0f} MB" in row["text"]
