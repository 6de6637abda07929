"""Real job folders with the surface's lock on: the same files whole, by segments, and in processes of their own."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.jobs.folder import JobFolder
from backend.jobs.runner import RUNNER
from shared.files.digest import sha256_bytes
from shared.jobs.job import Job, canonical_json
from shared.methods import METHODS
from shared.methods.finish import FinishSettings
from tests.helpers.exr_shot import SIZE, exr_shot
from tests.helpers.tiny_models import write_tiny_model

ROOT = Path(__file__).resolve().parents[4]
FRAMES = 6  # three segments of two
ON, OFF = FinishSettings(lock="on"), FinishSettings(lock="off")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    write_tiny_model(folder)
    return folder


def write_job(folder: Path, model: Path, method: str, finish: FinishSettings, prompt: str = "a red robot") -> Job:
    """A job of the method with its default settings, in its folder."""
    (folder / "inputs").mkdir(parents=True)
    shot = exr_shot(folder, model, method, FRAMES)
    job = dataclasses.replace(shot.job, finish=finish, settings=METHODS[method].settings(), prompt=prompt)
    for data in shot.inputs:
        (folder / "inputs" / sha256_bytes(data)).write_bytes(data)
    (folder / "job.json").write_bytes(canonical_json(job))
    return job


def run(folder: Path, segment: int | None = None) -> None:
    RUNNER.run(folder, lambda event: None, lambda: False, segment)


def frames(folder: Path) -> list[bytes]:
    return [JobFolder(folder).frame_path(frame).read_bytes() for frame in JobFolder(folder).job().frames]


def notes(folder: Path) -> list[str]:
    found: list[str] = json.loads((folder / "result.json").read_bytes())["notes"]
    return found


@pytest.mark.parametrize("method", ["surfacelock", "text2video_zero"])
def test_segments_and_processes_of_their_own_make_the_same_files(tmp_path: Path, model: Path, method: str) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        write_job(folder, model, method, ON)
    run(whole)
    for segment in range(2):
        run(parts, segment)
    command = [sys.executable, "-m", "backend", "run-segment", str(parts), "--segment", "2"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert frames(parts) == frames(whole)
    assert (parts / "atlas.png").read_bytes() == (whole / "atlas.png").read_bytes()
    for start in (0, 2, 4):
        name = f"segments/000{start}.memory.safetensors"
        assert (parts / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_job_of_any_method_may_be_locked(tmp_path: Path, model: Path, method: str) -> None:
    locked, free = tmp_path / "locked", tmp_path / "free"
    for folder, finish in ((locked, ON), (free, OFF)):
        write_job(folder, model, method, finish)
        run(folder)
    assert len(notes(locked)) == 1 and notes(locked)[0].startswith("Background: ")
    assert notes(free) == []
    assert frames(locked) != frames(free)
    with Image.open(locked / "atlas.png") as atlas:
        assert atlas.mode == "RGBA" and {0, 255} <= set(np.unique(np.asarray(atlas)[..., 3]).tolist())
    for data in frames(locked):
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.size == (SIZE, SIZE) and np.asarray(picture).std() > 0
    sizes = [(locked / "segments" / f"000{start}.memory.safetensors").stat().st_size for start in (2, 4)]
    assert sizes[0] == sizes[1]


def test_a_lock_that_is_asked_for_keeps_or_plates_the_background_as_asked(tmp_path: Path, model: Path) -> None:
    wishes = {"keep": "each frame's own, as set", "plate": "one plate for all frames, as set"}
    for wish, sentence in wishes.items():
        folder = tmp_path / wish
        asked = FinishSettings(lock="on", background="keep" if wish == "keep" else "plate")
        write_job(folder, model, "shared_noise", asked, "a hero with a cape")
        run(folder)
        assert notes(folder) == [f"Background: {sentence}."]
    auto = tmp_path / "auto"
    write_job(auto, model, "shared_noise", ON, "a hero with a cape")
    run(auto)
    assert "cape" in notes(auto)[0]


def test_what_later_prompts_name_has_no_say_in_the_first_segment(tmp_path: Path, model: Path) -> None:
    """Its frames are taken over after an edit of later prompts, so nothing of it may depend on them."""
    made = []
    for prompt in ("a blue robot", "a hero with a cape"):
        folder = tmp_path / prompt.replace(" ", "_")
        job = write_job(folder, model, "surfacelock", ON)
        keys = (f"{job.frames[0]}: a red robot", f"{job.frames[2]}: a red robot", f"{job.frames[4]}: {prompt}")
        (folder / "job.json").write_bytes(canonical_json(dataclasses.replace(job, prompts="\n".join(keys))))
        run(folder)
        made.append(frames(folder))
    assert made[0][:2] == made[1][:2] and made[0][4:] != made[1][4:]
