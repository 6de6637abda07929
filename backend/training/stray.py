"""Frame 1 as it comes out of sampling: on the way to another look than frame 0's.

True pairs agree, so frame 1 learns from its own noisy picture what frame 0 could tell it, and its attention to frame 0
has little to do. While sampling, frames drift apart. So in training too: the noise lies on frame 1 in another look,
or on a mixture, and what the network has to predict is frame 1 in frame 0's look, which only frame 0 knows. (As far as
we know this is our own; SDEdit, Meng et al. 2022, shows that a picture can be repainted from such a start.)
"""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

FULL_REACH = 0.5  # of the noise levels, counted from the cleanest: beyond it frame 1 may have strayed all the way
LEAST_REACH = 0.25  # at the cleanest level
PATCHY_SHARE = 0.5  # of the samples stray by other amounts from place to place
PATCHES = 4  # a side


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
