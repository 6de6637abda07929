"""Which latent cells guidance may move: those that show the body, and a few cells around them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from torch import Tensor

from backend.contract.values import Canvas, Segment
from shared.errors import InputError

PartReader = Callable[[range], NDArray[np.uint8]]
"""The body parts (frames, height, width) of some frames of the shot, 0 where there is background."""


def body_cells(part: NDArray[np.uint8], height: int, width: int, around: int) -> NDArray[np.bool_]:
    """Parts (frames, H, W), 0 = background -> cells (frames, height, width) in which any pixel shows the body, and
    cells within `around` of one, also diagonally.

    Raises InputError if the pictures do not divide into that many cells.
    """
    frames, full_height, full_width = part.shape
    if full_height % height or full_width % width:
        raise InputError(
            "method.part", f"Body parts of {full_width}x{full_height} do not divide into {width}x{height} latent cells."
        )
    blocks = (part > 0).reshape(frames, height, full_height // height, width, full_width // width)
    shown = blocks.any(axis=(2, 4))
    return np.asarray(binary_dilation(shown, np.ones((1, 2 * around + 1, 2 * around + 1), bool)))


def segment_cells(parts: PartReader, segment: Segment, canvas: Canvas, around: int) -> Tensor:
    """`body_cells` of a segment's frames on the device, (frames, 1, h, w) bool. Raises InputError if frames are missing
    or the parts do not fit the canvas."""
    part = parts(range(segment.start, segment.stop))
    if len(part) < len(segment):
        raise InputError("method.part", f"There are body parts of {len(part)} frames; this segment has {len(segment)}.")
    shown = body_cells(part, canvas.latent_height, canvas.latent_width, around)
    return torch.from_numpy(shown)[:, None].to(canvas.device)
