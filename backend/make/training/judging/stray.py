"""Frame 1 as it comes out of sampling: on the way to another look than frame 0's.

True pairs agree, so frame 1 learns from its own noisy picture what frame 0 could tell it, and its attention to frame 0
has little to do. While sampling, frames drift apart. So in training too: the noise lies on frame 1 in another look,
or on a mixture, and what the network has to predict is frame 1 in frame 0's look, which only frame 0 knows. (As far as
we know this is our own; SDEdit, Meng et al. 2022, shows that a picture can be repainted from such a start.)

The other picture is sometimes frame 0 as it lies on the screen: noise that all frames share leaves its details there
while the body moves on.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

OTHER_LOOK = 2  # index of frame 1's other look among the pictures of a pair
STUCK_SHARE = 0.3  # of the frames 1 are drawn to frame 0 instead
FULL_REACH = 0.5  # of the noise levels, counted from the cleanest: beyond it frame 1 may have strayed all the way
LEAST_REACH = 0.25  # at the cleanest level
PATCHY_SHARE = 0.5  # of the samples stray by other amounts from place to place
PATCHES = 4  # a side


def drawn_to(frames: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """Which picture of its pair each sample (n,), frame 0 or 1, is on the way to; a frame 0 is on the way to itself."""
    astray = np.where(rng.random(len(frames)) < STUCK_SHARE, 0, OTHER_LOOK)
    return np.where(frames == 1, astray, frames)


def strayed(
    latents: Tensor,  # (n, channels, h, w)
    other: Tensor,  # (n, channels, h, w) the same frames in another look
    levels: Tensor,  # (n,) noise levels in 0..1, 1 the noisiest
    rng: Generator,
) -> Tensor:
    """Part of the way from `latents` to `other`, farther the noisier."""
    count, _, height, width = latents.shape
    reach = (LEAST_REACH + (1 - LEAST_REACH) * levels / FULL_REACH).clamp(max=1)
    whole = torch.from_numpy(rng.random((count, 1, 1, 1))).to(latents)
    patches = torch.from_numpy(rng.random((count, 1, PATCHES, PATCHES))).to(latents)
    patchy = functional.interpolate(patches, (height, width), mode="bilinear")
    chosen = torch.from_numpy(rng.random((count, 1, 1, 1)) < PATCHY_SHARE).to(latents.device)
    return latents + reach[:, None, None, None] * torch.where(chosen, patchy, whole) * (other - latents)
