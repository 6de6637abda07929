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
from shared.errors import InputError

QUESTIONS: dict[str, tuple[str, ...]] = {
    "character": tuple(CHARACTERS),
    "colour": tuple(COLOURS),
    "place": tuple(PLACES),
}
UNNAMED = -100  # cross_entropy's own mark for "do not count"
FIGURE_SIDE = 128  # pixels of the figure's cut-out, which is looked at for character, colour and mask
WHOLE_SIDE = 64  # pixels of the whole picture, which is looked at for the place
MASK_SIDE = 64  # cells of the figure's mask
MARGIN = 1.35  # of the cut-out about the bare body, for hats and skirts
ON_FIGURE = ("character", "colour")


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
    """Two trunks of strided levels: the figure's cut-out gives character, colour and mask, the whole picture the place.

    Where the figure is comes from the depth it was painted over; a figure of 40 pixels in 256 is too small to name.
    """

    def __init__(self, widths: tuple[int, ...] = (24, 48, 96, 144, 160), width: int = 32) -> None:
        super().__init__()
        self.figure = nn.ModuleList(_level(a, b) for a, b in zip((3, *widths), widths, strict=False))
        self.whole = nn.Sequential(*(_level(a, b) for a, b in ((3, 16), (16, 32), (32, 64), (64, 96))))
        seen = {name: 2 * (widths[-1] if name in ON_FIGURE else 96) for name in QUESTIONS}
        self.heads = nn.ModuleDict({name: nn.Linear(seen[name], len(found)) for name, found in QUESTIONS.items()})
        self.lateral = nn.ModuleList(nn.Conv2d(inside, width, 1) for inside in widths)
        self.mask = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, figure: Tensor, whole: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """(n, 3, FIGURE_SIDE, FIGURE_SIDE) and (n, 3, WHOLE_SIDE, WHOLE_SIDE), both in -1..1.

        Gives scores (n, answers) a question, and mask logits (n, MASK_SIDE, MASK_SIDE) of the cut-out.
        """
        levels = []
        for level in self.figure:
            figure = level(figure)
            levels.append(figure)
        joined = self.lateral[-1](levels[-1])
        for features, lateral in zip(levels[-2::-1], self.lateral[-2::-1], strict=True):
            joined = lateral(features) + functional.interpolate(joined, size=features.shape[-2:], mode="nearest")
        seen = {True: _summary(levels[-1]), False: _summary(self.whole(whole))}
        scores = {name: head(seen[name in ON_FIGURE]) for name, head in self.heads.items()}
        return scores, self.mask(joined)[:, 0]

    @torch.no_grad()
    def look(self, rgb: NDArray[np.uint8], boxes: NDArray[np.float32]) -> Verdict:
        """Judge 8-bit pictures (n, 256, 256, 3) whose figures stand in `boxes` (n, 3), as `figure_boxes` gives them."""
        answers: dict[str, list[Tensor]] = {name: [] for name in QUESTIONS}
        masks = []
        for start in range(0, len(rgb), 64):
            part = slice(start, start + 64)
            pictures = to_pictures(rgb[part])
            scores, logits = self(cut(pictures, boxes[part], FIGURE_SIDE), shrunk(pictures))
            masks.append(logits > 0)
            for name, score in scores.items():
                answers[name].append(score.argmax(1))
        return Verdict({name: torch.cat(found).numpy() for name, found in answers.items()}, torch.cat(masks).numpy())


def _summary(features: Tensor) -> Tensor:
    return torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1)


def _level(inside: int, outside: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride=2, padding=1),
        nn.GroupNorm(4, outside),
        nn.SiLU(),
        nn.Conv2d(outside, outside, 3, padding=1),
        nn.GroupNorm(4, outside),
        nn.SiLU(),
    )


def to_pictures(rgb: NDArray[np.uint8]) -> Tensor:
    """8-bit pictures (n, 256, 256, 3) as (n, 3, 256, 256) in -1..1."""
    return torch.from_numpy(rgb).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def shrunk(pictures: Tensor) -> Tensor:
    """Whole pictures (n, 3, 256, 256) at WHOLE_SIDE."""
    return functional.adaptive_avg_pool2d(pictures, WHOLE_SIDE)


def figure_boxes(depth: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Squares about the bodies of depth pictures (n, size, size): x and y of the middle, half a side, in pixels.

    Raises InputError for a picture without a body.
    """
    boxes = np.zeros((len(depth), 3), np.float32)
    for k, picture in enumerate(depth):
        rows, columns = np.nonzero(picture)
        if not rows.size:
            raise InputError("training.no_figure", f"Picture {k} shows no body.", "Choose pictures with a body.")
        extent = max(np.ptp(rows), np.ptp(columns)) + 1
        boxes[k] = (columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2, MARGIN * extent / 2
    return boxes


def cut(pictures: Tensor, boxes: NDArray[np.float32], side: int) -> Tensor:
    """The boxes (n, 3) of pictures (n, channels, size, size), each resampled to (side, side); black outside."""
    size = pictures.shape[-1]
    x, y, half = (torch.from_numpy(boxes).float() * 2 / size).unbind(1)
    zero = torch.zeros_like(x)
    affine = torch.stack([torch.stack([half, zero, x - 1], 1), torch.stack([zero, half, y - 1], 1)], 1)
    grid = functional.affine_grid(affine, [len(x), pictures.shape[1], side, side], align_corners=False)
    return functional.grid_sample(pictures, grid, align_corners=False)


def body_mask(depth: NDArray[np.uint16], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of the bare body in each cell (n, MASK_SIDE, MASK_SIDE) of the boxes of depth pictures (n, size, size)."""
    covered = torch.from_numpy((depth > 0).astype(np.float32))[:, None]
    return functional.avg_pool2d(cut(covered, boxes, 4 * MASK_SIDE), 4)[:, 0].numpy()


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
        figures, whole, masks, right = _batch(store, np.random.default_rng([plan.seed, step]), plan.batch)
        with crew.autocast():
            scores, logits = judge(figures.to(crew.device), whole.to(crew.device))
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


def _batch(store: PairStore, rng: Generator, count: int) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
    """Cut-outs, whole pictures, masks and right answers; half are mirrored, and all are softened or noisy by chance.

    A generated picture is softer than a render. A judge that leans on sharp edges would blame it for that alone.
    """
    shown: list[tuple[int, int]] = []
    while len(shown) < count:
        shot, frame = int(rng.integers(len(store))), int(rng.integers(2))
        if (store.label(shot)[frame] > 0).sum() > 8:
            shown.append((shot, frame))
    depth = np.stack([store.depth(shot)[frame] for shot, frame in shown])
    pictures = to_pictures(np.stack([store.rgb(shot)[frame] for shot, frame in shown]))
    boxes = figure_boxes(depth)
    mask = torch.from_numpy(body_mask(depth, boxes))
    figures = cut(pictures, boxes, FIGURE_SIDE)
    whole = shrunk(pictures)
    for k in range(count):
        if rng.random() < 0.4:
            figures[k] = functional.avg_pool2d(figures[k : k + 1], 3, 1, 1, count_include_pad=False)[0]
        noise = rng.standard_normal(figures[k].shape, dtype=np.float32)
        figures[k] += float(rng.uniform(0, 0.04)) * torch.from_numpy(noise)
        if rng.random() < 0.5:
            figures[k], mask[k], whole[k] = figures[k].flip(-1), mask[k].flip(-1), whole[k].flip(-1)
    right = truths([store.shots[shot].scene for shot, _ in shown])
    return (
        figures.contiguous(memory_format=torch.channels_last),
        whole.contiguous(memory_format=torch.channels_last),
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
