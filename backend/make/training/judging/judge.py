"""A small classifier that names what a picture shows and where its figure is, trained on renders alone.

It judges the generated pictures: neither the autoencoder nor the diffusion networks have a part in it.
`judge_training` trains it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn

from backend.make.training.prompts import Scene
from backend.make.training.renders.characters import CHARACTERS
from backend.make.training.renders.paint import COLOURS
from backend.make.training.renders.places import PLACES
from backend.make.training.renders.views import FIGURE_SIDE, Poses, Views, cut, shrunk, to_bytes, to_pictures

QUESTIONS: dict[str, tuple[str, ...]] = {
    "character": tuple(CHARACTERS),
    "colour": tuple(COLOURS),
    "place": tuple(PLACES),
}
# Under one light a shade of the first is one of the second under another: they differ by brightness alone.
ALIKE = {"white": "silver", "grey": "silver", "yellow": "gold"}
UNNAMED = -100  # cross_entropy's own mark for "do not count"
PARTS = 25  # with the background
ON_FIGURE = ("character", "colour")
WHOLE_WIDTH = 64
SEEN_AT_ONCE = 64


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

    def look_at(self, rgb: NDArray[np.uint8], poses: Poses) -> Verdict:
        """Judge 8-bit pictures (n, 256, 256, 3) whose figures stand as `poses` says."""
        shown = []
        for start in range(0, len(rgb), SEEN_AT_ONCE):
            some = slice(start, start + SEEN_AT_ONCE)
            pictures, pose = to_pictures(rgb[some]), poses.of(some)
            # Through 8 bits, as the views that it learned from.
            close, whole = to_bytes(cut(pictures, pose.box, FIGURE_SIDE)), to_bytes(shrunk(pictures))
            shown.append(shown_views(close, whole, pose.part, pose.rest))
        return self._judge(shown)

    def look_at_views(self, views: Views) -> Verdict:
        """Judge renders that are views already."""
        starts = range(0, len(views.close), SEEN_AT_ONCE)
        some = [slice(start, start + SEEN_AT_ONCE) for start in starts]
        poses = views.poses
        return self._judge([shown_views(views.close[s], views.whole[s], poses.part[s], poses.rest[s]) for s in some])

    @torch.no_grad()
    def _judge(self, batches: list[Shown]) -> Verdict:
        answers: dict[str, list[Tensor]] = {name: [] for name in QUESTIONS}
        masks = []
        for shown in batches:
            scores, logits = self(shown)
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


def shown_views(
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


def accuracy(verdict: Verdict, right: dict[str, NDArray[np.int64]]) -> dict[str, float]:
    """The share of right answers to each question, over the pictures whose scene names it.

    "colour_family" takes colours for right that differ by brightness alone.
    """
    families = np.array([QUESTIONS["colour"].index(ALIKE.get(name, name)) for name in QUESTIONS["colour"]])
    shares = {name: _share(verdict.answers[name], values, values) for name, values in right.items()}
    if "colour" in right:
        colour = right["colour"]
        family = families[np.where(colour == UNNAMED, 0, colour)]
        shares["colour_family"] = _share(families[verdict.answers["colour"]], family, colour)
    return shares


def _share(answers: NDArray[np.int64], expected: NDArray[np.int64], named: NDArray[np.int64]) -> float:
    return float((answers == expected)[named != UNNAMED].mean())


def mean_iou(verdict: Verdict, figures: NDArray[np.bool_]) -> float:
    """Mean intersection over union of the found masks with the rendered figures (n, FIGURE_SIDE, FIGURE_SIDE)."""
    both, either = (verdict.mask & figures).sum((1, 2)), (verdict.mask | figures).sum((1, 2))
    return float((both / np.maximum(either, 1)).mean())
