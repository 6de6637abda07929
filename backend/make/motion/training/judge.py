"""A judge that names the action in a motion. It learns from clips of the library that the motion model never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from backend.make.motion.training.clips import ClipStore
from backend.make.motion.training.statistics import statistics_of
from shared.motion.humanml.layout import FEATURE_COUNT

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """How the judge is trained."""

    rounds: int = 25
    batch: int = 32
    rate: float = 1e-3
    width: int = 96
    seed: int = 5


class JudgeNetwork(nn.Module):
    """Convolutions over time, then what is strongest and what is usual over the clip's frames."""

    def __init__(self, actions: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(FEATURE_COUNT, width, 5, stride=2, padding=2),
            nn.GELU(),
            nn.Conv1d(width, width, 5, stride=2, padding=2),
            nn.GELU(),
            nn.Conv1d(width, width, 3, padding=1),
            nn.GELU(),
        )
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * width, actions))

    def forward(self, features: Tensor, frames: Tensor) -> Tensor:
        """(batch, frames, 263) normalised, zeros behind a clip's own `frames` (batch,) -> (batch, actions)."""
        found = self.layers(features.transpose(1, 2))
        inside = torch.arange(found.shape[2]) * 4 < frames[:, None]
        usual = (found * inside[:, None]).sum(-1) / inside.sum(-1)[:, None]
        strongest = found.masked_fill(~inside[:, None], -1e4).amax(-1)
        named: Tensor = self.head(torch.cat([usual, strongest], dim=1))
        return named


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """The judge, trained."""

    actions: tuple[str, ...]
    network: JudgeNetwork
    mean: Array
    spread: Array

    @torch.no_grad()
    def name(self, clips: Sequence[Array]) -> list[str]:
        """The action of each clip (frames, 263), not normalised."""
        self.network.eval()
        names = []
        for clip in clips:
            features = torch.from_numpy((clip.astype(np.float32) - self.mean) / self.spread)
            scores = self.network(features[None], torch.tensor([len(clip)]))
            names.append(self.actions[int(scores.argmax())])
        return names


def train_judge(store: ClipStore, actions: tuple[str, ...], plan: JudgePlan = JudgePlan()) -> Judge:
    """A judge from the clips of a store."""
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    mean, spread = statistics_of(store.features)
    network = JudgeNetwork(len(actions), plan.width)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=0.02)
    labels = np.array([actions.index(request.action) for request in store.requests])
    lengths = np.array([len(clip) for clip in store.features])
    batches = plan.rounds * -(-len(store) // plan.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, batches)
    network.train()
    for _ in range(plan.rounds):
        order = random.permutation(len(store))
        for start in range(0, len(order), plan.batch):
            chosen = order[start : start + plan.batch]
            clips = [torch.from_numpy((store.features[i] - mean) / spread) for i in chosen]
            features = nn.utils.rnn.pad_sequence(clips, batch_first=True)
            scores = network(features, torch.from_numpy(lengths[chosen]))
            loss = nn.functional.cross_entropy(scores, torch.from_numpy(labels[chosen]), label_smoothing=0.05)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
    return Judge(actions, network, mean, spread)


def share_right(judge: Judge, store: ClipStore) -> float:
    """The share of a store's clips whose action the judge names."""
    named = judge.name(store.features)
    return float(np.mean([name == request.action for name, request in zip(named, store.requests, strict=True)]))


def save_judge(judge: Judge, file: Path) -> None:
    """Write the judge."""
    content = {"actions": list(judge.actions), "network": judge.network.state_dict()}
    torch.save(content | {"mean": torch.from_numpy(judge.mean), "spread": torch.from_numpy(judge.spread)}, file)


def load_judge(file: Path, plan: JudgePlan = JudgePlan()) -> Judge:
    """Read a judge."""
    content = torch.load(file, weights_only=True)
    network = JudgeNetwork(len(content["actions"]), plan.width)
    network.load_state_dict(content["network"])
    return Judge(tuple(content["actions"]), network, content["mean"].numpy(), content["spread"].numpy())
