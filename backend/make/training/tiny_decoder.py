"""Training of the tiny decoder: it follows the autoencoder's at a tenth of the cost, for guidance to look through.

Guidance asks less of a decoder than a frame does: not the last texel, but which way a picture changes with its latents.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from diffusers import AutoencoderKL, AutoencoderTiny
from numpy.typing import NDArray
from torch import Generator, Tensor

from backend.make.training.latents import read_latents
from backend.make.training.models import build_tiny_autoencoder
from backend.make.training.training_loop import Budget, Crew, Rate, Run
from shared.errors import InputError
from shared.models.sd15 import TINY_VAE

HELD_OUT = 32  # pairs, the last ones


@dataclass(frozen=True, slots=True)
class TinyDecoderPlan:
    """How long and how large the steps are: each of `batch` latents is decoded twice, once moved a little."""

    budget: Budget
    batch: int = 2
    rate: float = 2e-3
    log_every: int = 50
    save_every: int = 250
    seed: int = 0


def train_tiny_decoder(crew: Crew, latents: Path, vae_folder: Path, folder: Path, plan: TinyDecoderPlan) -> None:
    """Train (or go on training) in `folder`; the averaged weights end in `folder/tiny_vae`, in half precision.

    `latents` are those of `write_latents`, `vae_folder` the autoencoder that made them. Raises InputError without them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = _all_latents(latents)
    kept, held_out = values[:-HELD_OUT], values[-HELD_OUT:, 0]
    torch.manual_seed(plan.seed)
    teacher = AutoencoderKL.from_pretrained(vae_folder).to(crew.device, memory_format=torch.channels_last).eval()
    teacher.requires_grad_(False)
    tiny = build_tiny_autoencoder(teacher.config.latent_channels).to(crew.device, memory_format=torch.channels_last)
    tiny.encoder.requires_grad_(False)
    run = Run(crew, folder, {"decoder": tiny.decoder}, plan.budget, Rate(plan.rate, warmup_steps=50), 0.995)
    run.resume()
    while run.progress < 1:
        rng = np.random.default_rng([plan.seed, crew.rank, run.step])
        chosen = kept[rng.integers(len(kept), size=plan.batch), rng.integers(kept.shape[1], size=plan.batch)]
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        clean = torch.from_numpy(chosen).float()
        seen = as_guidance_meets(clean, generator)
        seen = torch.cat([seen, seen + small_change(clean.shape, generator)]).to(crew.device)
        wanted = _decoded(teacher, seen, crew)
        with crew.autocast():
            picture = tiny.decode(seen).sample
        run.advance(*distillation_loss(picture.float(), wanted))
        if run.step % plan.log_every == 0:
            run.log()
        if run.step % plan.save_every == 0:
            run.save()
            _report(run, tiny, teacher, held_out)
    run.save()
    _finish(run, tiny, folder)


def _all_latents(target: Path) -> NDArray[np.float16]:
    """All latents (pairs, k, channels, h, w), whatever the number of processes that made them."""
    shares = len(list(target.parent.glob(f"{target.name}.*of*.npz")))
    values = read_latents(target, shares).values if shares else np.zeros(0, np.float16)
    if len(values) <= HELD_OUT:
        raise InputError(
            "training.latents",
            f"{target.parent} holds latents of {len(values)} pairs; the tiny decoder needs more than {HELD_OUT}.",
            "Run `latentman train diffusion` first to make more.",
        )
    return values


def as_guidance_meets(clean: Tensor, generator: Generator) -> Tensor:
    """Clean latents (n, channels, h, w) as guidance meets them: a quarter as they are, the others as x0 estimates.

    An estimate of a noisy step is soft, its broad colours may still be another picture's, and some noise is left in it.
    """
    count = len(clean)

    def share(most: float) -> Tensor:
        return most * torch.rand(count, 1, 1, 1, generator=generator)

    noisy = (torch.rand(count, 1, 1, 1, generator=generator) > 0.25).float()
    broad = blurred(clean, 3.0)
    soft = torch.lerp(clean, blurred(clean, float(torch.rand(1, generator=generator)) * 1.5 + 0.4), noisy * share(1.0))
    strange = broad.roll(1, 0) - broad
    noise = torch.randn(clean.shape, generator=generator)
    return soft + noisy * (share(0.5) * strange + share(0.25) * noise)


