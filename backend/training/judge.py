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
from backend.training.paint import COLOURS
from backend.training.places import PLACES
from backend.training.prompts import Scene
from backend.training.training_loop import Crew
from backend.training.views import FIGURE_SIDE, Poses, Views, cut, read_views, shrunk, to_bytes, to_pictures

QUESTIONS: dict[str, tuple[str, ...]] = {
    "character": tuple(CHARACTERS),
    "colour": tuple(COLOURS),
    "place": tuple(PLACES),
}
UNNAMED = -100  # cross_entropy's own mark for "do not count"
PARTS = 25  # with the background
ON_FIGURE = ("character", "colour")
WHOLE_WIDTH = 64
SEEN_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """Steps and batch of the judge's training; each cycle anneals its rate and has half the one's before."""

    cycles: int = 2
    steps: int = 1500  # a cycle
    batch: int = 48
    rate: float = 2e-3
    seed: int = 0
    log_every: int = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judge's answers: an index a question and picture, and the figure's mask."""

    answers: dict[str, NDArray[np.int64]]  # (n,) each
    mask: NDArray[np.bool_]  # (n, FIGURE_SIDE, FIGURE_SIDE)


@dataclass(frozen=True, slots=True)
class Shown:
    """A batch as the networks take it."""

    close: Tensor  # (n, 3, FIGURE_SIDE, FIGURE_SIDE) in -1..1
    whole: Tensor  # (n, 3, WHOLE_SIDE, WHOLE_SIDE)
    part: Tensor  # (n, BODY_SIDE, BODY_SIDE) int64
    rest: Tensor  # (n, 3, BODY_SIDE, BODY_SIDE) metres

    def to(self, device: torch.device) -> Shown:
        """The same on another device."""
        return Shown(*(t.to(device) for t in (self.close, self.whole, self.part, self.rest)))


class Judge(nn.Module):
    """Names character and colour from the figure's cut-out, the place from the whole picture; finds the figure.

    The pose is known, since the picture was painted over it. So each place of the cut-out comes with the point of the
    T-posed body that it shows, and what was found is gathered by part of the body: a red nose is then the same in every
    pose. The mask is found from the colours alone.
    """

    def __init__(self, width: int = 40, deep: int = 80, gathered: int = 32) -> None:
        super().__init__()
        self.look = nn.Sequential(nn.Conv2d(3, 24, 4, stride=2, padding=1), nn.SiLU())
        self.where = nn.Conv2d(10, 24, 1)
        self.fine = nn.Sequential(*_layer(48, width), *_layer(width, width))
        self.coarse = nn.Sequential(*_layer(width, deep, stride=2), *_layer(deep, deep))
        self.part = nn.Conv2d(deep, gathered, 1)
        self.whole = nn.Sequential(
            *_layer(3, 16, 2), *_layer(16, 32, 2), *_layer(32, 64, 2), *_layer(64, WHOLE_WIDTH, 2)
        )
        seen = PARTS * gathered + deep + 2 * WHOLE_WIDTH
        self.heads = nn.ModuleDict(
            {
                name: _answer(seen if name in ON_FIGURE else 2 * WHOLE_WIDTH, len(found))
                for name, found in QUESTIONS.items()
            }
        )
        self.mask = Outline()

    def forward(self, shown: Shown) -> tuple[dict[str, Tensor], Tensor]:
        """Scores (n, answers) a question, and mask logits (n, FIGURE_SIDE, FIGURE_SIDE) of the cut-out."""
        place = torch.cat([shown.rest, torch.sin(6 * shown.rest), torch.cos(6 * shown.rest)], 1)
        place = torch.cat([place, torch.ones_like(place[:, :1])], 1) * (shown.part > 0)[:, None]
        found = self.coarse(self.fine(torch.cat([self.look(shown.close), self.where(place)], 1)))
        whole = self.whole(shown.whole)
        around = torch.cat([whole.mean((2, 3)), whole.amax((2, 3))], 1)
        parts = functional.one_hot(shown.part[:, ::2, ::2], PARTS).to(found.dtype).flatten(1, 2)
        by_part = torch.einsum("ncp,npk->nkc", self.part(found).flatten(2), parts) / (parts.sum(1)[..., None] + 1)
        figure = torch.cat([by_part.flatten(1), found.amax((2, 3)), around], 1)
        scores = {name: head(figure if name in ON_FIGURE else around) for name, head in self.heads.items()}
        return scores, self.mask(shown.close)

    @torch.no_grad()
    def look_at(self, rgb: NDArray[np.uint8], poses: Poses) -> Verdict:
        """Judge 8-bit pictures (n, 256, 256, 3) whose figures stand as `poses` says."""
        answers: dict[str, list[Tensor]] = {name: [] for name in QUESTIONS}
        masks = []
        for start in range(0, len(rgb), SEEN_AT_ONCE):
            some = slice(start, start + SEEN_AT_ONCE)
            pictures, pose = to_pictures(rgb[some]), poses.of(some)
            # Through 8 bits, as the views that it learned from.
            close, whole = to_bytes(cut(pictures, pose.box, FIGURE_SIDE)), to_bytes(shrunk(pictures))
            scores, logits = self(_shown(close, whole, pose.part, pose.rest))
            masks.append(logits > 0)
            for name, score in scores.items():
                answers[name].append(score.argmax(1))
        return Verdict({name: torch.cat(found).numpy() for name, found in answers.items()}, torch.cat(masks).numpy())


class Outline(nn.Module):
    """The figure's mask: from half the size down, up again with what each level saw, sharpened by the picture."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 48, 64)) -> None:
        super().__init__()
        self.first = nn.Sequential(*_layer(3, widths[0], 2))
        self.down = nn.ModuleList(nn.Sequential(*_layer(a, b, 2), *_layer(b, b)) for a, b in _pairs(widths))
        self.up = nn.ModuleList(nn.Sequential(*_layer(a + b, a)) for a, b in _pairs(widths))
        self.sharpened = nn.Sequential(*_layer(widths[0] + 3, 8), nn.Conv2d(8, 1, 3, padding=1))

    def forward(self, close: Tensor) -> Tensor:
        """(n, 3, side, side) to logits (n, side, side)."""
        levels = [self.first(close)]
        for down in self.down:
            levels.append(down(levels[-1]))
        found = levels.pop()
        for up, level in zip(reversed(self.up), reversed(levels), strict=True):
            found = up(torch.cat([level, _doubled(found)], 1))
        logits: Tensor = self.sharpened(torch.cat([close, _doubled(found)], 1))[:, 0]
        return logits


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def _pairs(widths: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip(widths, widths[1:], strict=False))


