"""What the judge is shown of a picture: the figure's cut-out, where on the body each place of it lies, the whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor

from backend.make.training.dataset import write_shards
from backend.make.training.prompts import Scene
from backend.make.training.renders.render import Pair
from shared.errors import InputError

FIGURE_SIDE = 96  # pixels of the figure's cut-out
BODY_SIDE = 48  # cells of the body's surface in the cut-out
WHOLE_SIDE = 64  # pixels of the whole picture
MARGIN = 1.35  # of the cut-out about the bare body, for hats and skirts
FEWEST_PIXELS = 400  # of a body worth naming


@dataclass(frozen=True, slots=True)
class Poses:
    """Where bodies stand in n pictures, and what of them is seen in the cut-outs."""

    box: NDArray[np.float32]  # (n, 3) x and y of the middle, half a side, pixels
    part: NDArray[np.uint8]  # (n, BODY_SIDE, BODY_SIDE): 0 background, 1..24 body
    rest: NDArray[np.float16]  # (n, BODY_SIDE, BODY_SIDE, 3) metres in T-pose
    figure: NDArray[np.bool_]  # (n, FIGURE_SIDE, FIGURE_SIDE): body or clothes, as rendered

    def of(self, chosen: NDArray[np.int64] | slice) -> Poses:
        """Some of them."""
        return Poses(self.box[chosen], self.part[chosen], self.rest[chosen], self.figure[chosen])


@dataclass(frozen=True, slots=True)
class Views:
    """n renders as the judge sees them."""

    poses: Poses
    close: NDArray[np.uint8]  # (n, FIGURE_SIDE, FIGURE_SIDE, 3)
    whole: NDArray[np.uint8]  # (n, WHOLE_SIDE, WHOLE_SIDE, 3)
    scenes: tuple[Scene, ...]
    seen: NDArray[np.bool_]  # (n,) whether enough of the body is in the picture


def write_views(folder: Path, count: int, seed: int, processes: int) -> Iterator[int]:
    """Render `count` pairs, of the same look as `write_pairs` gives for this seed, as views."""
    return write_shards(folder, count, seed, processes, _write)


def read_views(folder: Path) -> Views:
    """All views of a folder, two a pair, in the order of their pairs."""
    shards: list[dict[str, NDArray[np.generic]]] = []
    scenes: list[Scene] = []
    for listing in sorted(folder.glob("shard_*.jsonl")):
        with np.load(listing.with_suffix(".npz")) as file:
            shards.append({name: file[name] for name in file.files})
        for line in listing.read_text().splitlines():
            record = json.loads(line)
            scenes += [Scene(record["character"], record["colour"], record["action"], record["place"])] * 2
    if not shards:
        raise InputError("training.views", f"There are no views in {folder}.", "Choose another folder.")
    joined = {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0]}
    poses = Poses(*(joined[name] for name in ("box", "part", "rest", "figure")))
    return Views(poses, joined["close"], joined["whole"], tuple(scenes), joined["seen"])


def _write(stem: Path, pairs: Iterable[Pair]) -> None:
    kept = [_view(pair, frame) for pair in pairs for frame in range(2)]
    names = ("box", "part", "rest", "figure", "close", "whole", "seen")
    columns = zip(names, zip(*kept, strict=True), strict=True)
    np.savez(stem.with_suffix(".npz"), **{name: np.stack(values) for name, values in columns})


def _view(pair: Pair, frame: int) -> tuple[NDArray[np.generic], ...]:
    part, rest, figure = pair.bare_part[frame], pair.bare_rest[frame], pair.figure[frame]
    seen = int((part > 0).sum()) >= FEWEST_PIXELS
    box = figure_box(part > 0) if seen else np.full(3, part.shape[0] / 2, np.float32)
    rows, columns, inside = _cell_middles(box, BODY_SIDE, part.shape[0])
    picture = to_pictures(pair.rgb[frame][None])
    return (
        box,
        np.where(inside, part[rows, columns], 0).astype(np.uint8),
        rest[rows, columns].astype(np.float16),
        (cut(torch.from_numpy(figure)[None, None].float(), box[None], FIGURE_SIDE)[0, 0] >= 0.5).numpy(),
        to_bytes(cut(picture, box[None], FIGURE_SIDE))[0],
        to_bytes(shrunk(picture))[0],
        np.asarray(seen),
    )


def _cell_middles(
    box: NDArray[np.float32], side: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Pixel rows (side, 1) and columns (1, side) at the middles of the box's cells, and which of them are inside."""
    steps = ((np.arange(side) + 0.5) / side * 2 - 1) * box[2]
    columns, rows = (np.floor(middle + steps).astype(np.int64) for middle in box[:2])
    inside = ((rows >= 0) & (rows < size))[:, None] & ((columns >= 0) & (columns < size))[None]
    return np.clip(rows, 0, size - 1)[:, None], np.clip(columns, 0, size - 1)[None], inside


def figure_box(body: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The square about a body (size, size): x and y of its middle, half a side, in pixels.

    Raises InputError for a picture without a body.
    """
    rows, columns = np.nonzero(body)
    if not rows.size:
        raise InputError("training.no_figure", "A picture shows no body.", "Choose pictures with a body.")
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    middle = (columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2
    return np.array([*middle, MARGIN * extent / 2], np.float32)


def to_pictures(rgb: NDArray[np.uint8]) -> Tensor:
    """8-bit pictures (n, height, width, 3) as (n, 3, height, width) in -1..1."""
    return torch.from_numpy(rgb).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def to_bytes(pictures: Tensor) -> NDArray[np.uint8]:
    """The inverse of `to_pictures`."""
    return (pictures.add(1).mul(127.5) + 0.5).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def shrunk(pictures: Tensor) -> Tensor:
    """Whole pictures (n, 3, 256, 256) at WHOLE_SIDE."""
    return functional.adaptive_avg_pool2d(pictures, WHOLE_SIDE)


def cut(pictures: Tensor, boxes: NDArray[np.float32], side: int) -> Tensor:
    """The boxes (n, 3) of pictures (n, channels, size, size), each resampled to (side, side); 0 outside."""
    size = pictures.shape[-1]
    x, y, half = (torch.from_numpy(boxes).float() * 2 / size).unbind(1)
    zero = torch.zeros_like(x)
    affine = torch.stack([torch.stack([half, zero, x - 1], 1), torch.stack([zero, half, y - 1], 1)], 1)
    # Twice as fine, then averaged: a box of 250 pixels would lose every other one.
    grid = functional.affine_grid(affine, [len(x), pictures.shape[1], 2 * side, 2 * side], align_corners=False)
    return functional.avg_pool2d(functional.grid_sample(pictures, grid, align_corners=False), 2)
