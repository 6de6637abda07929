"""Matched pixels of consecutive frames, and what must be decoded to compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import Canvas
from backend.correspondence.types import Matches
from backend.methods.latentman.cell_box import CellBox, Crop
from backend.methods.latentman.smoothing import Smoothing, smoothing


@dataclass(frozen=True, slots=True, eq=False)
class PixelPairs:
    """Matched pixels of a frame and the frame before it, as flat indices into pictures of the decoder's size.

    The crops are what must be decoded of each, None for all of it. `smoothing` averages differences before they are
    squared, None does not.
    """

    current: Tensor  # (n,) int64
    reference: Tensor  # (n,) int64
    current_crop: Crop | None = None
    reference_crop: Crop | None = None
    smoothing: Smoothing | None = None


def pixel_pairs(matches: Matches, height: int, width: int, device: torch.device, smooth: float = 0.0) -> PixelPairs:
    """Matches at their own resolution -> pixels of a height x width picture.

    Where the matches are coarser than the picture, pixel (r, c) of theirs is the picture's pixel
    (floor(r H / h), floor(c W / w)): the nearest-neighbour rule by which part labels are reduced too. `smooth` is the
    standard deviation of the averaging of differences, in pixels of the matches.
    """
    return PixelPairs(
        torch.from_numpy(_scaled(matches.current, matches, height, width)).to(device),
        torch.from_numpy(_scaled(matches.reference, matches, height, width)).to(device),
        smoothing=smoothing(matches, smooth, device),
    )


def segment_pairs(
    matches: Sequence[Matches],
    canvas: Canvas,
    statistics: Literal["own", "first"] | None = None,
    smooth: float = 0.0,
) -> tuple[PixelPairs, ...]:
    """The pixel pairs of consecutive frames; with crops, by these statistics, unless whole pictures are decoded.

    A frame's crop covers what its own matches read of it and what those of the next frame read.
    """
    pairs = [pixel_pairs(pair, canvas.height, canvas.width, canvas.device, smooth) for pair in matches]
    if statistics is None or not pairs:
        return tuple(pairs)
    here = [_cells(pair.current, canvas) for pair in pairs]
    there = [_cells(pair.reference, canvas) for pair in pairs]
    crops = [_join(box, later) for box, later in zip(here, [*there[1:], None], strict=True)]
    return tuple(
        replace(
            pair,
            current_crop=None if crop is None else Crop(crop, statistics),
            reference_crop=None if before is None else Crop(before, statistics),
        )
        for pair, crop, before in zip(pairs, crops, there, strict=True)
    )


def _cells(pixels: Tensor, canvas: Canvas) -> CellBox | None:
    """The box of latent cells that these pixels lie in; None without pixels."""
    if not pixels.numel():
        return None
    factor = canvas.height // canvas.latent_height
    row, column = pixels // canvas.width // factor, pixels % canvas.width // factor
    return CellBox(int(row.min()), int(column.min()), int(row.max()) + 1, int(column.max()) + 1)


def _join(one: CellBox | None, other: CellBox | None) -> CellBox | None:
    if one is None or other is None:
        return one or other
    return one.joined(other)


def _scaled(flat: NDArray[np.int64], matches: Matches, height: int, width: int) -> NDArray[np.int64]:
    row, column = flat // matches.width, flat % matches.width
    scaled: NDArray[np.int64] = (row * height // matches.height) * width + column * width // matches.width
    return scaled
