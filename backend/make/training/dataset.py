"""Training pictures on disk: memory-mapped arrays and one JSON line a pair."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.make.training.prompts import Scene, rng_for
from backend.make.training.renders.figure import load_training_body
from backend.make.training.renders.render import Pair, render_pair
from shared.body.loading import FREE_BODY_PATH
from shared.errors import InputError
from shared.files.digest import sha256_file

DEPTH_STEPS = 65535
SHARD = 250  # pairs a file


@dataclass(frozen=True, slots=True)
class Shot:
    """A pair on disk: where it lies, what it shows, and its depth range."""

    shard: int
    row: int
    scene: Scene
    near_m: float
    far_m: float


class PairStore:
    """Pairs read back from a folder of shards. Arrays stay on disk until they are indexed."""

    def __init__(self, folder: Path) -> None:
        """Raises InputError for pairs that were drawn without frame 1's other look, as they once were."""
        self.shots: list[Shot] = []
        self._rgb: list[NDArray[np.uint8]] = []
        self._depth: list[NDArray[np.uint16]] = []
        self._label: list[NDArray[np.uint8]] = []
        self._rest: list[NDArray[np.float16]] = []
        self._stray: list[NDArray[np.uint8]] = []
        for shard, listing in enumerate(sorted(folder.glob("shard_*.jsonl"))):
            if not listing.with_suffix(".stray.npy").exists():
                raise InputError(
                    "training.pairs",
                    f"The pairs in {folder} lack frame 1 in another look: an earlier version drew them.",
                    "Delete that folder and the latents next to it; both are made again.",
                )
            self._rgb.append(np.load(listing.with_suffix(".rgb.npy"), mmap_mode="r"))
            self._depth.append(np.load(listing.with_suffix(".depth.npy"), mmap_mode="r"))
            self._label.append(np.load(listing.with_suffix(".label.npy")))
            self._rest.append(np.load(listing.with_suffix(".rest.npy"), mmap_mode="r"))
            self._stray.append(np.load(listing.with_suffix(".stray.npy"), mmap_mode="r"))
            for row, line in enumerate(listing.read_text().splitlines()):
                record = json.loads(line)
                scene = Scene(record["character"], record["colour"], record["action"], record["place"])
                self.shots.append(Shot(shard, row, scene, record["near_m"], record["far_m"]))

    def __len__(self) -> int:
        return len(self.shots)

    def rgb(self, index: int) -> NDArray[np.uint8]:
        """Both pictures (2, SIZE, SIZE, 3)."""
        shot = self.shots[index]
        return np.array(self._rgb[shot.shard][shot.row])

    def stray(self, index: int) -> NDArray[np.uint8]:
        """Frame 1 in another look (SIZE, SIZE, 3), as `Pair.stray`."""
        shot = self.shots[index]
        return np.array(self._stray[shot.shard][shot.row])

    def depth(self, index: int) -> NDArray[np.uint16]:
        """Nearness of both frames (2, SIZE, SIZE): 0 background, 65535 nearest, 13107 farthest of the shot."""
        shot = self.shots[index]
        return np.array(self._depth[shot.shard][shot.row])

    def label(self, index: int) -> NDArray[np.uint8]:
        """What each latent cell of both frames shows (2, SIZE / CELL, SIZE / CELL), as `Pair.label`."""
        shot = self.shots[index]
        return np.array(self._label[shot.shard][shot.row])

    def rest(self, index: int) -> NDArray[np.float16]:
        """Where on the T-posed figure that lies (2, SIZE / CELL, SIZE / CELL, 3), metres."""
        shot = self.shots[index]
        return np.array(self._rest[shot.shard][shot.row])


