"""Initial noise that depends on the seed and the frame alone: not on order, batch, device or number of frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# Stream 0 is the noise that all frames share; frame f has stream f + 1.
_SHARED = 0


@dataclass(frozen=True, slots=True)
class NoiseStream:
    """Which of a seed's independent streams to draw from."""

    index: int


SHARED_NOISE = NoiseStream(_SHARED)


def frame_noise(frame: int) -> NoiseStream:
    """The stream of one frame of the shot, counted from 0."""
    return NoiseStream(_SHARED + 1 + frame)


def draw(seed: int, stream: NoiseStream, shape: tuple[int, int, int]) -> Tensor:
    """Standard normal noise, `shape` (channels, h, w), float32 on the CPU.

    Philox is a counter-based generator with a two-word key (Salmon et al., 2011): here (seed, stream), so that any
    frame's noise can be had without that of the frames before it.
    """
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, stream.index], np.uint64)))
    return torch.from_numpy(generator.standard_normal(shape, dtype=np.float32))
