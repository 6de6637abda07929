"""Previews of steps: their colours, their pace, and that they change nothing."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from backend.jobs import runner
from backend.jobs.folder import JobFolder
from backend.jobs.preview import PREVIEW_SIDE, StepPreviews, preview_picture
from backend.models.sd15.components import Components, load_components
from backend.models.sd15.decode import decode_picture
from backend.models.sd15.latent_colours import LatentColours, fit_colours
from shared.files.digest import sha256_bytes
from shared.jobs.job import Job, canonical_json
from shared.protocol.job_events import Preview, WorkerEvent
from shared.protocol.preview import MAX_PREVIEW_SIDE, is_preview
from tests.helpers.exr_shot import exr_shot
from tests.helpers.tiny_models import tiny_components, write_tiny_model


def drawn_picture(size: int) -> torch.Tensor:
    """A picture (1, 3, size, size): a sky that grows lighter, a ground, and a red disc."""
    rows, columns = torch.meshgrid(torch.linspace(0, 1, size), torch.linspace(0, 1, size), indexing="ij")
    sky = torch.stack([0.3 + 0.5 * rows, 0.5 + 0.4 * rows, 0.9 - 0.2 * columns])
    picture = torch.where(rows > 0.7, torch.tensor([0.25, 0.45, 0.2])[:, None, None], sky)
    disc = (rows - 0.5) ** 2 + (columns - 0.4) ** 2 < 0.06
    return torch.where(disc, torch.tensor([0.8, 0.15, 0.1])[:, None, None], picture)[None]


@torch.no_grad()
def test_colours_are_what_the_models_own_decoder_makes() -> None:
    model = load_components("embedded", "cpu", "float32")
    picture = drawn_picture(128)
    encoded = model.vae.encode(picture * 2 - 1).latent_dist.mode()
    latents = (encoded - model.shift_factor) * model.scaling_factor
    decoded = functional.avg_pool2d(decode_picture(model, latents), model.latent_factor)[0]
    colours = fit_colours(model)(latents[0])
    spread = ((decoded - decoded.mean((1, 2), keepdim=True)) ** 2).mean()
    assert ((colours - decoded) ** 2).mean() < 0.1 * spread


def test_a_map_that_is_known_is_applied_cell_by_cell() -> None:
    colours = LatentColours(torch.tensor([[0.1, 0.0, 0.0], [0.0, 0.2, -9.0]]), torch.tensor([0.5, 0.5, 0.5]))
    shown = colours(torch.tensor([1.0, 2.0]).reshape(2, 1, 1).expand(2, 3, 4))
    torch.testing.assert_close(shown[:, 1, 2], torch.tensor([0.6, 0.9, 0.0]))
    assert shown.shape == (3, 3, 4)


@pytest.fixture(scope="module")
def tiny() -> Components:
    return tiny_components()


@pytest.mark.parametrize(("height", "width", "size"), [(8, 8, (64, 64)), (64, 36, (64, 36)), (90, 160, (36, 64))])
def test_a_picture_is_small_whatever_the_frames_size(
    tiny: Components, height: int, width: int, size: tuple[int, int]
) -> None:
    picture = preview_picture(fit_colours(tiny), torch.randn(4, height, width))
    assert picture.shape == (*size, 3) and picture.dtype == torch.uint8
    assert is_preview(size[1], size[0], picture.numpy().tobytes())


@pytest.mark.parametrize(
    ("width", "height", "count"), [(2, 2, 11), (0, 0, 0), (0, 4, 0), (-1, -1, 3), (MAX_PREVIEW_SIDE + 1, 1, 387)]
)
def test_what_is_no_preview(width: int, height: int, count: int) -> None:
    assert not is_preview(width, height, bytes(count))


def test_previews_keep_their_pause(tiny: Components) -> None:
    made: list[Preview] = []
    never, soon, at_once = (StepPreviews(fit_colours(tiny), pause_s) for pause_s in (None, 3600.0, 0.0))
    for previews in (never, soon, at_once, at_once):
        previews.show(7, torch.randn(4, 8, 8), made.append)
    assert [(one.frame, one.width, one.height) for one in made] == [(7, PREVIEW_SIDE, PREVIEW_SIDE)] * 2


@pytest.mark.parametrize("method", ["text2video_zero", "latentman"])
def test_frames_are_the_same_byte_for_byte_with_and_without_previews(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    write_tiny_model(tmp_path / "model")
    made, previews = {}, {}
    for pause_s in (None, 0.0):
        folder = tmp_path / f"job {pause_s}"
        job = _write_job(folder, tmp_path / "model", method)
        events: list[WorkerEvent] = []
        monkeypatch.setattr(runner, "StepPreviews", partial(StepPreviews, pause_s=pause_s))
        runner.RUNNER.run(folder, events.append, lambda: False)
        made[pause_s] = [JobFolder(folder).frame_path(frame).read_bytes() for frame in job.frames]
        previews[pause_s] = [event.frame for event in events if isinstance(event, Preview)]
    assert made[None] == made[0.0]
    starts = job.frames[:: job.segment_frames]
    assert previews == {None: [], 0.0: [frame for frame in starts for _ in range(job.steps - 1)]}


def _write_job(folder: Path, model: Path, method: str) -> Job:
    inputs = folder / "inputs"
    inputs.mkdir(parents=True)
    shot = exr_shot(folder, model, method, 4)
    for data in shot.inputs:
        (inputs / sha256_bytes(data)).write_bytes(data)
    (folder / "job.json").write_bytes(canonical_json(shot.job))
    return shot.job
