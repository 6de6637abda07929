"""Pixel-wise guidance: push a frame's latents to where its picture agrees with the frame before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import Canvas, Step
from backend.correspondence.types import Matches
from backend.loop.method import (
    CellBox,
    Crop,
    Decode,
    FrameLoss,
    FrameReference,
    GradientThrough,
    GuideDecoder,
)

DecodeExtent = Literal["whole", "body", "body_first"]
"""What guidance decodes: whole pictures; the body's box; the box, by the group norm statistics of frame 0."""

X0Slope = Literal["unit_variance", "constant_noise"]
"""What stands for dx0/dx_t where the gradient ends at x0."""


@dataclass(frozen=True, slots=True)
class GuidanceSettings:
    """How pixel-wise guidance steps.

    `strength` scales the step of `guidance_step`; 0 leaves the latents alone. `limit` is the largest step, as RMS
    over the guided cells in units of the noise level sqrt(1 - alpha_bar).

    `through` is what the gradient runs through: "unet" is the gradient with respect to x_t of the paper, with the
    ControlNet's residuals as constants, as in the released code; "controlnet" includes them; "decoder" ends at x0 and
    saves the UNet's backward pass. There `slope` is taken for dx0/dx_t: "unit_variance" is sqrt(alpha_bar), exact for
    latents of unit variance; "constant_noise" is 1 / sqrt(alpha_bar), the UNet's predicted noise held, whose steps are
    alpha_bar times as long. The direction is the same.

    `decode` is how much of a picture is decoded: "whole"; "body", the box that the matches touch, whose pixels are
    the whole decode's, up to rounding, and whose gradient lacks what runs through the group norms' statistics;
    "body_first", which takes the statistics from frame 0 at the same step, so that its pixels are close to the whole
    decode's, and no frame is decoded whole. Where the box is the most of the picture, "whole" is the quicker.

    `decoder` "tiny" takes the small decoder that follows the autoencoder's, which only steers: frames are decoded by
    the autoencoder. It always decodes the box alone, which for it is exact, gradient included.
    """

    strength: float = 1.0
    limit: float = 0.1
    through: GradientThrough = "unet"
    decode: DecodeExtent = "whole"
    decoder: GuideDecoder = "full"
    slope: X0Slope = "unit_variance"


@dataclass(frozen=True, slots=True, eq=False)
class PixelPairs:
    """Matched pixels of a frame and the frame before it, as flat indices into pictures of the decoder's size.

    The crops are what must be decoded of each, None for all of it.
    """

    current: Tensor  # (n,) int64
    reference: Tensor  # (n,) int64
    current_crop: Crop | None = None
    reference_crop: Crop | None = None


def pixel_pairs(matches: Matches, height: int, width: int, device: torch.device) -> PixelPairs:
    """Matches at their own resolution -> pixels of a height x width picture.

    Where the matches are coarser than the picture, pixel (r, c) of theirs is the picture's pixel
    (floor(r H / h), floor(c W / w)): the nearest-neighbour rule by which part labels are reduced too.
    """
    return PixelPairs(
        torch.from_numpy(_scaled(matches.current, matches, height, width)).to(device),
        torch.from_numpy(_scaled(matches.reference, matches, height, width)).to(device),
    )


def segment_pairs(matches: Sequence[Matches], canvas: Canvas, settings: GuidanceSettings) -> tuple[PixelPairs, ...]:
    """The pixel pairs of consecutive frames, with the crops that the settings ask for.

    A frame's crop covers what its own matches read of it and what those of the next frame read.
    """
    pairs = [pixel_pairs(pair, canvas.height, canvas.width, canvas.device) for pair in matches]
    if (settings.decode == "whole" and settings.decoder == "full") or not pairs:
        return tuple(pairs)
    statistics: Literal["own", "first"] = "own" if settings.decode == "body" else "first"
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


def squared_differences(current: Tensor, reference: Tensor, pairs: PixelPairs) -> Tensor:
    """(X_t^i[q] - X_t^{i-1}[s])^2 for each match and channel (LatentMan, equation 7, before the sum).

    Pictures are (1, channels, height, width); the result is (channels, n).
    """
    moved = current.flatten(2)[0][:, pairs.current] - reference.flatten(2)[0][:, pairs.reference]
    return moved.square()


