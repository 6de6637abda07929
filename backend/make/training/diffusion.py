"""Joint training of UNet and ControlNet, under a text encoder that is trained already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.activations import GEGLU
from numpy.random import Generator
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import CLIPTextModel

from backend.make.training.dataset import DEPTH_STEPS, PairStore, widened
from backend.make.training.judging.first_frame import FirstFrameSwitch, pair_attention
from backend.make.training.judging.guess import guess_alone, predict, steps_ahead
from backend.make.training.judging.looking import Guide
from backend.make.training.judging.stray import OTHER_LOOK, drawn_to, strayed
from backend.make.training.latents import Latents, read_latents
from backend.make.training.models import Sizes, build_controlnet, build_scheduler, build_unet
from backend.make.training.prompts import all_words, describe
from backend.make.training.surface_reading import SurfaceHead, surface_loss
from backend.make.training.training_loop import Budget, Crew, Rate, Run
from backend.make.training.vocabulary import build_tokenizer
from backend.models.sd15.fused import fuse
from shared.errors import InputError

BODY_WEIGHT = 6.0
CROP_FROM = 0.35  # of the budget: whole pictures first, for a crop says nothing of a place's layout
CROP_SHARE = 0.6  # of the steps after that, on crops about the body
CROP_CELLS = 16
CROP_PAIRS = 3  # times as many
SNR_LIMIT = 5.0
NOISY_WEIGHT = 1.0
SURFACE_WEIGHT = 0.3
LOOKING_WEIGHT = 0.05
TIME_SKEW = 0.7  # below 1: more of the noisy levels, where composition and palette are decided
AVERAGING = 0.997
# While sampling, what the network fails to take away adds up: its input holds more noise than its timestep says
# (exposure bias; Ning et al., "Input Perturbation Reduces Exposure Bias in Diffusion Models", 2023). So it does here.
EXCESS_NOISE = 0.08
PAIRED_SHARE = 0.9  # of the batches: frame 1 of each pair reads frame 0, which is trained as by itself
CLEANER_SHARE = 0.4  # of the paired batches have a cleaner frame 0, as it is worth reading then
SILENT_SHARE = 0.2  # of the paired batches tell frame 1 nothing: only frame 0 says who is in the picture
STRAY_SHARE = 0.85  # of the paired batches have a frame 1 on its way to another look
GUESSED_SHARE = 0.5  # of these start from what the network makes of frame 1 by itself, a little noisier
SAME_NOISE_SHARE = 0.7  # of the paired batches, as sampling has it
CHANNEL_POWER = 0.5  # 0 weighs all channels alike, 1 by their squared error in the picture


@dataclass(frozen=True, slots=True)
class DiffusionPlan:
    """How long and how large the steps are; `pairs` is a process's share of a batch, two samples each."""

    budget: Budget
    pairs: int = 4
    rate: float = 8e-4
    warmup_steps: int = 100
    log_every: int = 20
    save_every: int = 100
    export_every: int = 600
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Frame 0 of all pairs, then frame 1 of all pairs."""

    latents: Tensor  # (n, channels, 32, 32), or of a crop's size
    weight: Tensor  # (n, 32, 32) of a cell, mean 1
    label: Tensor  # (n, 32, 32) as Pair.label
    rest: Tensor  # (n, 3, 32, 32) as Pair.rest
    other: Tensor  # as latents: frame 1 of all pairs in another look, or frame 0; everything else as it is
    control: Tensor  # (n, 3, 256, 256) depth picture in 0..1
    tokens: Tensor  # (n, MAX_TOKENS)


def train_diffusion(
    crew: Crew,
    data: Path,
    latents: Path,
    folder: Path,
    sizes: Sizes,
    plan: DiffusionPlan,
    publish: Callable[[Path, int], None],
) -> None:
    """Train (or go on training) in `folder`, which holds the trained `text_encoder`.

    Networks that are there already, `unet` and `controlnet`, are where a run without a checkpoint starts. Rank 0 calls
    `publish(folder, step)` with the averaged weights there. Raises InputError where pictures and latents do not belong
    together.
    """
    store, table = _pictures(data, latents)
    torch.manual_seed(plan.seed)
    tokenizer = build_tokenizer(all_words())
    reader = CLIPTextModel.from_pretrained(folder / "text_encoder").to(crew.device).requires_grad_(False).eval()
    modules, head, switch = _networks(folder, sizes, crew.device)
    run = Run(crew, folder, modules, plan.budget, Rate(plan.rate, plan.warmup_steps, flat=0.4), AVERAGING)
    run.resume()
    alphas = build_scheduler().alphas_cumprod.to(crew.device)
    channels = _channel_weights(table, crew.device)
    while run.progress < 1:
        rng = np.random.default_rng([plan.seed, crew.rank, run.step])
        switch.on = rng.random() < PAIRED_SHARE
        crop = run.progress > CROP_FROM and rng.random() < CROP_SHARE
        pairs = plan.pairs * CROP_PAIRS if crop else plan.pairs
        batch = _batch(store, table, tokenizer, rng, pairs, switch.on, crew.device)
        batch = _cropped(batch, rng) if crop else batch
        times = _times(rng, len(batch.latents), switch.on)
        with torch.no_grad(), crew.autocast():
            words = reader(batch.tokens).last_hidden_state
            start = _start(modules, switch, batch, words, alphas, rng, times)
        switch.guide = Guide(batch.label, batch.rest) if switch.on else None
        loss, terms = diffusion_loss(crew, modules, head, batch, start, words, alphas, channels, rng, times, switch.on)
        if switch.guide is not None:
            looking = switch.guide.loss()
            loss, terms["looking"] = loss + LOOKING_WEIGHT * looking, float(looking.detach())
        run.advance(loss, terms)
        _keep(run, plan, publish)
    run.save()
    _publish(run, publish)


def _networks(
    folder: Path, sizes: Sizes, device: torch.device
) -> tuple[dict[str, nn.Module], SurfaceHead, FirstFrameSwitch]:
    """UNet and ControlNet, from `folder` where they lie there, and the surface head; and the UNet's switch."""
    unet = build_unet(sizes)
    modules: dict[str, nn.Module] = {"unet": unet, "controlnet": build_controlnet(sizes)}
    for name, module in modules.items():
        if (folder / name).exists():
            module.load_state_dict(load_file(folder / name / "diffusion_pytorch_model.safetensors"))
    modules["surface"] = head = SurfaceHead(unet)
    if device.type == "cpu":
        fuse(unet, kinds=[GEGLU])
    for module in modules.values():
        module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return modules, head, pair_attention(unet)


