"""Training of the autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from diffusers import AutoencoderKL
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from backend.machine.bfloat16 import mixed_precision
from backend.make.training.block_means import start_as_block_means
from backend.make.training.dataset import PairStore
from backend.make.training.models import Sizes, build_autoencoder
from backend.make.training.renders.render import SIZE
from backend.make.training.training_loop import Budget, Crew, Rate, Run
from backend.make.training.whitening import whiten_latents


@dataclass(frozen=True, slots=True)
class AutoencoderPlan:
    """How long and how large the steps are; a batch is a process's share."""

    budget: Budget
    crop: int = 128
    crop_batch: int = 3
    whole_batch: int = 1
    crop_share: float = 0.6  # of the budget; whole pictures after that
    rate: float = 1e-3
    log_every: int = 20
    save_every: int = 200
    seed: int = 0


def train_autoencoder(
    crew: Crew, data: Path, held_out: Path, folder: Path, sizes: Sizes, plan: AutoencoderPlan
) -> None:
    """Train (or go on training) in `folder`; the averaged weights end in `folder/vae`."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(plan.seed)
    vae = build_autoencoder(sizes).to(crew.device, memory_format=torch.channels_last)
    store, reserve = PairStore(data), PairStore(held_out)
    start_as_block_means(vae, to_pixels(_batch(store, np.random.default_rng(plan.seed), plan.crop, 16), crew.device))
    run = Run(crew, folder, {"vae": vae}, plan.budget, Rate(plan.rate, warmup_steps=50, flat=0.35), 0.997)
    run.resume()
    while run.progress < 1:
        rng = np.random.default_rng([plan.seed, crew.rank, run.step])
        whole = run.progress > plan.crop_share
        pixels = to_pixels(
            _batch(store, rng, SIZE if whole else plan.crop, plan.whole_batch if whole else plan.crop_batch),
            crew.device,
        )
        with crew.autocast():
            posterior = vae.encode(pixels).latent_dist
            picture = vae.decode(posterior.sample()).sample
        loss, terms = _loss(picture.float(), pixels, posterior.mean.float(), posterior.logvar.float())
        run.advance(loss, terms)
        if run.step % plan.log_every == 0:
            run.log()
        if run.step % plan.save_every == 0:
            run.save()
            _report(run, vae, reserve)
    run.save()
    _finish(run, vae, store, folder)


def _batch(store: PairStore, rng: Generator, size: int, count: int) -> NDArray[np.uint8]:
    """Random crops (count, size, size, 3), three quarters of them centred on the body, half of them mirrored."""
    crops = np.empty((count, size, size, 3), np.uint8)
    for k in range(count):
        index, frame = int(rng.integers(len(store))), int(rng.integers(2))
        top, left = (int(v) for v in rng.integers(0, SIZE - size + 1, 2))
        if size < SIZE and rng.random() < 0.75:
            rows, columns = np.nonzero(store.depth(index)[frame, ::4, ::4])
            if rows.size:
                pick = int(rng.integers(rows.size))
                top, left = (int(np.clip(4 * v - size // 2, 0, SIZE - size)) for v in (rows[pick], columns[pick]))
        crop = store.rgb(index)[frame, top : top + size, left : left + size]
        crops[k] = crop[:, ::-1] if rng.random() < 0.5 else crop
    return crops


def to_pixels(rgb: NDArray[np.uint8], device: torch.device) -> Tensor:
    """8-bit pictures (n, H, W, 3) as (n, 3, H, W) in -1..1, channels last."""
    return torch.from_numpy(rgb).to(device).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def _loss(picture: Tensor, target: Tensor, mean: Tensor, logvar: Tensor) -> tuple[Tensor, dict[str, float]]:
    """L1 of pixels, gradients, chroma and pooled colour, some MSE, and a weak KL term."""
    error = picture - target
    chroma = torch.stack([error[:, 0] - error[:, 1], error[:, 2] - error[:, 1]], 1)
    gradient = error.new_zeros(())
    level = error
    for _ in range(3):
        gradient = (
            gradient
            + (level[..., 1:] - level[..., :-1]).abs().mean()
            + (level[..., 1:, :] - level[..., :-1, :]).abs().mean()
        )
        level = functional.avg_pool2d(level, 2)
    mse = error.square().mean()
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
    loss = error.abs().mean() + 0.35 * chroma.abs().mean() + level.abs().mean() + 0.25 * gradient + 2 * mse + 2e-4 * kl
    return loss, {"loss": float(loss.detach()), "mse": float(mse.detach()), "kl": float(kl.detach())}


@torch.no_grad()
def autoencoder_psnr(vae: AutoencoderKL, store: PairStore, count: int, device: torch.device) -> float:
    """PSNR in dB over the pooled squared error of the first `count` pairs' first frames."""
    total = 0.0
    for index in range(count):
        pixels = to_pixels(store.rgb(index)[:1], device)
        with mixed_precision(device):
            picture = vae.decode(vae.encode(pixels).latent_dist.mode()).sample
        total += float(((picture.float().clamp(-1, 1) - pixels) / 2).square().mean())
    return float(-10 * np.log10(total / count))


def _report(run: Run, vae: AutoencoderKL, reserve: PairStore) -> None:
    if run.crew.rank == 0:
        run.averaged.swap()
        psnr = autoencoder_psnr(vae, reserve, min(16, len(reserve)), run.crew.device)
        run.averaged.swap()
        run.log(psnr=round(psnr, 3))
    run.rest_clock()


@torch.no_grad()
def _finish(run: Run, vae: AutoencoderKL, store: PairStore, folder: Path) -> None:
    """Write the averaged weights, their latents whitened, so that the scaling factor is 1."""
    run.averaged.swap()
    if run.crew.rank == 0:
        rng = np.random.default_rng(1)
        latents = [
            vae.encode(to_pixels(store.rgb(int(i))[:1], run.crew.device)).latent_dist.mode()
            for i in rng.permutation(len(store))[: min(100, len(store))]
        ]
        whiten_latents(vae, torch.cat(latents))
        vae.register_to_config(scaling_factor=1.0)
        vae.save_pretrained(folder / "vae")
    run.averaged.swap()
