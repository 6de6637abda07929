"""The one function that runs a job: real EXR files, a tiny real model, a stop in the middle, and the way back."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from backend.contract.values import Batches
from backend.jobs.folder import JobFolder
from backend.jobs.runner import RUNNER
from backend.jobs.warm_model import warm_model
from backend.passes.exr import FramePasses, read_frame
from backend.passes.shot_passes import depth_pictures
from shared.errors import CancelledError, InputError, JobError, ModelError, PassesError
from shared.files.digest import sha256_bytes, sha256_file
from shared.jobs.job import Job, canonical_json
from shared.models.files import LoraFile, ModelFiles
from shared.protocol.job_events import FrameDone, Progress, WorkerEvent
from tests.helpers.exr_shot import exr_shot, moving_square, square_passes, write_exr
from tests.helpers.opened_files import files_read
from tests.helpers.synthetic_passes import all_parts
from tests.helpers.tiny_models import small_autoencoder, torch_module, write_tiny_model

ROOT = Path(__file__).resolve().parents[4]
FRAMES = 4


def write_job(folder: Path, model: Path, method: str) -> Job:
    folder.mkdir(parents=True)
    shot = exr_shot(folder, model, method, FRAMES)
    inputs = folder / "inputs"
    inputs.mkdir()
    for data in shot.inputs:
        (inputs / sha256_bytes(data)).write_bytes(data)
    (folder / "job.json").write_bytes(canonical_json(shot.job))
    return shot.job


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    write_tiny_model(folder)
    return folder


def pictures(folder: Path, job: Job) -> list[bytes]:
    return [JobFolder(folder).frame_path(frame).read_bytes() for frame in job.frames]


@pytest.mark.parametrize("method", ["text2video_zero", "latentman"])
def test_a_stopped_job_goes_on_to_the_same_frames(tmp_path: Path, model: Path, method: str) -> None:
    job = write_job(tmp_path / "whole", model, method)
    done: list[WorkerEvent] = []
    RUNNER.run(tmp_path / "whole", done.append, lambda: False)
    assert [event.frame for event in done if isinstance(event, FrameDone)] == list(job.frames)
    kept = {"text2video_zero": ["0000.safetensors"]}
    kept["latentman"] = [*kept["text2video_zero"], "0000.last.safetensors", "0002.last.safetensors"]
    assert {path.name for path in (tmp_path / "whole" / "segments").iterdir()} == set(kept[method])

    write_job(tmp_path / "stopped", model, method)
    seen: list[WorkerEvent] = []

    def past_first_segment() -> bool:
        return any(isinstance(event, FrameDone) for event in seen)

    with pytest.raises(CancelledError):
        RUNNER.run(tmp_path / "stopped", seen.append, past_first_segment)
    first = [JobFolder(tmp_path / "stopped").frame_path(frame) for frame in job.frames[:2]]
    written = [path.stat().st_mtime_ns for path in first]

    again: list[WorkerEvent] = []
    RUNNER.run(tmp_path / "stopped", again.append, lambda: False)
    assert [path.stat().st_mtime_ns for path in first] == written
    sampled = [event for event in again if isinstance(event, Progress) and event.stage == "sampling"]
    assert len(sampled) == job.steps  # the second segment alone
    assert pictures(tmp_path / "stopped", job) == pictures(tmp_path / "whole", job)


@pytest.mark.parametrize("method", ["text2video_zero", "latentman"])
def test_a_job_run_segment_by_segment_is_the_same_job(tmp_path: Path, model: Path, method: str) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    job = write_job(whole, model, method)
    RUNNER.run(whole, lambda event: None, lambda: False)
    write_job(parts, model, method)
    for segment, frames in enumerate((job.frames[:2], job.frames[2:])):
        RUNNER.release()
        seen: list[WorkerEvent] = []
        RUNNER.run(parts, seen.append, lambda: False, segment)
        assert tuple(event.frame for event in seen if isinstance(event, FrameDone)) == frames
        assert sum(isinstance(event, Progress) and event.stage == "sampling" for event in seen) == job.steps
        assert (parts / "result.json").is_file() == (segment == 1)
    assert pictures(parts, job) == pictures(whole, job)
    left = [sorted(path.name for path in (folder / "segments").iterdir()) for folder in (whole, parts)]
    assert left[0] == left[1]


@pytest.mark.parametrize(("method", "lost"), [("text2video_zero", "0000"), ("latentman", "0000.last")])
@pytest.mark.parametrize("damage", ["gone", "cut short"])
def test_what_a_segment_carried_on_is_made_again(
    tmp_path: Path, model: Path, method: str, lost: str, damage: str
) -> None:
    """By the segment itself, although its frames are there, and by a run of the whole job."""
    whole, parts, again = (tmp_path / name for name in ("whole", "parts", "again"))
    job = write_job(whole, model, method)
    RUNNER.run(whole, lambda event: None, lambda: False)
    for folder in (parts, again):
        write_job(folder, model, method)
        RUNNER.run(folder, lambda event: None, lambda: False, 0)
        file = folder / "segments" / f"{lost}.safetensors"
        if damage == "gone":
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(JobError, match="needs the results of segment 0"):
        RUNNER.run(parts, lambda event: None, lambda: False, 1)
    for segment in (0, 1):
        RUNNER.run(parts, lambda event: None, lambda: False, segment)
    RUNNER.run(again, lambda event: None, lambda: False)
    assert pictures(parts, job) == pictures(again, job) == pictures(whole, job)


def test_segments_in_processes_of_their_own_make_the_same_frames(tmp_path: Path, model: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    job = write_job(whole, model, "latentman")
    RUNNER.run(whole, lambda event: None, lambda: False)
    write_job(parts, model, "latentman")
    for segment in ("0", "1"):
        command = [sys.executable, "-m", "backend", "run-segment", str(parts), "--segment", segment]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
    assert pictures(parts, job) == pictures(whole, job)


@pytest.mark.parametrize("method", ["text2video_zero", "latentman"])
def test_a_segment_without_those_that_it_goes_on_from_is_refused(tmp_path: Path, model: Path, method: str) -> None:
    folder = tmp_path / "job"
    job = write_job(folder, model, method)
    with pytest.raises(JobError) as caught:
        RUNNER.run(folder, lambda event: None, lambda: False, 1)
    assert caught.value.code == "job.trajectory"
    assert str(caught.value).startswith("Segment 1 needs the results of segment 0, which are missing or damaged.")
    with pytest.raises(InputError, match="no segment 2: its 2 segments"):
        RUNNER.run(folder, lambda event: None, lambda: False, 2)
    assert not any((folder / "frames").glob("*.png"))
    RUNNER.run(folder, lambda event: None, lambda: False, 0)
    RUNNER.run(folder, lambda event: None, lambda: False)  # the rest
    assert all(JobFolder(folder).frame_path(frame).is_file() for frame in job.frames)


def test_a_method_that_carries_nothing_on_runs_its_segments_in_any_order(tmp_path: Path, model: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    job = write_job(whole, model, "per_frame")
    RUNNER.run(whole, lambda event: None, lambda: False)
    write_job(parts, model, "per_frame")
    for segment in (1, 0):
        RUNNER.run(parts, lambda event: None, lambda: False, segment)
    assert pictures(parts, job) == pictures(whole, job)


def test_a_frame_that_was_just_written_is_not_read_for_its_digest(tmp_path: Path, model: Path) -> None:
    job = write_job(tmp_path / "job", model, "text2video_zero")
    told: list[list[WorkerEvent]] = []
    read: list[list[str]] = []
    for _ in range(2):
        seen: list[WorkerEvent] = []
        with files_read() as opened:
            RUNNER.run(tmp_path / "job", seen.append, lambda: False)
        told.append([event for event in seen if isinstance(event, FrameDone)])
        read.append([path.name for path in opened if path.suffix == ".png"])
    expected = [FrameDone(frame, sha256_file(JobFolder(tmp_path / "job").frame_path(frame))) for frame in job.frames]
    assert told == [expected, expected]
    assert read == [[], ["0001.png", "0002.png", "0003.png", "0004.png"]]  # once where an earlier run left them


def test_a_job_keeps_the_batches_of_its_first_run(tmp_path: Path, model: Path) -> None:
    # Segments have two frames: batches of one are kept though there is room for both, the model being tiny.
    kept, free = tmp_path / "kept", tmp_path / "free"
    seen: list[int] = []
    for folder in (kept, free):
        job = write_job(folder, model, "latentman")
        if folder == kept:
            JobFolder(folder).write_batches(Batches(1, 1))
        handle = torch_module(warm_model(job.model, job.model_files).components.unet).register_forward_hook(
            lambda module, args, output: seen.append(len(args[0]))
        )
        try:
            RUNNER.run(folder, lambda event: None, lambda: False)
        finally:
            handle.remove()
        if folder == kept:
            assert max(seen) == 2  # the two halves of one frame
    assert max(seen) == 6  # the second segment's frames, and frame 0 again
    assert JobFolder(kept).load_batches() == Batches(1, 1)
    chosen = JobFolder(free).load_batches()
    assert chosen is not None and chosen.micro_batch > 1 and chosen.graph_batch > 1


@pytest.mark.parametrize("data", [b"{}", b"[1, 1]", b'{"micro_batch": 0, "graph_batch": 1}', b"{"])
def test_damaged_batches_are_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "batches.json").write_bytes(data)
    with pytest.raises(JobError) as caught:
        JobFolder(tmp_path).load_batches()
    assert caught.value.code == "job.batches"


def write_lora(path: Path, up: float) -> None:
    # On values: queries hardly count where attention is even. A ramp: the layer norm before it cancels a constant row.
    stem = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_v"
    down = torch.linspace(-1, 1, 16)[None]
    save_file({f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": torch.full((16, 1), up)}, path)


def test_a_jobs_own_files_are_used_and_a_changed_one_is_read_anew(tmp_path: Path, model: Path) -> None:
    lora = tmp_path / "lora.safetensors"
    before = sha256_file(model / "unet" / "diffusion_pytorch_model.safetensors")
    results = []
    for number, (up, scale) in enumerate(((0.0, 0.0), (5.0, 0.0), (5.0, 1.0), (-5.0, 1.0))):
        write_lora(lora, up)
        folder = tmp_path / str(number)
        job = write_job(folder, model, "text2video_zero")
        if number:
            job = replace(job, model_files=ModelFiles(loras=(LoraFile(str(lora), scale),)))
            (folder / "job.json").write_bytes(canonical_json(job))
        RUNNER.run(folder, lambda event: None, lambda: False)
        results.append(pictures(folder, job))
    plain, off, on, changed = results
    assert off == plain
    assert len({tuple(plain), tuple(on), tuple(changed)}) == 3
    assert sha256_file(model / "unet" / "diffusion_pytorch_model.safetensors") == before


def test_a_model_that_was_prepared_with_its_files_is_not_loaded_again_by_the_job(tmp_path: Path, model: Path) -> None:
    lora = tmp_path / "lora.safetensors"
    write_lora(lora, 1.0)
    job = replace(
        write_job(tmp_path / "job", model, "text2video_zero"), model_files=ModelFiles(loras=(LoraFile(str(lora)),))
    )
    (tmp_path / "job" / "job.json").write_bytes(canonical_json(job))
    RUNNER.release()
    RUNNER.prepare(job.model, job.model_files)
    prepared = warm_model(job.model, job.model_files)
    RUNNER.run(tmp_path / "job", lambda event: None, lambda: False)
    assert warm_model(job.model, job.model_files) is prepared
    assert warm_model(job.model, ModelFiles()) is not prepared


def test_the_methods_differ(tmp_path: Path, model: Path) -> None:
    results = []
    for method in ("text2video_zero", "latentman"):
        job = write_job(tmp_path / method, model, method)
        RUNNER.run(tmp_path / method, lambda event: None, lambda: False)
        results.append(pictures(tmp_path / method, job))
    assert results[0][0] == results[1][0]  # frame 0 is the reference of both
    assert results[0][1:] != results[1][1:]


def test_guidance_by_the_tiny_decoder_of_the_models_folder(tmp_path: Path, model: Path) -> None:
    own = Path(shutil.copytree(model, tmp_path / "model"))

    def run(name: str, method: str, **settings: Any) -> list[bytes]:
        job = write_job(tmp_path / name, own, method)
        job = replace(job, settings=replace(job.settings, **settings))
        (tmp_path / name / "job.json").write_bytes(canonical_json(job))
        RUNNER.run(tmp_path / name, lambda event: None, lambda: False)
        return pictures(tmp_path / name, job)

    with pytest.raises(ModelError, match=r'has none in .*tiny_vae.*set settings.guide_decoder to "full"'):
        run("without", "latentman", guide_decoder="tiny")
    plain = run("plain", "text2video_zero")  # does not guide, and asks for none
    assert run("unguided", "latentman", guide_decoder="tiny", guide=(0.0, 0.0), align=(0.0, 0.0)) == plain
    small_autoencoder().save_pretrained(own / "tiny_vae")
    full, tiny = (run(name, "latentman", guide_decoder=name) for name in ("full", "tiny"))
    assert full[0] == tiny[0] == plain[0] and full[1:] != tiny[1:]
    still = run("still", "latentman", guide_decoder="tiny", guide_strength=0.0, align=(0.0, 0.0))
    for first, second in zip(still, plain, strict=True):
        levels = (np.array(Image.open(io.BytesIO(data)), np.int16) for data in (first, second))
        assert np.abs(np.subtract(*levels)).max() <= 1


def test_a_missing_input_is_said(tmp_path: Path, model: Path) -> None:
    job = write_job(tmp_path / "job", model, "text2video_zero")
    (tmp_path / "job" / "inputs" / job.inputs.shot).unlink()
    with pytest.raises(JobError, match="1 of the job's inputs are missing"):
        RUNNER.run(tmp_path / "job", lambda event: None, lambda: False)


def test_filtered_labels_are_refused(tmp_path: Path) -> None:
    part: NDArray[Any] = np.full((4, 4), 3.0)
    part[1, 1] = 2.5
    write_exr(tmp_path / "0001.exr", FramePasses(np.ones((4, 4), np.float32), part, np.zeros((4, 4, 2), np.float32)))
    with pytest.raises(PassesError, match=r"0001\.exr.*not whole numbers"):
        read_frame(tmp_path / "0001.exr")


def test_depth_pictures_have_one_range_for_the_shot() -> None:
    vertices, charts = moving_square(FRAMES)
    vertices[1:, :, 1] += 1.0  # farther from the camera, which looks along +Y
    passes = square_passes(vertices, charts)
    picture = depth_pictures(passes, passes.positions)
    body = all_parts(passes) > 0
    assert picture[0][body[0]] == pytest.approx(1.0, abs=1e-5)
    assert picture[1][body[1]] == pytest.approx(0.2, abs=1e-5)
    assert not picture[~body].any()
