"""Clips of the library as MDM's features, on disk in shards, and read back."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.make.motion.library.table import BY_ACTION
from backend.make.motion.training.make_clip import made_clip
from backend.make.motion.training.plans import ClipPlan, draw_plan, has_held_out
from backend.motion.embedded.condition import Request
from shared.motion.humanml.encode import encode
from shared.motion.humanml.layout import LONGEST_FRAMES

Array = NDArray[np.float32]

SHARD = 100  # clips a file


@dataclass(frozen=True, slots=True)
class ClipSet:
    """What a folder of clips holds: how many of each action, by which seed, and which combinations."""

    clips: int
    seed: int
    only_held_out: bool | None = False  # True: combinations that training never has; None: all


class ClipStore:
    """Clips of one or more folders read back: `features[i]` (frames, 263) float32 and `requests[i]`."""

    def __init__(self, *folders: Path) -> None:
        self.features: list[Array] = []
        self.requests: list[Request] = []
        for listing in (one for folder in folders for one in sorted(folder.glob("shard_*.jsonl"))):
            records = [json.loads(line) for line in listing.read_text().splitlines()]
            values = np.load(listing.with_suffix(".npy"))
            ends = np.cumsum([record["frames"] for record in records])
            self.features += np.split(values, ends[:-1])
            self.requests += [Request(**record["request"]) for record in records]

    def __len__(self) -> int:
        return len(self.requests)


def write_clips(folder: Path, content: ClipSet, processes: int) -> Iterator[int]:
    """Make the shards that are not there yet; yields how many clips there are."""
    folder.mkdir(parents=True, exist_ok=True)
    shards = range(-(-content.clips // SHARD))
    missing = [shard for shard in shards if not _listing(folder, shard).exists()]
    done = content.clips - len(missing) * SHARD
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for written in pool.imap_unordered(_write_shard, [(folder, shard, content) for shard in missing]):
            done += written
            yield done


def _listing(folder: Path, shard: int) -> Path:
    return folder / f"shard_{shard:04d}.jsonl"


def _write_shard(task: tuple[Path, int, ClipSet]) -> int:
    folder, shard, content = task
    numbers = range(shard * SHARD, min((shard + 1) * SHARD, content.clips))
    plans, values = [], []
    for number in numbers:
        plan, features = clip_features(content, number)
        plans.append({"request": asdict(plan.request), "before": plan.before, "frames": len(features)})
        values.append(features)
    listing = _listing(folder, shard)
    np.save(listing.with_suffix(".npy"), np.concatenate(values))
    listing.write_text("".join(json.dumps(plan) + "\n" for plan in plans))
    return len(plans)


def clip_features(content: ClipSet, number: int) -> tuple[ClipPlan, Array]:
    """The plan and the features (frames, 263) of one clip of a set, the same on every machine."""
    random = np.random.default_rng([content.seed, number])
    actions = [action for action in BY_ACTION.values() if not content.only_held_out or has_held_out(action)]
    plan = draw_plan(random, actions[number % len(actions)], only_held_out=content.only_held_out)
    joints = made_clip(plan, random)[:LONGEST_FRAMES]
    return plan, encode(joints, continued=True).features.astype(np.float32)
