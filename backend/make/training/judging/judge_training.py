"""The judge's training, on renders that the model never saw."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from backend.make.training.judging.judge import UNNAMED, Judge, Shown, shown_views, truths
from backend.make.training.renders.views import Views, read_views
from backend.make.training.training_loop import Budget, Crew, Rate, Run

WARMUP_STEPS = 200
FLAT = 0.1  # share of the training before the rate falls
AVERAGED = 0.998
FIRST_OF_SIDES = 3  # of DensePose's parts: from here on two neighbours are one on the right and one on the left


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """Steps and batch of the judge's training."""

    steps: int = 8000
    batch: int = 48
    rate: float = 2e-3
    seed: int = 0
    log_every: int = 50
    save_every: int = 500


def train_judge(crew: Crew, data: Path, folder: Path, plan: JudgePlan) -> Judge:
    """Train on the views in `data`, on from a checkpoint, and write `folder/judge.pt`; one that is there is read."""
    folder.mkdir(parents=True, exist_ok=True)
    path, judge = folder / "judge.pt", Judge()
    if path.exists():
        judge.load_state_dict(torch.load(path, weights_only=True))
        return judge.eval()
    torch.manual_seed(plan.seed)
    judge = Judge()
    judge.to(crew.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    budget, rate = Budget(math.inf, plan.steps), Rate(plan.rate, min(WARMUP_STEPS, plan.steps // 5), FLAT)
    run = Run(crew, folder, {"judge": judge}, budget, rate, AVERAGED)
    run.resume()
    _train(run, judge, read_views(data), plan)
    run.averaged.swap()
    judge.cpu().eval()
    partial = folder / "judge.partial"
    torch.save(judge.state_dict(), partial)
    os.replace(partial, path)
    return judge


def _train(run: Run, judge: Judge, views: Views, plan: JudgePlan) -> None:
    right = {name: torch.from_numpy(found) for name, found in truths(views.scenes).items()}
    usable = np.nonzero(views.seen)[0]
    while run.progress < 1:
        rng = np.random.default_rng([plan.seed, run.step])
        torch.manual_seed(int(rng.integers(2**31)))  # for dropout, so that a resumed training is the same
        chosen = np.sort(rng.choice(usable, min(plan.batch, len(usable)), replace=False))
        shown, masks = _batch(views, chosen, rng)
        with run.crew.autocast():
            scores, logits = judge(shown.to(run.crew.device))
        loss = functional.binary_cross_entropy_with_logits(logits.float(), masks.to(run.crew.device))
        for name, score in scores.items():
            answer = right[name][chosen].to(run.crew.device)
            if bool((answer != UNNAMED).any()):
                loss = loss + functional.cross_entropy(score.float(), answer, ignore_index=UNNAMED)
        run.advance(loss, {"loss": float(loss.detach())})
        if run.step % plan.log_every == 0:
            run.log()
        if run.step % plan.save_every == 0:
            run.save()


def _batch(views: Views, chosen: NDArray[np.int64], rng: Generator) -> tuple[Shown, Tensor]:
    """Views and masks; half of them mirrored, some softened or noisy, their body a little out of place.

    A generated picture is softer than a render. A judge that leans on sharp edges would blame it for that alone.
    """
    pose = views.poses.of(chosen)
    shown = shown_views(views.close[chosen], views.whole[chosen], pose.part, pose.rest)
    masks = torch.from_numpy(pose.figure).float()
    for k in range(len(chosen)):
        if rng.random() < 0.4:
            shown.close[k] = functional.avg_pool2d(shown.close[k : k + 1], 3, 1, 1, count_include_pad=False)[0]
        shown.close[k] += float(rng.uniform(0, 0.06)) * torch.from_numpy(
            rng.standard_normal(shown.close[k].shape, dtype=np.float32)
        )
    shown, masks = mirror(shown, masks, torch.from_numpy(rng.random(len(chosen)) < 0.5))
    down, right = (int(v) for v in rng.integers(-2, 3, 2))
    close = torch.roll(shown.close, (down, right), (2, 3))
    return Shown(close, shown.whole, shown.part, shown.rest), torch.roll(masks, (down, right), (1, 2))


def mirror(shown: Shown, masks: Tensor, which: Tensor) -> tuple[Shown, Tensor]:
    """Views and masks (n, side, side), those of `which` (n,) seen in a mirror: their body's left side is its right."""

    def flipped(values: Tensor, turned: Tensor) -> Tensor:
        return torch.where(which.view(-1, *(1,) * (values.ndim - 1)), turned.flip(-1), values)

    one_sided = shown.part >= FIRST_OF_SIDES
    other_side = torch.where(one_sided, (shown.part - FIRST_OF_SIDES).bitwise_xor(1) + FIRST_OF_SIDES, shown.part)
    other_rest = shown.rest * torch.tensor([-1.0, 1.0, 1.0])[:, None, None]
    mirrored = Shown(
        flipped(shown.close, shown.close).contiguous(memory_format=torch.channels_last),
        flipped(shown.whole, shown.whole).contiguous(memory_format=torch.channels_last),
        flipped(shown.part, other_side),
        flipped(shown.rest, other_rest),
    )
    return mirrored, flipped(masks, masks)
