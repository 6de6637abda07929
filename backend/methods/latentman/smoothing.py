"""Differences at matches, averaged over the matches around them: what guidance pulls together, and what it leaves.

Two frames that show the same thing half a pixel apart differ in every fine detail. To pull them together pixel by pixel
is to wash the detail out, for half of one picture and half of the other is neither. Averaged over a few pixels such
differences cancel, while a patch of another colour stays: so colours and shapes are held, and detail is left to the
model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from backend.correspondence.types import Matches

_REACH = 3  # standard deviations; beyond, a Gaussian has a hundredth of its peak


@dataclass(frozen=True, slots=True, eq=False)
class Smoothing:
    """A Gaussian over the matches of a pair of frames, in places of the current one."""

    place: Tensor  # (n,) int64 flat places of the current frame
    height: int
    width: int
    kernel: Tensor  # (taps,) float64, one axis
    weight: Tensor  # (n,) float64: the kernel's sum over the matched places around each


def smoothing(matches: Matches, sigma: float, device: torch.device) -> Smoothing | None:
    """The averaging with a standard deviation of `sigma` of the matches' own pixels; None for 0, which is none."""
    if sigma <= 0:
        return None
    reach = max(int(_REACH * sigma + 0.5), 1)
    offset = torch.arange(-reach, reach + 1, dtype=torch.float64, device=device)
    kernel = torch.exp(-offset.square() / (2 * sigma**2))
    place = torch.from_numpy(matches.current).to(device)
    every = torch.ones(1, len(matches), dtype=torch.float64, device=device)
    return Smoothing(
        place, matches.height, matches.width, kernel, _summed(every, place, matches.height, matches.width, kernel)[0]
    )


def smoothed(values: Tensor, by: Smoothing) -> Tensor:
    """Values (channels, n) at the matches -> their weighted means over the matches around, (channels, n)."""
    kernel, weight = by.kernel.to(values.dtype), by.weight.to(values.dtype)
    return _summed(values, by.place, by.height, by.width, kernel) / weight


def _summed(values: Tensor, place: Tensor, height: int, width: int, kernel: Tensor) -> Tensor:
    """The kernel's weighted sums (channels, n) of values (channels, n) that lie at places of a picture, 0 elsewhere."""
    channels, reach = len(values), len(kernel) // 2
    picture = values.new_zeros(channels, height * width).index_copy(1, place, values).view(channels, 1, height, width)
    across = F.conv2d(picture, kernel.view(1, 1, 1, -1), padding=(0, reach))
    return F.conv2d(across, kernel.view(1, 1, -1, 1), padding=(reach, 0)).flatten(1)[:, place]
