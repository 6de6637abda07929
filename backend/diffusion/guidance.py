"""Pixel-wise guidance: push a frame's latents to where its picture agrees with the frame before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.correspondence.types import Matches
from backend.diffusion.method import Decode, FrameReference, FrameSample, GradientThrough, Guided
from backend.diffusion.values import Step


@dataclass(frozen=True, slots=True)
class GuidanceSettings:
    """How pixel-wise guidance steps.

    `strength` scales the step of `guidance_step`; 0 leaves the latents alone. `limit` is the largest step, as RMS
    over the guided cells in units of the noise level sqrt(1 - alpha_bar). `through` is what the gradient runs
    through: "unet" is the gradient with respect to x_t of the paper, with the ControlNet's residuals as constants, as
    in the released code; "controlnet" includes them; "decoder" ends at x0 and takes dx0/dx_t = sqrt(alpha_bar), which
    is exact for latents of unit variance, and saves the UNet's backward pass.
    """

    strength: float = 1.0
    limit: float = 0.1
    through: GradientThrough = "unet"


@dataclass(frozen=True, slots=True, eq=False)
class PixelPairs:
    """Matched pixels of a frame and the frame before it, as flat indices into pictures of the decoder's size."""

    current: Tensor  # (n,) int64
    reference: Tensor  # (n,) int64


def pixel_pairs(matches: Matches, height: int, width: int, device: torch.device) -> PixelPairs:
    """Matches at their own resolution -> pixels of a height x width picture.

    Where the matches are coarser than the picture, pixel (r, c) of theirs is the picture's pixel
    (floor(r H / h), floor(c W / w)): the nearest-neighbour rule by which part labels are reduced too.
    """
    return PixelPairs(
        torch.from_numpy(_scaled(matches.current, matches, height, width)).to(device),
        torch.from_numpy(_scaled(matches.reference, matches, height, width)).to(device),
    )


def _scaled(flat: NDArray[np.int64], matches: Matches, height: int, width: int) -> NDArray[np.int64]:
    row, column = flat // matches.width, flat % matches.width
    scaled: NDArray[np.int64] = (row * height // matches.height) * width + column * width // matches.width
    return scaled


def squared_differences(current: Tensor, reference: Tensor, pairs: PixelPairs) -> Tensor:
    """(X_t^i[q] - X_t^{i-1}[s])^2 for each match and channel (LatentMan, equation 7, before the sum).

    Pictures are (1, channels, height, width); the result is (channels, n).
    """
    moved = current.flatten(2)[0][:, pairs.current] - reference.flatten(2)[0][:, pairs.reference]
    return moved.square()


def loss_gradient(pictures: tuple[Tensor, Tensor], pairs: PixelPairs, latents: Tensor) -> tuple[float, Tensor]:
    """omega, the mean over matches and channels of equation 7's terms, and its gradient with respect to `latents`.

    The mean, not the sum as printed, makes omega independent of the number of pixels. The gradient is taken of the
    sum and divided afterwards, because a mean's gradient underflows in half precision.
    """
    terms = squared_differences(*pictures, pairs)
    count = terms.numel()
    total = terms.sum()
    (gradient,) = torch.autograd.grad(total, latents)
    return float(total.detach()) / count, gradient / count


def guidance_step(loss: float, gradient: Tensor, alpha_bar: float, settings: GuidanceSettings) -> Tensor:
    """What to subtract from x_{t-1}: strength x (omega / |g|^2) g, at most `limit` noise levels large.

    The paper's equation 8 steps by delta x g with a delta that it does not give, and that would mean something else
    for every picture size, value range and number of matches. omega / |g|^2 is Polyak's step length (1987) towards
    omega = 0: along -g the loss, taken as linear, vanishes there. It does not change when omega is scaled or its
    pixels are repeated, and it shrinks as the pictures come to agree. Where the gradient is nearly zero that step is
    unbounded, hence the limit on its RMS over the cells that the gradient reaches.
    """
    square = float(gradient.square().sum())
    if square == 0 or loss == 0:
        return torch.zeros_like(gradient)
    step = gradient * (settings.strength * loss / square)
    reached = gradient.abs().amax(dim=1) > 1e-3 * gradient.abs().amax()
    cells = int(reached.sum()) * gradient.shape[1]
    rms = float(step.square().sum() / cells) ** 0.5
    limit = settings.limit * (1 - alpha_bar) ** 0.5
    limited: Tensor = step if rms <= limit else step * (limit / rms)
    return limited


def guide_frame(
    step: Step,
    sample: FrameSample,
    reference: FrameReference,
    pairs: PixelPairs,
    decode: Decode,
    settings: GuidanceSettings,
) -> Guided:
    """One frame's guided x_{t-1} (LatentMan, algorithm 1: DDIM's x_{t-1} minus the step).

    The frame before it is a constant: its picture at the same step, without a graph.
    """
    ends_at_x0 = settings.through == "decoder"
    x0 = sample.x0.detach().requires_grad_() if ends_at_x0 else sample.x0
    picture = decode(x0)
    if pairs.current.numel() == 0:
        return Guided(sample.next, picture.detach())
    against = reference.picture
    if against is None:
        with torch.no_grad():
            against = decode(reference.x0)
    loss, gradient = loss_gradient((picture, against), pairs, x0 if ends_at_x0 else sample.latents)
    if ends_at_x0:
        gradient = gradient * step.alpha_bar**0.5
    return Guided(sample.next - guidance_step(loss, gradient, step.alpha_bar, settings), picture.detach())
