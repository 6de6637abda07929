"""Pixel-wise guidance: push a frame's latents to where its picture agrees with the frame before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

import torch
from torch import Tensor

from backend.contract.values import Canvas, Step
from backend.correspondence.types import Matches
from backend.loop.memory import GradientThrough
from backend.loop.method import FrameLoss, FrameReference
from backend.methods.latentman.losses import joint_losses, single_losses
from backend.methods.latentman.pixel_pairs import PixelPairs, segment_pairs
from backend.methods.latentman.step_decoder import Decode, GuideDecoder

DecodeExtent = Literal["whole", "body", "body_first"]
"""What guidance decodes: whole pictures; the body's box; the box, by the group norm statistics of frame 0."""


class GuidanceRule(Protocol):
    """How frames are judged and how far they step: the project's own way, or the published ones."""

    @property
    def through(self) -> GradientThrough:
        """What the gradient of the loss runs through."""
        ...

    @property
    def decoder(self) -> GuideDecoder:
        """What decodes for the loss. The tiny decoder's graphs of a batch are alive at once, the full one's are not."""
        ...

    def pairs(self, matches: Sequence[Matches], canvas: Canvas) -> tuple[PixelPairs, ...]:
        """The matched pixels of consecutive frames, with the crops to be decoded."""
        ...

    def losses(
        self, x0: Tensor, reference: FrameReference, pairs: Sequence[PixelPairs], decode: Decode
    ) -> Sequence[FrameLoss | None]:
        """Equation 7 of consecutive frames x0 (n, channels, h, w), the first of them against `reference`."""
        ...

    def guide(self, step: Step, following: Tensor, loss: FrameLoss, gradient: Tensor) -> Tensor:
        """One frame's guided x_{t-1} (1, channels, h, w), `following` being DDIM's.

        `gradient` is that of `loss.total`, for pictures from 0 to 1, back to where `through` says.
        """
        ...


@dataclass(frozen=True, slots=True)
class AdaptiveGuidance:
    """How pixel-wise guidance steps.

    `strength` scales the step of `guidance_step`; 0 leaves the latents alone. `limit` is the largest step, as RMS
    over the guided cells in units of the noise level sqrt(1 - alpha_bar).

    `through` is what the gradient runs through: "unet" is the gradient with respect to x_t of the paper, with the
    ControlNet's residuals as constants, as in the released code; "controlnet" includes them; "decoder" ends at x0 and
    saves the UNet's backward pass: there sqrt(alpha_bar) is taken for dx0/dx_t, exact for latents of unit variance.

    `decode` is how much of a picture is decoded: "whole"; "body", the box that the matches touch, whose pixels are
    the whole decode's, up to rounding, and whose gradient lacks what runs through the group norms' statistics;
    "body_first", which takes the statistics from frame 0 at the same step, so that its pixels are close to the whole
    decode's, and no frame is decoded whole. Where the box is most of the picture, "whole" is quicker.

    `decoder` "tiny" takes the small decoder that follows the autoencoder's, which only steers: frames are decoded by
    the autoencoder. It always decodes only the box, which is exact for this decoder, gradient included.

    `smooth` averages differences over so many of the matches' pixels (a standard deviation) before they are squared.
    """

    strength: float = 1.0
    limit: float = 0.1
    through: GradientThrough = "unet"
    decode: DecodeExtent = "whole"
    decoder: GuideDecoder = "full"
    smooth: float = 0.0

    def pairs(self, matches: Sequence[Matches], canvas: Canvas) -> tuple[PixelPairs, ...]:
        """The matched pixels, with crops unless whole pictures are decoded by the autoencoder."""
        if self.decode == "whole" and self.decoder == "full":
            return segment_pairs(matches, canvas, smooth=self.smooth)
        return segment_pairs(matches, canvas, "own" if self.decode == "body" else "first", self.smooth)

    def losses(
        self, x0: Tensor, reference: FrameReference, pairs: Sequence[PixelPairs], decode: Decode
    ) -> Sequence[FrameLoss | None]:
        """One decode after the other, or all at once by the tiny decoder."""
        if self.decoder == "tiny":
            return joint_losses(x0, reference, pairs, partial(decode, decoder="tiny"))
        return single_losses(x0, reference, pairs, decode)

    def guide(self, step: Step, following: Tensor, loss: FrameLoss, gradient: Tensor) -> Tensor:
        """DDIM's x_{t-1} minus the step (LatentMan, algorithm 1).

        omega is the mean, not the sum as printed, so that it does not grow with the number of pixels.
        """
        if self.through == "decoder":
            gradient = gradient * step.alpha_bar**0.5  # dx0/dx_t for latents of unit variance
        omega = loss.total / loss.terms
        return following - guidance_step(omega, gradient / loss.terms, step.alpha_bar, self)


def guidance_step(loss: float, gradient: Tensor, alpha_bar: float, settings: AdaptiveGuidance) -> Tensor:
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
