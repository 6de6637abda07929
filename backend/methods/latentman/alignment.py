"""Spatial latent alignment: body cells take the latents that the same cells of the body had in the frame before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class LatentGather:
    """A segment's whole chain of copies as one gather: cell c of row r is cell `cell[r, c]` of row `frame[r, c]`."""

    frame: Tensor  # (rows, cells) int64
    cell: Tensor  # (rows, cells) int64


def latent_gather(frame: NDArray[np.int64], cell: NDArray[np.int64], device: torch.device) -> LatentGather:
    """The gather for a root map's arrays, each (rows, cells), on the device."""
    return LatentGather(torch.from_numpy(frame).to(device), torch.from_numpy(cell).to(device))


def align_latents(latents: Tensor, gather: LatentGather) -> Tensor:
    """x_t^i[q] = x_t^{i-1}[s] for all matches (q, s), frame after frame (LatentMan, equation 6).

    `latents` (rows, channels, h, w) are x_t of the frame before the segment, if there is one, then of the segment.
    Both sides are at the same noise level and the frame before is already aligned, as the released code has it; the
    equation as printed joins x_t with x_{t-1}, which mixes two noise levels. Since the copies of all frames compose,
    one gather does them all and is equal to the chain, bit for bit.
    """
    flat = latents.flatten(2).transpose(1, 2)  # (rows, cells, channels)
    gathered = flat[gather.frame, gather.cell]  # (rows, cells, channels)
    return gathered.transpose(1, 2).reshape(latents.shape)
