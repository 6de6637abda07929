"""A small classifier that names what a picture shows and where its figure is, trained on renders alone.

It judges the generated pictures: neither the autoencoder nor the diffusion networks have a part in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from backend.training.characters import CHARACTERS
from backend.training.dataset import PairStore
from backend.training.paint import COLOURS
from backend.training.places import PLACES
from backend.training.prompts import Scene
from backend.training.training_loop import Crew

QUESTIONS: dict[str, tuple[str, ...]] = {
    "character": tuple(CHARACTERS),
    "colour": tuple(COLOURS),
    "place": tuple(PLACES),
}
UNNAMED = -100  # cross_entropy's own mark for "do not count"
SIDE = 128  # pictures are halved before they are looked at
MASK_SIDE = 64


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """Steps and batch of the judge's training."""

    steps: int = 1500
    batch: int = 32
    rate: float = 2e-3
    seed: int = 0
    log_every: int = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judge's answers: an index a question and picture, and the figure's mask."""

    answers: dict[str, NDArray[np.int64]]  # (n,) each
    mask: NDArray[np.bool_]  # (n, MASK_SIDE, MASK_SIDE)


class Judge(nn.Module):
    """Five strided levels; names from the coarsest, the mask from all of them."""

    def __init__(self, widths: tuple[int, ...] = (24, 48, 80, 112, 144)) -> None:
        super().__init__()
        self.levels = nn.ModuleList(_level(a, b) for a, b in zip((3, *widths), widths, strict=False))
        self.heads = nn.ModuleDict({name: nn.Linear(widths[-1] * 2, len(found)) for name, found in QUESTIONS.items()})
        self.masks = nn.ModuleList(nn.Conv2d(width, 1, 3, padding=1) for width in widths)

    def forward(self, pictures: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Pictures (n, 3, SIDE, SIDE) in -1..1 -> scores (n, answers) a question, mask logits (n, 64, 64)."""
        here, logits = pictures, pictures.new_zeros((len(pictures), 1, MASK_SIDE, MASK_SIDE))
        for level, mask in zip(self.levels, self.masks, strict=True):
            here = level(here)
            logits = logits + functional.interpolate(mask(here), size=MASK_SIDE, mode="bilinear", align_corners=False)
        summary = torch.cat([here.mean((2, 3)), here.amax((2, 3))], 1)
        return {name: head(summary) for name, head in self.heads.items()}, logits[:, 0]

    @torch.no_grad()
    def look(self, rgb: NDArray[np.uint8]) -> Verdict:
        """Judge 8-bit pictures (n, 256, 256, 3)."""
        answers: dict[str, list[Tensor]] = {name: [] for name in QUESTIONS}
        masks = []
        for start in range(0, len(rgb), 64):
            scores, logits = self(to_input(rgb[start : start + 64]))
            masks.append(logits > 0)
            for name, score in scores.items():
                answers[name].append(score.argmax(1))
        return Verdict({name: torch.cat(found).numpy() for name, found in answers.items()}, torch.cat(masks).numpy())


def _level(inside: int, outside: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride=2, padding=1),
        nn.GroupNorm(4, outside),
        nn.SiLU(),
        nn.Conv2d(outside, outside, 3, padding=1),
        nn.GroupNorm(4, outside),
        nn.SiLU(),
    )


def to_input(rgb: NDArray[np.uint8]) -> Tensor:
    """8-bit pictures (n, 256, 256, 3) as (n, 3, SIDE, SIDE) in -1..1."""
    pictures = torch.from_numpy(rgb).permute(0, 3, 1, 2).float()
    return functional.avg_pool2d(pictures, 2).div_(127.5).sub_(1)


