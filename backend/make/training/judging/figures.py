"""The figures of the model card, measured on pictures that were kept out of training."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray

from backend.make.training.autoencoder import autoencoder_psnr
from backend.make.training.dataset import PairStore
from backend.make.training.export import size_bytes
from backend.make.training.judging.judge import Judge, Verdict, accuracy, mean_iou, truths
from backend.make.training.judging.judge_training import JudgePlan, train_judge
from backend.make.training.judging.sheet import control_picture, full_body_pairs, sample_pictures
from backend.make.training.prompts import COLOUR_WORDS, Scene
from backend.make.training.renders.views import Poses, Views, read_views
from backend.make.training.training_loop import Crew
from backend.models.sd15.components import load_components
from backend.words.picture_grammar import PLACE_WORDS

TIMED_RUNS = 9
SEEDS = (0, 10_000, 20_000)  # of the first picture; the others count on from there
JUDGING = "judging_views"  # folders of views below a training's folder
HELD_OUT_VIEWS = "held_out_views"


def measure(model: Path, held_out: Path, pictures: int = 100) -> dict[str, float]:
    """PSNR in dB of the autoencoder, megabytes of all weights, milliseconds of one frame's UNet and ControlNet."""
    vae = AutoencoderKL.from_pretrained(model / "vae").to(memory_format=torch.channels_last).eval()
    store = PairStore(held_out)
    return {
        "autoencoder_psnr_db": round(autoencoder_psnr(vae, store, min(pictures, len(store)), torch.device("cpu")), 2),
        "weights_mb": round(size_bytes(model) / 1e6, 1),
        "frame_step_ms": round(_frame_step_ms(model), 1),
    }


@torch.no_grad()
def _frame_step_ms(model: Path) -> float:
    """Median time of one evaluation of ControlNet and UNet for one frame at 256x256, as the sampler runs them."""
    parts = load_components(str(model), "cpu")
    latent = parts.to_model(torch.randn(1, parts.latent_channels, 32, 32))
    words = parts.to_model(torch.randn(1, parts.text_length, parts.unet.config.cross_attention_dim))
    depth = parts.to_model(torch.rand(1, 3, 256, 256))
    times = []
    for _ in range(TIMED_RUNS):
        start = time.perf_counter()
        down, middle = parts.controlnet(
            latent,
            500,
            encoder_hidden_states=words,
            controlnet_cond=depth,
            conditioning_scale=1.0,
            cross_attention_kwargs={},
            return_dict=False,
        )
        parts.unet(
            latent,
            500,
            encoder_hidden_states=words,
            cross_attention_kwargs={},
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
            return_dict=False,
        )
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1000


@dataclass(frozen=True, slots=True)
class Trial:
    """Prompts on poses that were kept out of training, with the renders of the same scenes."""

    prompts: tuple[str, ...]
    scenes: list[Scene]
    controls: list[NDArray[np.float32]]
    renders: NDArray[np.uint8]  # (n, 256, 256, 3)
    poses: Poses


def build_trial(held_out: Path, views: Path, count: int) -> Trial:
    """The first `count` held-out whole-body pictures whose scene names a colour, each under a prompt that says all.

    `views` are those of the pairs in `held_out`.
    """
    store = PairStore(held_out)
    chosen = [i for i in full_body_pairs(store, len(store)) if store.shots[i].scene.colour is not None][:count]
    scenes = [store.shots[i].scene for i in chosen]
    prompts = tuple(
        f"a {COLOUR_WORDS[s.colour or ''][0]} {s.character} {s.action} {PLACE_WORDS[s.place][0]}" for s in scenes
    )
    renders = np.stack([store.rgb(i)[0] for i in chosen])
    first = read_views(views).poses.of(2 * np.array(chosen))  # frame 0 of each pair
    return Trial(prompts, scenes, [control_picture(store, i) for i in chosen], renders, first)


def judge_model(model: Path, judge: Judge, trial: Trial, guidance: float) -> dict[str, float]:
    """Accuracy a question and mask IoU, of pictures generated from SEEDS and of the renders that bound them.

    `seed_change` is the root mean square difference (0 to 255) of two seeds' pictures of one prompt and pose.
    """
    right = truths(trial.scenes)
    sampled = [np.stack(sample_pictures(model, trial.prompts, trial.controls, guidance, seed)) for seed in SEEDS]
    found: dict[str, float] = {"pictures": len(SEEDS) * len(trial.prompts)}
    for name, groups in (("render", [trial.renders]), ("generated", sampled)):
        verdicts = [judge.look_at(pictures, trial.poses) for pictures in groups]
        shares = [accuracy(verdict, right) for verdict in verdicts]
        for question in shares[0]:
            found[f"{name}_{question}"] = round(float(np.mean([share[question] for share in shares])), 4)
        ious = [mean_iou(verdict, trial.poses.figure) for verdict in verdicts]
        found[f"{name}_mask_iou"] = round(float(np.mean(ious)), 4)
    change = sampled[0].astype(np.float64) - sampled[1]
    found["seed_change"] = round(float(np.sqrt(np.square(change).mean())), 2)
    return found


def check_judge(judge: Judge, held_out: Views) -> dict[str, float]:
    """How often the judge itself is right on held-out renders that it sees enough of, and its masks' IoU."""
    verdict, seen = judge.look_at_views(held_out), held_out.seen
    right = truths(held_out.scenes)
    kept = Verdict({name: found[seen] for name, found in verdict.answers.items()}, verdict.mask[seen])
    shares = accuracy(kept, {name: values[seen] for name, values in right.items()})
    found: dict[str, float] = {"judge_pictures": int(seen.sum())}
    found |= {f"judge_{name}": round(share, 4) for name, share in shares.items()}
    return found | {"judge_mask_iou": round(mean_iou(kept, held_out.poses.figure[seen]), 4)}


def write_figures(model: Path, folder: Path, guidance: float, count: int) -> dict[str, float]:
    """Measure, and keep the result as `folder/figures.json`; the judge is trained the first time.

    `folder` holds the pairs `held_out` and their views, and the views `judging` that the judge learns from.
    """
    judge = train_judge(Crew(0, 1, torch.device("cpu")), folder / JUDGING, folder / "judge", JudgePlan())
    trial = build_trial(folder / "held_out", folder / HELD_OUT_VIEWS, count)
    found = measure(model, folder / "held_out") | check_judge(judge, read_views(folder / HELD_OUT_VIEWS))
    found |= judge_model(model, judge, trial, guidance)
    target = folder / "figures.json"
    target.write_text(json.dumps(found, indent=2) + "\n")
    return found
