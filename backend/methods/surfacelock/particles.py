"""Noise that rides on the body: each texel has its own, and a latent cell is the sum of those that it shows.

A sum of n independent values over the root of n is normal noise again, and cells share no texel, so that every frame's
noise is as white as the model expects, while it moves with the body.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.surface.views import FrameView

PARTICLES = 2**32 - 1  # the noise stream of the texels; frames' streams count from 1

Floats = NDArray[np.float32]


def texel_noise(seed: int, texels: int, channels: int) -> Floats:
    """Standard normal noise of each texel: (K, channels), by the seed alone."""
    key = np.array([seed, PARTICLES], np.uint64)
    generator = np.random.Generator(np.random.Philox(key=key))
    return generator.standard_normal((texels, channels), dtype=np.float32)


def particle_noise(view: FrameView, noise: Floats, behind: Tensor, factor: int) -> Tensor:
    """A frame's x_T (channels, h, w): the texels' `noise` (K, channels) on the body, `behind` (channels, h, w) beside
    it, mixed by how much of a cell the body covers, so that the variance stays 1.

    `factor` is pixels a cell, along each side.
    """
    channels, height, width = behind.shape
    cells = height * width
    cell = view.texel_cells(factor)
    count = np.bincount(cell, minlength=cells)
    total = np.stack([np.bincount(cell, noise[view.seen, one], cells) for one in range(channels)])
    covered = np.bincount(_pixel_cells(view, factor, width), view.alpha, cells) / factor**2
    share = np.where(count > 0, np.clip(covered, 0, 1), 0)
    on_body = total / np.sqrt(np.maximum(count, 1))
    body = torch.from_numpy((np.sqrt(share) * on_body).reshape(channels, height, width)).to(behind)
    rest = torch.from_numpy(np.sqrt(1 - share).reshape(height, width)).to(behind)
    return body + rest * behind


def _pixel_cells(view: FrameView, factor: int, width: int) -> NDArray[np.int64]:
    """The flat cell of each body pixel."""
    row, column = np.divmod(view.pixel, width * factor)
    return row // factor * width + column // factor