def _layer(inside: int, outside: int, stride: int = 1) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(inside, outside, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outside),
        nn.SiLU(),
    )


def _answer(inside: int, answers: int) -> nn.Module:
    return nn.Sequential(nn.Dropout(0.2), nn.Linear(inside, 96), nn.SiLU(), nn.Linear(96, answers))


def _shown(
    close: NDArray[np.uint8], whole: NDArray[np.uint8], part: NDArray[np.uint8], rest: NDArray[np.float16]
) -> Shown:
    return Shown(
        to_pictures(close).contiguous(memory_format=torch.channels_last),
        to_pictures(whole).contiguous(memory_format=torch.channels_last),
        torch.from_numpy(part).long(),
        torch.from_numpy(rest).permute(0, 3, 1, 2).float(),
    )


def truths(scenes: list[Scene] | tuple[Scene, ...]) -> dict[str, NDArray[np.int64]]:
    """The right answer (n,) to each question, UNNAMED where the scene leaves it open."""
    return {
        name: np.array([found.index(value) if (value := getattr(scene, name)) else UNNAMED for scene in scenes])
        for name, found in QUESTIONS.items()
    }


def train_judge(crew: Crew, data: Path, folder: Path, plan: JudgePlan) -> Judge:
    """Train on the views in `data` and write `folder/judge.pt`; one that is there is read."""
    folder.mkdir(parents=True, exist_ok=True)
    path, judge = folder / "judge.pt", Judge()
    if path.exists():
        judge.load_state_dict(torch.load(path, weights_only=True))
        return judge.eval()
    torch.manual_seed(plan.seed)
    judge = Judge()
    judge.to(crew.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    views = read_views(data)
    for cycle in range(plan.cycles):
        _train_cycle(crew, judge, views, folder, plan, cycle)
    judge.cpu().eval()
    torch.save(judge.state_dict(), path)
    return judge


def _train_cycle(crew: Crew, judge: Judge, views: Views, folder: Path, plan: JudgePlan, cycle: int) -> None:
    right = {name: torch.from_numpy(found) for name, found in truths(views.scenes).items()}
    usable = np.nonzero(views.seen)[0]
    rate = plan.rate / 2**cycle
    optimiser = torch.optim.AdamW(judge.parameters(), lr=rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=plan.steps, pct_start=0.1)
    for step in range(cycle * plan.steps, (cycle + 1) * plan.steps):
        rng = np.random.default_rng([plan.seed, step])
        chosen = np.sort(rng.choice(usable, min(plan.batch, len(usable)), replace=False))
        shown, masks = _batch(views, chosen, rng)
        with crew.autocast():
            scores, logits = judge(shown.to(crew.device))
        loss = functional.binary_cross_entropy_with_logits(logits.float(), masks.to(crew.device))
        for name, score in scores.items():
            answer = right[name][chosen].to(crew.device)
            if bool((answer != UNNAMED).any()):
                loss = loss + functional.cross_entropy(score.float(), answer, ignore_index=UNNAMED)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if (step + 1) % plan.log_every == 0:
            with (folder / "judge_log.jsonl").open("a") as file:
                file.write(json.dumps({"step": step + 1, "loss": round(float(loss.detach()), 4)}) + "\n")


def _batch(views: Views, chosen: NDArray[np.int64], rng: Generator) -> tuple[Shown, Tensor]:
    """Views and masks; the pictures are softened or noisy by chance, and their body is a little out of place.

    A generated picture is softer than a render. A judge that leans on sharp edges would blame it for that alone.
    """
    pose = views.poses.of(chosen)
    shown = _shown(views.close[chosen], views.whole[chosen], pose.part, pose.rest)
    masks = torch.from_numpy(pose.figure).float()
    for k in range(len(chosen)):
        if rng.random() < 0.4:
            shown.close[k] = functional.avg_pool2d(shown.close[k : k + 1], 3, 1, 1, count_include_pad=False)[0]
        shown.close[k] += float(rng.uniform(0, 0.06)) * torch.from_numpy(
            rng.standard_normal(shown.close[k].shape, dtype=np.float32)
        )
    down, right = (int(v) for v in rng.integers(-2, 3, 2))
    close = torch.roll(shown.close, (down, right), (2, 3))
    return Shown(close, shown.whole, shown.part, shown.rest), torch.roll(masks, (down, right), (1, 2))


def accuracy(verdict: Verdict, right: dict[str, NDArray[np.int64]]) -> dict[str, float]:
    """The share of right answers to each question, over the pictures whose scene names it."""
    return {name: float((verdict.answers[name] == values)[values != UNNAMED].mean()) for name, values in right.items()}


def mean_iou(verdict: Verdict, figures: NDArray[np.bool_]) -> float:
    """Mean intersection over union of the found masks with the rendered figures (n, FIGURE_SIDE, FIGURE_SIDE)."""
    both, either = (verdict.mask & figures).sum((1, 2)), (verdict.mask | figures).sum((1, 2))
    return float((both / np.maximum(either, 1)).mean())