def _keep(run: Run, plan: DiffusionPlan, publish: Callable[[Path, int], None]) -> None:
    """Log, save and publish as often as the plan says."""
    if run.step % plan.log_every == 0:
        run.log()
    if run.step % plan.save_every == 0:
        run.save()
    if run.step % plan.export_every == 0:
        _publish(run, publish)


def _pictures(data: Path, latents: Path) -> tuple[PairStore, Latents]:
    shares = len(list(latents.parent.glob(f"{latents.name}.*of*.npz")))
    store, table = PairStore(data), read_latents(latents, shares)
    count, pictures = table.values.shape[:2]
    if (len(store), OTHER_LOOK + 1) != (count, pictures):
        raise InputError(
            "training.latents",
            f"{data} holds {len(store)} pairs of {OTHER_LOOK + 1} pictures, {latents} those of {count} of {pictures}.",
            "Delete the latents; they are made again.",
        )
    return store, table


def _batch(
    store: PairStore,
    table: Latents,
    tokenizer: Callable[..., object],
    rng: Generator,
    pairs: int,
    paired: bool,
    device: torch.device,
) -> Batch:
    """A paired batch holds both frames of `pairs` shots, under one prompt each, any other batch single frames."""
    shots = rng.integers(len(store), size=pairs if paired else 2 * pairs)
    shots, frames = (
        (np.tile(shots, 2), np.repeat([0, 1], pairs)) if paired else (shots, rng.integers(2, size=2 * pairs))
    )
    prompts, control = _asked(store, shots, frames, rng, pairs if paired else len(shots))
    both = list(zip(shots.tolist(), frames.tolist(), strict=True))
    label = np.stack([store.label(shot)[frame] for shot, frame in both])
    rest = np.stack([store.rest(shot)[frame] for shot, frame in both])
    tokens = tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt")
    latents, other = (
        torch.from_numpy(table.values[shots, chosen]).to(device).float().contiguous(memory_format=torch.channels_last)
        for chosen in (frames, drawn_to(frames, rng) if paired else frames)
    )
    weight = 1 + (BODY_WEIGHT - 1) * torch.from_numpy(table.body[shots, frames]).to(device).float()
    pictures = torch.from_numpy(control).to(device)[:, None].expand(-1, 3, -1, -1)
    return Batch(
        latents,
        weight / weight.mean(),
        torch.from_numpy(label).to(device).long(),
        torch.from_numpy(rest).to(device).float().permute(0, 3, 1, 2),
        other,
        pictures.contiguous(memory_format=torch.channels_last),
        tokens["input_ids"].to(device),  # type: ignore[index]
    )


