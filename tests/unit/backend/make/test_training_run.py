"""A shortened training, from rendered pictures to a model that diffusers loads."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionControlNetPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file

from backend.make.training.adopt import adopt_model, widened_unet
from backend.make.training.autoencoder import AutoencoderPlan, train_autoencoder
from backend.make.training.dataset import PairStore, write_pairs
from backend.make.training.diffusion import DiffusionPlan, train_diffusion
from backend.make.training.export import export_model
from backend.make.training.latents import read_latents, write_latents
from backend.make.training.models import Sizes, build_sampling_scheduler, build_unet
from backend.make.training.prompt_reading import ReadingPlan, train_text_encoder
from backend.make.training.training_loop import Budget, Crew
from shared.errors import InputError

pytestmark = pytest.mark.slow  # they share one training

SMALL = Sizes(
    autoencoder=(8, 8, 16, 16),
    unet=(32, 32, 32, 32),
    heads=(1, 1, 1, 1),
    embedding=(4, 4, 8, 8),
    text_width=32,
    text_layers=1,
)
PAIRS = 6


@pytest.fixture(scope="module")
def crew() -> Crew:
    """One process on the CPU."""
    torch.set_num_threads(1)
    return Crew(0, 1, torch.device("cpu"))


@pytest.fixture(scope="module")
def trained(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after a few steps of both trainings."""
    root = tmp_path_factory.mktemp("training")
    assert list(write_pairs(root / "pairs", PAIRS, 1, 1))[-1] == PAIRS
    data = root / "pairs"
    plan = AutoencoderPlan(Budget(10, 60), crop=64, crop_batch=2, crop_share=2.0, log_every=5, save_every=20)
    train_autoencoder(crew, data, data, root / "autoencoder", SMALL, plan)
    write_latents(crew, data, root / "autoencoder" / "vae", root / "latents")
    train_text_encoder(crew, root / "diffusion", SMALL, ReadingPlan(steps=240, batch=32, rate=5e-3, log_every=20))
    _train(crew, root, 40, [])
    return root


def _train(crew: Crew, root: Path, steps: int, published: list[int]) -> None:
    plan = DiffusionPlan(Budget(10, steps), pairs=2, rate=2e-3, warmup_steps=5, log_every=5)
    train_diffusion(
        crew, root / "pairs", root / "latents", root / "diffusion", SMALL, plan, lambda _, step: published.append(step)
    )


def _log(folder: Path, name: str, file: str = "log.jsonl") -> list[float]:
    lines = [json.loads(line) for line in (folder / file).read_text().splitlines()]
    return [line[name] for line in lines if name in line]


def test_both_trainings_get_better(trained: Path) -> None:
    quality = _log(trained / "autoencoder", "psnr")
    assert quality[-1] > quality[0] + 0.2
    errors = _log(trained / "diffusion", "error")
    assert np.mean(errors[-2:]) < 0.9 * np.mean(errors[:2])
    surface = _log(trained / "diffusion", "surface")
    assert np.mean(surface[-2:]) < 0.9 * np.mean(surface[:2])


def test_text_encoder_learns_to_name_what_is_mentioned(trained: Path) -> None:
    for name in ("character", "place"):
        right = _log(trained / "diffusion", name, "text_log.jsonl")
        assert np.mean(right[-4:]) > 0.5  # "nothing" alone is right for less than 0.25


def test_latents_of_other_pictures_are_refused(crew: Crew, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "mixed")
    shutil.rmtree(tmp_path / "mixed" / "pairs")
    list(write_pairs(tmp_path / "mixed" / "pairs", 2, 1, 1))
    with pytest.raises(InputError, match="holds 2 pairs"):
        _train(crew, tmp_path / "mixed", 41, [])