def body_mask(depth: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Share of the bare body in each cell (n, MASK_SIDE, MASK_SIDE) of depth pictures (n, 256, 256)."""
    cells = (depth > 0).reshape(len(depth), MASK_SIDE, 256 // MASK_SIDE, MASK_SIDE, 256 // MASK_SIDE)
    return np.asarray(cells.mean((2, 4)), np.float32)


def truths(scenes: list[Scene]) -> dict[str, NDArray[np.int64]]:
    """The right answer (n,) to each question, UNNAMED where the scene leaves it open."""
    return {
        name: np.array([found.index(value) if (value := getattr(scene, name)) else UNNAMED for scene in scenes])
        for name, found in QUESTIONS.items()
    }


def train_judge(crew: Crew, data: Path, folder: Path, plan: JudgePlan) -> Judge:
    """Train on the pictures in `data` and write `folder/judge.pt`; one that is there is read."""
    folder.mkdir(parents=True, exist_ok=True)
    path, judge = folder / "judge.pt", Judge()
    if path.exists():
        judge.load_state_dict(torch.load(path, weights_only=True))
        judge.eval()
        return judge
    torch.manual_seed(plan.seed)
    judge = Judge()
    judge.to(crew.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    store = PairStore(data)
    optimiser = torch.optim.AdamW(judge.parameters(), lr=plan.rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, total_steps=plan.steps, pct_start=0.1)
    for step in range(plan.steps):
        pictures, masks, right = _batch(store, np.random.default_rng([plan.seed, step]), plan.batch)
        with crew.autocast():
            scores, logits = judge(pictures.to(crew.device))
        loss = functional.binary_cross_entropy_with_logits(logits.float(), masks.to(crew.device))
        for name, score in scores.items():
            loss = loss + functional.cross_entropy(score.float(), right[name].to(crew.device), ignore_index=UNNAMED)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if (step + 1) % plan.log_every == 0:
            with (folder / "judge_log.jsonl").open("a") as file:
                file.write(json.dumps({"step": step + 1, "loss": round(float(loss.detach()), 4)}) + "\n")
    judge.cpu().eval()
    torch.save(judge.state_dict(), path)
    return judge


def _batch(store: PairStore, rng: Generator, count: int) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Pictures, masks and right answers; half are mirrored, and all are softened or noisy by chance.

    A generated picture is softer than a render. A judge that leans on sharp edges would blame it for that alone.
    """
    shots, frames = rng.integers(len(store), size=count), rng.integers(2, size=count)
    rgb = np.stack([store.rgb(int(i))[f] for i, f in zip(shots, frames, strict=True)])
    mask = torch.from_numpy(body_mask(np.stack([store.depth(int(i))[f] for i, f in zip(shots, frames, strict=True)])))
    pictures = to_input(rgb)
    for k in range(count):
        if rng.random() < 0.4:
            pictures[k] = functional.avg_pool2d(pictures[k : k + 1], 3, 1, 1, count_include_pad=False)[0]
        pictures[k] += float(rng.uniform(0, 0.04)) * torch.from_numpy(
            rng.standard_normal(pictures[k].shape, dtype=np.float32)
        )
        if rng.random() < 0.5:
            pictures[k], mask[k] = pictures[k].flip(-1), mask[k].flip(-1)
    right = truths([store.shots[int(i)].scene for i in shots])
    return (
        pictures.contiguous(memory_format=torch.channels_last),
        mask,
        {name: torch.from_numpy(values) for name, values in right.items()},
    )


def accuracy(verdict: Verdict, right: dict[str, NDArray[np.int64]]) -> dict[str, float]:
    """The share of right answers to each question, over the pictures whose scene names it."""
    return {name: float((verdict.answers[name] == values)[values != UNNAMED].mean()) for name, values in right.items()}


def mean_iou(verdict: Verdict, masks: NDArray[np.float32]) -> float:
    """Mean intersection over union of the found masks with cells that are half covered or more."""
    truth = masks >= 0.5
    both, either = (verdict.mask & truth).sum((1, 2)), (verdict.mask | truth).sum((1, 2))
    return float((both / np.maximum(either, 1)).mean())