def _asked(
    store: PairStore, shots: NDArray[np.int64], frames: NDArray[np.int64], rng: Generator, shared: int
) -> tuple[list[str], NDArray[np.float32]]:
    """Prompts and depth pictures (n, side, side) of samples; `shared` samples apart two are of one shot.

    Frame 1 of a pair has frame 0's prompt, or none, and its depth range.
    """
    silent = rng.random() < SILENT_SHARE
    ranges = rng.uniform(0, (0.5, 1.0), (len(shots), 2))  # metres before and behind the shot's own range
    prompts: list[str] = []
    control = []
    for k, (index, frame) in enumerate(zip(shots.tolist(), frames.tolist(), strict=True)):
        shot = store.shots[index]
        before, behind = ranges[k % shared]
        value = store.depth(index)[frame].astype(np.float32) / DEPTH_STEPS
        control.append(widened(value, shot.far_m - shot.near_m, before, behind))
        if k >= shared:
            prompts.append("" if silent else prompts[k - shared])
        else:
            prompts.append(describe(rng, shot.scene))
    return prompts, np.stack(control).astype(np.float32)


def _cropped(batch: Batch, rng: Generator) -> Batch:
    """CROP_CELLS a side of each sample, about a random cell of its body.

    The figure is a tenth of a picture and harder to learn than all the rest; here it is half, at a quarter of the work.
    """
    side, factor = CROP_CELLS, batch.control.shape[-1] // batch.latents.shape[-1]
    covered = batch.weight.cpu().numpy()
    parts = []
    for k, weight in enumerate(covered):
        rows, columns = np.nonzero(weight > 0.5 * weight.max())
        pick = int(rng.integers(len(rows)))
        shift = rng.integers(-3, 4, 2)
        top, left = (
            int(np.clip(v[pick] + s - side // 2, 0, covered.shape[-1] - side))
            for v, s in zip((rows, columns), shift, strict=True)
        )
        planes = (batch.latents, batch.weight, batch.label, batch.rest, batch.other)
        control = batch.control[k, :, factor * top : factor * (top + side), factor * left : factor * (left + side)]
        parts.append((*(t[k, ..., top : top + side, left : left + side] for t in planes), control))
    latents, weight, label, rest, other, control = (torch.stack(part) for part in zip(*parts, strict=True))
    return Batch(
        latents.contiguous(memory_format=torch.channels_last),
        weight / weight.mean(),
        label,
        rest,
        other.contiguous(memory_format=torch.channels_last),
        control.contiguous(memory_format=torch.channels_last),
        batch.tokens,
    )


def _channel_weights(table: Latents, device: torch.device) -> Tensor:
    """(channels, 1, 1), mean 1. Whitened, faint detail is as large as the palette; learned alike, it takes the time."""
    weights = table.importance**CHANNEL_POWER
    return torch.from_numpy(weights / weights.mean()).float().to(device)[:, None, None]


def diffusion_loss(
    crew: Crew,
    modules: dict[str, nn.Module],
    head: SurfaceHead,
    batch: Batch,
    start: Tensor,  # as batch.latents: what the noise lies on
    words: Tensor,  # (n, MAX_TOKENS, width)
    alphas: Tensor,
    channels: Tensor,  # (channels, 1, 1) weights
    rng: Generator,
    times: NDArray[np.int64],
    paired: bool,
) -> tuple[Tensor, dict[str, float]]:
    """Squared error of the predicted x0, weighted by level, body and channel, and what the surface head missed."""
    count = len(batch.latents)
    noise = torch.from_numpy(rng.standard_normal(batch.latents.shape, dtype=np.float32)).to(crew.device)
    if paired and rng.random() < SAME_NOISE_SHARE:
        noise[count // 2 :] = noise[: count // 2]
    steps = torch.from_numpy(times).to(crew.device)
    alpha = alphas[steps][:, None, None, None]
    excess = torch.from_numpy(rng.uniform(0, EXCESS_NOISE, (count, 1, 1, 1)).astype(np.float32)).to(crew.device)
    noisy = alpha.sqrt() * start + (1 - alpha).sqrt() * noise * (1 + excess)
    with crew.autocast():
        predicted = predict(modules, noisy, steps, words, batch.control)
        surface = surface_loss(head, batch.label, batch.rest, batch.weight).mean()
    error = ((predicted.float() - batch.latents).square() * channels * batch.weight[:, None]).mean((1, 2, 3))
    picture = (error * _importance((alpha / (1 - alpha)).flatten())).mean()
    terms = {"loss": picture, "error": error.mean(), "surface": surface}
    return picture + SURFACE_WEIGHT * surface, {name: float(value.detach()) for name, value in terms.items()}


def _start(
    modules: dict[str, nn.Module],
    switch: FirstFrameSwitch,
    batch: Batch,
    words: Tensor,
    alphas: Tensor,
    rng: Generator,
    times: NDArray[np.int64],
) -> Tensor:
    """What the noise lies on: the batch's latents, or with a frame 1 that has drifted (STRAY_SHARE of paired ones)."""
    if not switch.on or rng.random() >= STRAY_SHARE:
        return batch.latents
    half = len(batch.latents) // 2
    own, other, steps = batch.latents[half:], batch.other[half:], torch.from_numpy(times[half:]).to(alphas.device)
    guessed = rng.random() < GUESSED_SHARE
    if guessed:
        steps = steps_ahead(steps, len(alphas), rng)
    start = strayed(own, other, steps / len(alphas), rng)
    if guessed:
        start = guess_alone(modules, switch, start, steps, words[half:], batch.control[half:], alphas, rng)
    return torch.cat([batch.latents[:half], start])


def _importance(ratio: Tensor) -> Tensor:
    """min-SNR-gamma weights of an error in x0 (Hang et al. 2023), but not below NOISY_WEIGHT at the noisy end.

    There the picture's composition and palette are decided, and a short training cannot leave that for later.
    """
    return ratio.clamp(NOISY_WEIGHT, SNR_LIMIT)


def _times(rng: Generator, count: int, paired: bool) -> NDArray[np.int64]:
    """Stratified noise levels. In a paired batch both frames share theirs, or frame 0 is cleaner."""
    half = count // 2
    if not paired:
        even = (rng.permutation(count) + rng.random(count)) / count
        return np.asarray(even**TIME_SKEW * 1000, np.int64)
    second = ((rng.permutation(half) + rng.random(half)) / half) ** TIME_SKEW * 1000
    first = second * rng.random() if rng.random() < CLEANER_SHARE else second
    return np.asarray(np.concatenate([first, second]), np.int64)


def _publish(run: Run, publish: Callable[[Path, int], None]) -> None:
    if run.crew.rank == 0:
        run.averaged.swap()
        for name in ("unet", "controlnet"):
            run.modules[name].save_pretrained(run.folder / name)  # type: ignore[operator]
        run.averaged.swap()
        publish(run.folder, run.step)
    run.rest_clock()
