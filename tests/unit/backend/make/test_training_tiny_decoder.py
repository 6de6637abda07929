"""The tiny decoder's training: what it is shown, what it is held to, and a short run of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from safetensors.torch import load_file
from scipy.ndimage import gaussian_filter

from backend.make.training.export import export_tiny_decoder
from backend.make.training.models import Sizes, build_autoencoder
from backend.make.training.tiny_decoder import (
    HELD_OUT,
    TinyDecoderPlan,
    as_guidance_meets,
    blurred,
    distillation_loss,
    small_change,
    train_tiny_decoder,
)
from backend.make.training.training_loop import Budget, Crew
from backend.measure.judging.tiny_figures import TinyPlan, _compared, measure_tiny_decoder
from backend.methods.latentman.pixel_pairs import pixel_pairs
from backend.models.sources import EMBEDDED_FOLDER
from shared.errors import InputError
from tests.helpers.tiny_models import tiny_components
from tests.helpers.tiny_shot import random_pair

CREW = Crew(0, 1, torch.device("cpu"))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_blurred_is_a_gaussian() -> None:
    values = torch.randn(2, 3, 12, 9, generator=seeded(), dtype=torch.float64)
    for sigma in (0.4, 1.3, 3.0):
        radius = max(1, round(2.5 * sigma))
        expected = gaussian_filter(values.numpy(), (0, 0, sigma, sigma), mode="nearest", radius=(0, 0, radius, radius))
        np.testing.assert_allclose(blurred(values, sigma), expected, atol=1e-6)


def test_a_quarter_of_the_latents_are_shown_as_they_are_and_all_by_the_seed() -> None:
    clean = torch.randn(400, 2, 8, 8, generator=seeded())
    shown = as_guidance_meets(clean, seeded(5))
    assert torch.equal(shown, as_guidance_meets(clean, seeded(5)))
    same = (shown == clean).all(1).all(1).all(1).float().mean()
    assert 0.18 < same < 0.32
    # The noise alone is three quarters of (u / 4)^2, u in 0..1: 0.016.
    assert 0.012 < (shown - clean).square().mean() < 2


def test_a_change_is_small_and_half_of_them_smooth() -> None:
    change = small_change(torch.Size((400, 2, 16, 16)), seeded())
    size = change.square().mean((1, 2, 3)).sqrt()
    assert 0.02 < size.min() and size.max() < 0.5
    rough = change.diff(dim=-1).square().mean((1, 2, 3)).sqrt() / size
    assert 0.35 < (rough < 1).float().mean() < 0.65  # white noise has sqrt(2)


def test_the_loss_is_nothing_for_the_teachers_pictures_and_its_change_knows_no_offset() -> None:
    wanted = torch.rand(4, 3, 16, 16, generator=seeded())
    _, terms = distillation_loss(wanted, wanted)
    assert terms == {"loss": 0.0, "mse": 0.0, "change": 0.0}
    loss, terms = distillation_loss(wanted + 0.25, wanted)
    # L1 0.25, twice the MSE of 0.0625, no slopes, no change.
    assert float(loss) == pytest.approx(0.25 + 0.125, abs=1e-5) and terms["change"] < 1e-8
    halves = torch.cat([wanted[:2], wanted[:2] + 0.5 * (wanted[2:] - wanted[:2])])
    assert distillation_loss(halves, wanted)[1]["change"] == pytest.approx(0.25, rel=1e-4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small autoencoder, and latents that two processes wrote."""
    root = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    build_autoencoder(Sizes(autoencoder=(8, 8, 8, 8))).save_pretrained(root / "model" / "vae")
    rng = np.random.default_rng(0)
    for rank in range(2):
        values = rng.normal(size=(HELD_OUT, 3, 8, 8, 8)).astype(np.float16)
        body = np.zeros((HELD_OUT, 3, 8, 8), np.float16)
        np.savez(root / f"latents.{rank}of2.npz", values=values, body=body, importance=np.ones(8))
    return root


def train(folder: Path, steps: int) -> dict[str, list[float]]:
    plan = TinyDecoderPlan(Budget(10, steps), rate=3e-3, log_every=10, save_every=40)
    train_tiny_decoder(CREW, folder / "latents", folder / "model" / "vae", folder / "run", plan)
    found: dict[str, list[float]] = {}
    for line in (folder / "run" / "log.jsonl").read_text().splitlines():
        for name, value in json.loads(line).items():
            found.setdefault(name, []).append(value)
    return found


def test_it_learns_goes_on_and_is_exported(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = train(folder, 80)
    assert log["psnr"][-1] > log["psnr"][0] + 0.5 and log["loss"][-1] < 0.7 * log["loss"][0]
    assert train(folder, 82)["step"] == log["step"]  # two steps more, and no second beginning
    assert torch.load(folder / "run" / "checkpoint.pt", weights_only=True)["step"] == 82
    for _ in range(2):
        export_tiny_decoder(folder / "run", folder / "model")
    assert {path.name for path in (folder / "model").iterdir()} == {"vae", "tiny_vae"}
    tiny, info = AutoencoderTiny.from_pretrained(folder / "model" / "tiny_vae", output_loading_info=True)
    assert not any(info.values()) and not caplog.records
    weights = load_file(folder / "model" / "tiny_vae" / "diffusion_pytorch_model.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}
    assert tiny.float().decode(torch.zeros(1, 8, 8, 8)).sample.shape == (1, 3, 64, 64)


class _Scaled:
    """A model's own autoencoder in the tiny one's place, its pictures in -1..1 multiplied."""

    def __init__(self, vae: Any, factor: float) -> None:
        self.config, self.vae, self.factor = vae.config, vae, factor

    def decode(self, latents: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(sample=self.factor * self.vae.decode(latents).sample)


@pytest.mark.parametrize(("factor", "ratio"), [(1.0, 1.0), (-1.0, 1.0), (0.5, 0.25)])
def test_figures_of_a_decoder_that_can_be_worked_out(factor: float, ratio: float) -> None:
    components = tiny_components(dtype=torch.float64)
    scaled: Any = _Scaled(components.vae, factor)
    standing = dataclasses.replace(components, tiny_vae=scaled)
    x0, before = torch.randn(2, 4, 8, 8, generator=seeded(), dtype=torch.float64)
    pairs = pixel_pairs(random_pair(np.random.default_rng(0), 60, 16), 16, 16, torch.device("cpu"))
    error, cosine, found = _compared(standing, x0, before, pairs)
    assert [cosine, found] == [pytest.approx(1), pytest.approx(ratio)] and (error == 0) == (factor == 1)


def test_figures_have_a_row_a_step(tmp_path: Path) -> None:
    plan = TinyPlan(shots=1, frames=2, steps=3, looked_at=(1, 3))
    rows = measure_tiny_decoder(EMBEDDED_FOLDER, plan)
    assert [row.step for row in rows] == [1, 3]
    # The shipped decoder; one without training stands below 9 dB and a cosine of 0.1.
    assert all(row.psnr_db > 24 and row.least_cosine > 0.85 for row in rows)


def test_without_latents_it_is_said_how_to_make_them(folder: Path, tmp_path: Path) -> None:
    plan = TinyDecoderPlan(Budget(1, 1))
    with pytest.raises(InputError, match="latents of 0 pairs.*latentman train diffusion"):
        train_tiny_decoder(CREW, tmp_path / "latents", folder / "model" / "vae", tmp_path / "run", plan)