def nearness(pair: Pair) -> NDArray[np.uint16]:
    """The product's depth picture, 1 - 0.8 (z - near) / (far - near), at 16 bits."""
    span = max(pair.far_m - pair.near_m, 1e-3)
    value = np.where(np.isfinite(pair.depth_m), 1 - 0.8 * (pair.depth_m - pair.near_m) / span, 0.0)
    return np.asarray(np.clip(value, 0, 1) * DEPTH_STEPS + 0.5, np.uint16)


def widened(value: NDArray[np.float32], span_m: float, before_m: float, behind_m: float) -> NDArray[np.float32]:
    """The depth picture under a range that starts `before_m` nearer and ends `behind_m` farther."""
    depth = (1 - value) / 0.8 * span_m + before_m
    wider = 1 - 0.8 * depth / (span_m + before_m + behind_m)
    return np.where(value > 0, wider, 0).astype(np.float32)


def write_pairs(folder: Path, count: int, seed: int, processes: int) -> Iterator[int]:
    """Render `count` pairs into shards; existing shards are kept. Yields the number of pairs done."""
    return write_shards(folder, count, seed, processes, _write_pairs, stray=True)


def write_shards(
    folder: Path,
    count: int,
    seed: int,
    processes: int,
    keep: Callable[[Path, Iterable[Pair]], None],
    stray: bool = False,
) -> Iterator[int]:
    """Render `count` pairs; `keep(stem, pairs)` writes those of a shard, in files beside its listing.

    `stray` asks for `Pair.stray` too. Existing shards are kept. Yields the number of pairs done. Raises InputError for
    a folder whose shards show another body or another seed: they would not fit each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, {"body": sha256_file(FREE_BODY_PATH), "seed": seed})
    shards = [
        _Shard(folder, k, min(SHARD, count - k * SHARD), seed, keep, stray) for k in range((count + SHARD - 1) // SHARD)
    ]
    missing = [shard for shard in shards if not shard.listing.exists()]
    done = count - sum(shard.count for shard in missing)
    yield done
    if not missing:
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for finished in pool.imap_unordered(_write_shard, missing):
            done += finished
            yield done


@dataclass(frozen=True, slots=True)
class _Shard:
    """The work of one process: a shard's place, size and content."""

    folder: Path
    number: int
    count: int
    seed: int
    keep: Callable[[Path, Iterable[Pair]], None]
    stray: bool

    @property
    def listing(self) -> Path:
        return self.folder / f"shard_{self.number:04d}.jsonl"


def _claim(folder: Path, source: dict[str, str | int]) -> None:
    path = folder / "source.json"
    if path.exists() and json.loads(path.read_text()) != source:
        raise InputError(
            "training.pairs",
            f"The pictures in {folder} were made from another body or another seed.",
            "Delete that folder, or choose another one.",
        )
    path.write_text(json.dumps(source) + "\n")


def _write_shard(task: _Shard) -> int:
    body = load_training_body()
    lines: list[str] = []

    def rendered() -> Iterator[Pair]:
        for row in range(task.count):
            pair = render_pair(body, rng_for(task.seed, task.number * SHARD + row), task.stray)
            lines.append(_line(pair))
            yield pair

    task.keep(task.listing.with_suffix(""), rendered())
    partial = task.listing.with_suffix(".partial")
    partial.write_text("\n".join(lines) + "\n")
    partial.replace(task.listing)
    return task.count


def _write_pairs(stem: Path, pairs: Iterable[Pair]) -> None:
    kept = [(pair.rgb, nearness(pair), pair.label, pair.rest.astype(np.float16), pair.stray) for pair in pairs]
    for name, values in zip(("rgb", "depth", "label", "rest", "stray"), zip(*kept, strict=True), strict=True):
        np.save(stem.with_suffix(f".{name}.npy"), np.stack(values))


def _line(pair: Pair) -> str:
    scene = pair.scene
    return json.dumps(
        {
            "character": scene.character,
            "colour": scene.colour,
            "action": scene.action,
            "place": scene.place,
            "near_m": round(pair.near_m, 4),
            "far_m": round(pair.far_m, 4),
        }
    )
