"""Trains MDM's network on the library's clips: 50 cosine steps, the clean motion predicted, no text in a tenth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.make.motion.library.action import ALL_STYLES
from backend.make.motion.library.table import ACTIONS, BY_ACTION
from backend.make.motion.training.clips import ClipStore
from backend.make.motion.training.losses import Weights, losses
from backend.make.motion.training.mirror import ORDER, SIGN
from backend.make.motion.training.statistics import statistics_of
from backend.make.training.training_loop import Budget, Crew, Rate, Run
from backend.models.mdm.diffusion import Schedule, noisy, schedule_of
from backend.models.mdm.network import MDM, NetworkShape, TextTokens
from backend.motion.embedded.condition import ConditionLayout, Request

Indices = NDArray[np.int64]

STATISTICS = "statistics.npz"
LAYOUT = "layout.json"  # which number of the condition means what: the library may have grown since
NO_TEXT_SHARE = 0.1
SIDE_SHARE = 0.6
_ORDER, _SIGN = torch.from_numpy(ORDER), torch.from_numpy(SIGN)
_NOISY_SHARE, _NOISY_FROM = 0.5, 0.7
_USUAL_FRAMES = 80  # clips that are longer come less often, as they cost more and repeat what they show
_POOL = 8  # batches that are drawn together and sorted by length, so that little is padding


@dataclass(frozen=True, slots=True)
class MotionPlan:
    """How the network is made and trained."""

    budget: Budget
    seed: int = 1
    batch: int = 16
    rate: float = 8e-4
    width: int = 192
    layers: int = 5
    heads: int = 4
    feedforward: int = 512
    steps: int = 50
    dropout: float = 0.0
    decay: float = 0.995
    weights: Weights = field(default_factory=Weights)
    log_every: int = 50
    save_every: int = 250
    check_every: int = 500

    def shape(self, layout: ConditionLayout) -> NetworkShape:
        """The network's shape for a condition."""
        return NetworkShape(
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            feedforward=self.feedforward,
            text_width=layout.width,
            mask_frames=True,
            token_on_frames=True,  # attention alone found the condition only slowly among a hundred frames
            dropout=self.dropout,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """A store as the training reads it: every clip, and the mirror image of those that have no side of their own."""

    features: list[Tensor]  # (frames, 263) each, not normalised
    mirror: list[bool]
    conditions: Tensor  # (clips, width)
    lengths: Indices
    mean: Tensor
    spread: Tensor

    @classmethod
    def of(cls, store: ClipStore, layout: ConditionLayout, mean: Tensor, spread: Tensor) -> Clips:
        """The clips of a store."""
        both = [i for i, request in enumerate(store.requests) if BY_ACTION[request.action].mirrors]
        features = [torch.from_numpy(store.features[i]) for i in (*range(len(store)), *both)]
        requests = [*store.requests, *(_other_side(store.requests[i]) for i in both)]
        mirror = [False] * len(store) + [True] * len(both)
        lengths = np.array([len(values) for values in features])
        return cls(features, mirror, torch.from_numpy(layout.vectors(requests)), lengths, mean, spread)

    def batch(self, indices: Indices) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised features (batch, frames, 263), padding (batch, frames), conditions (batch, width)."""
        chosen = [_mirrored(self.features[i]) if self.mirror[i] else self.features[i] for i in indices]
        features = torch.nn.utils.rnn.pad_sequence(
            [(one - self.mean) / self.spread for one in chosen], batch_first=True
        )
        frames = torch.arange(features.shape[1])
        padding = frames >= torch.from_numpy(self.lengths[indices])[:, None]
        return features, padding, self.conditions[torch.from_numpy(indices)]


def _mirrored(features: Tensor) -> Tensor:
    return features[:, _ORDER] * _SIGN


def _other_side(request: Request) -> Request:
    return replace(request, side={"left": "right", "right": "left"}.get(request.side, ""))  # type: ignore[arg-type]


def train_motion(
    crew: Crew,
    clips: Path,
    held_out: Path,
    folder: Path,
    plan: MotionPlan,
    recorded: Path | None = None,
) -> None:
    """Trains in `folder` until the budget is spent; goes on from its checkpoint.

    `recorded` holds `clips` and `held_out` of `recorded.dataset`, which are trained and checked beside the library's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    layout = trained_layout(folder)
    store = ClipStore(clips, *((recorded / "clips",) if recorded else ()))
    mean, spread = _kept_statistics(folder, store)
    training = Clips.of(store, layout, mean, spread)
    folders = {"held_out": held_out} | ({"recorded": recorded / "held_out"} if recorded else {})
    checking = {name: Clips.of(ClipStore(one), layout, mean, spread) for name, one in folders.items()}
    torch.manual_seed(plan.seed)
    network = MDM(plan.shape(layout)).to(crew.device)
    run = Run(crew, folder, {"network": network}, plan.budget, Rate(plan.rate, 300, 0.6), plan.decay)
    run.resume()
    schedule = schedule_of(plan.steps)
    random = np.random.default_rng([plan.seed, run.step])
    batches = _batches(random, training.lengths, plan.batch)
    norms = mean.to(crew.device), spread.to(crew.device)
    while run.progress < 1.0:
        total, terms = _step(crew, network, training.batch(next(batches)), schedule, norms, plan.weights)
        run.advance(total, terms)
        if run.step % plan.log_every == 0:
            run.log()
        if run.step % plan.save_every == 0:
            run.save()
        if run.step % plan.check_every == 0:
            losses_by_set = {
                name: _checked(crew, run, network, one, schedule, norms, plan) for name, one in checking.items()
            }
            run.log(**losses_by_set)
            run.rest_clock()
    run.save()


def trained_layout(folder: Path) -> ConditionLayout:
    """The condition of a training: the one that it began with, or for a new one all that the library has."""
    file = folder / LAYOUT
    if not file.exists():
        names = {"actions": [action.name for action in ACTIONS], "styles": list(ALL_STYLES)}
        file.write_text(json.dumps(names, indent=1) + "\n")
    found = json.loads(file.read_text())
    return ConditionLayout(tuple(found["actions"]), tuple(found["styles"]))


def _kept_statistics(folder: Path, store: ClipStore) -> tuple[Tensor, Tensor]:
    file = folder / STATISTICS
    if not file.exists():
        mean, spread = statistics_of(store.features)
        np.savez(file, mean=mean, spread=spread)
    with np.load(file) as kept:
        return torch.from_numpy(kept["mean"]), torch.from_numpy(kept["spread"])


def _batches(random: np.random.Generator, lengths: Indices, size: int) -> Iterator[Indices]:
    """Indices of clips of like lengths, for ever."""
    while True:
        drawn = random.permutation(len(lengths))[: 2 * size * _POOL]
        drawn = drawn[random.random(len(drawn)) < np.minimum(1.0, _USUAL_FRAMES / lengths[drawn])][: size * _POOL]
        ordered = drawn[np.argsort(lengths[drawn], kind="stable")]
        pieces = np.array_split(ordered, max(1, len(ordered) // size))
        for at in random.permutation(len(pieces)):
            yield pieces[at]


def _step(
    crew: Crew,
    network: MDM,
    batch: tuple[Tensor, Tensor, Tensor],
    schedule: Schedule,
    norms: tuple[Tensor, Tensor],
    weights: Weights,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, dict[str, float]]:
    features, padding, conditions = (part.to(crew.device) for part in batch)
    count = len(features)
    steps = _drawn_steps(count, schedule.steps, generator).to(crew.device)
    noise = torch.randn(features.shape, generator=generator).to(crew.device)
    silent = (torch.rand(count, generator=generator) < NO_TEXT_SHARE).to(crew.device)
    # A side that is not asked for is left open half of the time.
    conditions[:, -2:] *= (torch.rand(count, 1, generator=generator) < SIDE_SHARE).to(crew.device)
    with crew.autocast():
        clean = network(
            noisy(features, steps, noise, schedule),
            steps,
            TextTokens(conditions[None]),
            without_text=silent,
            padding=padding,
        )
    return losses(clean.float(), features, padding, *norms, weights)


def _drawn_steps(count: int, steps: int, generator: torch.Generator | None) -> Tensor:
    """Steps (count,): half of them among the noisiest, where the condition decides what the motion is."""
    noisiest = torch.randint(round(_NOISY_FROM * steps), steps, (count,), generator=generator)
    any_step = torch.randint(steps, (count,), generator=generator)
    return torch.where(torch.rand(count, generator=generator) < _NOISY_SHARE, noisiest, any_step)


@torch.no_grad()
def _checked(
    crew: Crew,
    run: Run,
    network: MDM,
    clips: Clips,
    schedule: Schedule,
    norms: tuple[Tensor, Tensor],
    plan: MotionPlan,
) -> float:
    """Mean loss of the averaged weights on held-out clips, with the same noise each time."""
    generator = torch.Generator().manual_seed(plan.seed)
    order = np.argsort(clips.lengths, kind="stable")
    pieces = np.array_split(order, max(1, len(order) // plan.batch))
    run.averaged.swap()
    network.eval()
    found = [
        float(_step(crew, network, clips.batch(piece), schedule, norms, plan.weights, generator)[0]) for piece in pieces
    ]
    network.train()
    run.averaged.swap()
    return round(float(np.mean(found)), 5)