def test_pairs_and_latents_without_the_other_look_are_refused(crew: Crew, trained: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(trained, old)
    with np.load(old / "latents.0of1.npz") as file:
        arrays = dict(file)
    np.savez(old / "latents.0of1.npz", **(arrays | {"values": arrays["values"][:, :2]}))
    with pytest.raises(InputError, match="pairs of 3 pictures, .* of 2"):
        _train(crew, old, 41, [])
    next((old / "pairs").glob("*.stray.npy")).unlink()
    with pytest.raises(InputError, match="lack frame 1 in another look"):
        PairStore(old / "pairs")


def test_pictures_of_another_seed_do_not_join_a_folder(trained: Path) -> None:
    with pytest.raises(InputError, match="another seed"):
        list(write_pairs(trained / "pairs", PAIRS + 1, 2, 1))


def test_pictures_are_a_function_of_the_seed(trained: Path, tmp_path: Path) -> None:
    list(write_pairs(tmp_path / "again", 2, 1, 1))
    list(write_pairs(tmp_path / "other", 2, 2, 1))
    first, again, other = (PairStore(folder) for folder in (trained / "pairs", tmp_path / "again", tmp_path / "other"))
    assert np.array_equal(first.rgb(1), again.rgb(1)) and np.array_equal(first.depth(1), again.depth(1))
    assert not np.array_equal(first.rgb(1), other.rgb(1))


def test_depth_and_latents_fit_the_pictures(trained: Path) -> None:
    store, latents = PairStore(trained / "pairs"), read_latents(trained / "latents", 1)
    assert latents.values.shape == (PAIRS, 3, 8, 32, 32)
    for index in range(PAIRS):
        depth = store.depth(index)
        assert depth.max() == 65535 and depth[depth > 0].min() == pytest.approx(0.2 * 65535, abs=2)
        covered = (depth > 0).reshape(2, 32, 8, 32, 8).mean((2, 4))
        assert np.allclose(latents.body[index], covered, atol=1e-3)


def test_surface_of_a_cell_is_what_its_middle_shows(trained: Path) -> None:
    store = PairStore(trained / "pairs")
    for index in range(PAIRS):
        label, rest = store.label(index), store.rest(index).astype(np.float32)
        bare = store.depth(index)[:, 4::8, 4::8] > 0
        dressed = label > 24
        assert np.array_equal(label[~dressed] > 0, bare[~dressed])
        head, foot = np.isin(label, (23, 24)), np.isin(label, (5, 6))
        if head.any() and foot.any():
            assert rest[head][:, 1].min() > rest[foot][:, 1].max() + 1.0
        assert not rest[label == 0].any()


def test_training_goes_on_from_its_checkpoint(crew: Crew, trained: Path) -> None:
    published: list[int] = []
    _train(crew, trained, 42, published)
    state = torch.load(trained / "diffusion" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 42 and published == [42]


def test_a_tiny_decoder_goes_along_with_its_autoencoder_and_not_with_another(trained: Path, tmp_path: Path) -> None:
    model, vae = tmp_path / "model", tmp_path / "vae"
    shutil.copytree(trained / "autoencoder" / "vae", vae)
    export_model(vae, trained / "diffusion", model)
    assert not (model / "tiny_vae").exists()
    (model / "tiny_vae").mkdir()
    (model / "tiny_vae" / "config.json").write_text("{}")
    (model / "motion").mkdir()  # the motion model that ships lies there
    (model / "motion" / "config.json").write_text("{}")
    export_model(vae, trained / "diffusion", model)
    assert (model / "tiny_vae" / "config.json").is_file() and (model / "motion" / "config.json").is_file()
    weights = load_file(vae / "diffusion_pytorch_model.safetensors")
    weights["decoder.conv_out.bias"] += 1
    save_file(weights, vae / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    export_model(vae, trained / "diffusion", model)
    assert not (model / "tiny_vae").exists()


def test_export_is_a_pipeline_that_diffusers_runs(trained: Path, tmp_path: Path) -> None:
    export_model(trained / "autoencoder" / "vae", trained / "diffusion", tmp_path / "model")
    export_model(trained / "autoencoder" / "vae", trained / "diffusion", tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert not [path for path in (tmp_path / "model").rglob("*.json") if str(trained) in path.read_text()]
    pipeline = StableDiffusionControlNetPipeline.from_pretrained(tmp_path / "model", dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline.safety_checker is None and pipeline.scheduler.config.prediction_type == "sample"
    assert type(pipeline.scheduler) is DDIMScheduler
    assert pipeline.scheduler.config.trained_betas == build_sampling_scheduler().config.trained_betas
    depth = torch.rand(1, 3, 64, 64)
    picture = pipeline("a robot on the moon", image=depth, num_inference_steps=2, output_type="np").images[0]
    assert picture.shape == (64, 64, 3) and np.isfinite(picture).all()


def test_training_goes_on_from_an_exported_model(crew: Crew, trained: Path, tmp_path: Path) -> None:
    """Its weights, in half precision, and its autoencoder and text encoder, are those of the new folder."""
    model, root = tmp_path / "model", tmp_path / "next"
    export_model(trained / "autoencoder" / "vae", trained / "diffusion", model)
    adopt_model(model, root, SMALL)
    for name in ("pairs", "latents.0of1.npz"):
        (root / name).symlink_to(trained / name)
    _train(crew, root, 1, [])  # a step of warm-up moves no weight by more than its rate, 4e-4
    for part in ("unet", "controlnet"):
        first, later = (
            load_file(place / "diffusion_pytorch_model.safetensors")
            for place in (trained / "diffusion" / part, root / "diffusion" / part)
        )
        assert max(float((first[name] - later[name]).abs().max()) for name in first) < 3e-3


def test_attention_that_the_model_to_start_from_lacks_changes_nothing_at_first() -> None:
    torch.manual_seed(0)
    config = dict(build_unet(SMALL).config)
    older = UNet2DConditionModel.from_config(config | {"up_block_types": [*config["up_block_types"][:3], "UpBlock2D"]})
    assert isinstance(older, UNet2DConditionModel)
    wider = widened_unet(older, SMALL)
    latents, words = torch.randn(2, SMALL.latent_channels, 16, 16), torch.randn(2, 32, SMALL.text_width)
    with torch.no_grad():
        ours, theirs = (unet(latents, 500, words, return_dict=False)[0] for unet in (wider, older))
    assert set(wider.state_dict()) > set(older.state_dict())
    torch.testing.assert_close(ours, theirs)


def test_a_unet_of_other_widths_is_refused() -> None:
    with pytest.raises(InputError, match=r"weights of the UNet to start from do not fit"):
        widened_unet(build_unet(replace(SMALL, text_width=64)), SMALL)