def small_change(shape: torch.Size, generator: Generator) -> Tensor:
    """A change of latents (n, channels, h, w) as two frames differ: noise, half of it smooth."""
    noise = torch.randn(shape, generator=generator)
    smooth = blurred(noise, 1.0)
    smooth = smooth / smooth.std()
    which = (torch.rand(shape[0], 1, 1, 1, generator=generator) < 0.5).float()
    size = 0.05 + 0.25 * torch.rand(shape[0], 1, 1, 1, generator=generator)
    return size * torch.lerp(noise, smooth, which)


def blurred(values: Tensor, sigma_cells: float) -> Tensor:
    """Maps (n, channels, h, w) under a Gaussian; edges are held."""
    reach = max(1, round(2.5 * sigma_cells))
    kernel = torch.exp(-torch.arange(-reach, reach + 1).float().square() / (2 * sigma_cells**2))
    kernel = (kernel / kernel.sum()).to(values)
    channels = values.shape[1]
    padded = functional.pad(values, (reach,) * 4, mode="replicate")
    rows = functional.conv2d(padded, kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return functional.conv2d(rows, kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)


def distillation_loss(picture: Tensor, wanted: Tensor) -> tuple[Tensor, dict[str, float]]:
    """How far pictures (2n, 3, H, W) in -1..1 are from the teacher's: L1, MSE, slopes, and the change between halves.

    The second n pictures are those of the first n's latents, moved. The squared error of the change over the change's
    own square is the relative error of the decoder's derivative, which is what guidance goes by.
    """
    error = picture - wanted
    slopes = error.new_zeros(())
    level = error
    for _ in range(3):
        slopes = slopes + level.diff(dim=-1).abs().mean() + level.diff(dim=-2).abs().mean()
        level = functional.avg_pool2d(level, 2)
    mse = error.square().mean()
    (before, after), (wanted_before, wanted_after) = picture.chunk(2), wanted.chunk(2)
    true_change = wanted_after - wanted_before
    change = (after - before - true_change).square().mean() / true_change.square().mean()
    loss = error.abs().mean() + 2 * mse + 0.25 * slopes + 0.1 * change
    return loss, {"loss": float(loss.detach()), "mse": float(mse.detach()), "change": float(change.detach())}


@torch.no_grad()
def _decoded(teacher: AutoencoderKL, latents: Tensor, crew: Crew) -> Tensor:
    """The autoencoder's own pictures of scaled latents."""
    with crew.autocast():
        picture: Tensor = teacher.decode(latents / teacher.config.scaling_factor).sample
    return picture.float()


@torch.no_grad()
def _report(run: Run, tiny: AutoencoderTiny, teacher: AutoencoderKL, held_out: NDArray[np.float16]) -> None:
    """Log the PSNR in dB against the teacher over the held-out latents (n, channels, h, w)."""
    if run.crew.rank == 0:
        run.averaged.swap()
        total = 0.0
        for latent in held_out:
            values = torch.from_numpy(latent[None]).float().to(run.crew.device)
            wanted = _decoded(teacher, values, run.crew).clamp(-1, 1)
            with run.crew.autocast():
                picture = tiny.decode(values).sample.float().clamp(-1, 1)
            total += float(((picture - wanted) / 2).square().mean())
        run.averaged.swap()
        run.log(psnr=round(float(-10 * np.log10(total / len(held_out))), 3))
    run.rest_clock()


def _finish(run: Run, tiny: AutoencoderTiny, folder: Path) -> None:
    """Write the averaged weights in half precision."""
    run.averaged.swap()
    if run.crew.rank == 0:
        half = build_tiny_autoencoder(tiny.config.latent_channels)
        half.load_state_dict(tiny.state_dict())
        half.half().save_pretrained(folder / TINY_VAE.name)
        # The class writes down a value that it complains of when it reads it back.
        path = folder / TINY_VAE.name / "config.json"
        config = {name: value for name, value in json.loads(path.read_text()).items() if name != "block_out_channels"}
        path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    run.averaged.swap()