def single_losses(
    x0: Tensor,  # (frames, channels, h, w)
    reference: FrameReference,
    pairs: Sequence[PixelPairs],
    decode: Decode,
    *,
    clamp: bool = False,
) -> list[FrameLoss | None]:
    """`frame_loss` of consecutive frames, one decoder's graph after the other."""
    losses = []
    for one, own in zip(torch.split(x0.detach(), 1), pairs, strict=True):
        loss = frame_loss(one, reference, own, decode, clamp=clamp)
        losses.append(loss)
        reference = FrameReference(one, None if loss is None else loss.picture)
    return losses


def frame_loss(
    x0: Tensor, reference: FrameReference, pairs: PixelPairs, decode: Decode, *, clamp: bool = False
) -> FrameLoss | None:
    """Equation 7's sum over matches and channels for one frame's x0 (1, channels, h, w), None without matches.

    Pictures are from 0 to 1, clamped to that range with `clamp`. The frame before is a constant: its picture at the
    same step, without a graph.
    """
    if pairs.current.numel() == 0:
        return None
    leaf = x0.detach().requires_grad_()
    picture = decode(leaf, pairs.current_crop)
    against = _reference_picture(reference, pairs, decode)
    shown = (picture.clamp(0, 1), against.clamp(0, 1)) if clamp else (picture, against)
    terms = squared_differences(*shown, pairs)
    total = terms.sum()
    (gradient,) = torch.autograd.grad(total, leaf)
    return FrameLoss(float(total.detach()), terms.numel(), gradient, picture.detach())


def joint_losses(
    x0: Tensor,  # (frames, channels, h, w)
    reference: FrameReference,
    pairs: Sequence[PixelPairs],
    decode: Decode,
) -> list[FrameLoss | None]:
    """As `single_losses`, all frames decoded at once in the box that holds all of theirs.

    For a decoder whose values depend on their surroundings alone, so that a larger box changes nothing. Each frame's
    gradient is its own loss's, for the frame before it is a constant.
    """
    boxes = [own.current_crop.box for own in pairs if own.current_crop is not None]
    if not any(own.current.numel() for own in pairs):
        return [None] * len(pairs)
    leaf = x0.detach().requires_grad_()
    pictures = decode(leaf, Crop(reduce(CellBox.joined, boxes), "own") if boxes else None)
    shown = torch.split(pictures, 1)
    before = [_reference_picture(reference, pairs[0], decode), *(picture.detach() for picture in shown[:-1])]
    terms = [squared_differences(*both) for both in zip(shown, before, pairs, strict=True)]
    totals = torch.stack([own.sum() for own in terms])
    (gradients,) = torch.autograd.grad(totals.sum(), leaf)
    return [
        FrameLoss(float(total), own.numel(), gradient, picture.detach()) if own.numel() else None
        for total, own, gradient, picture in zip(totals.detach(), terms, torch.split(gradients, 1), shown, strict=True)
    ]


def _reference_picture(reference: FrameReference, pairs: PixelPairs, decode: Decode) -> Tensor:
    if reference.picture is not None:
        return reference.picture
    with torch.no_grad():
        return decode(reference.x0, pairs.reference_crop)


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


def guide_frame(step: Step, following: Tensor, loss: FrameLoss, gradient: Tensor, settings: GuidanceSettings) -> Tensor:
    """One frame's guided x_{t-1} (LatentMan, algorithm 1: DDIM's x_{t-1}, `following`, minus the step).

    `gradient` (1, channels, h, w) is that of `loss.total`, back to where `settings.through` says. omega is the mean,
    not the sum as printed, so that it does not grow with the number of pixels.
    """
    if settings.through == "decoder":
        gradient = gradient * step.alpha_bar ** (0.5 if settings.slope == "unit_variance" else -0.5)
    omega = loss.total / loss.terms
    return following - guidance_step(omega, gradient / loss.terms, step.alpha_bar, settings)
