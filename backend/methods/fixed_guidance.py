"""Pixel-wise guidance with steps of a fixed factor: equations 7 and 8 as printed, and as the published code has them.

The project's own steps (`backend.diffusion.guidance`) find their length themselves; here delta is given, and means
something only together with the loss's reduction, its value range and what the gradient runs through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from backend.diffusion.guidance import PixelPairs, squared_differences
from backend.diffusion.method import Decode, FrameReference, FrameSample, GradientThrough, Guided
from backend.diffusion.values import Step
from backend.methods.unconditional import unconditional_gradient


@dataclass(frozen=True, slots=True)
class FixedGuidance:
    """x_{t-1} = DDIM(x_t) - delta grad omega (LatentMan, algorithm 1).

    omega is the `reduction` over matches and channels of equation 7's squared differences of pictures from 0 to
    `value_range`, clamped to that range first if `clamp` is set. `through` is as in `LatentManSettings.guide_through`.
    """

    delta: float = 0.01
    reduction: Literal["sum", "mean"] = "sum"
    value_range: float = 2.0
    clamp: bool = False
    through: GradientThrough | Literal["unconditional"] = "controlnet"

    @property
    def graph(self) -> GradientThrough:
        """The graph that the loop must keep for it."""
        return "unet" if self.through == "unconditional" else self.through


def guide_frame_fixed(
    step: Step,
    sample: FrameSample,
    reference: FrameReference,
    pairs: PixelPairs,
    decode: Decode,
    settings: FixedGuidance,
) -> Guided:
    """One frame's guided x_{t-1}. The frame before it is a constant: its picture at the same step, without a graph."""
    ends_at_x0 = settings.through == "decoder"
    x0 = sample.x0.detach().requires_grad_() if ends_at_x0 else sample.x0
    picture = decode(x0)
    if pairs.current.numel() == 0:
        return Guided(sample.next, picture.detach())
    against = reference.picture
    if against is None:
        with torch.no_grad():
            against = decode(reference.x0)
    terms = squared_differences(_levels(picture, settings), _levels(against, settings), pairs)
    total = terms.sum()
    if settings.through == "unconditional":
        gradient = unconditional_gradient(total, sample.latents)
    elif ends_at_x0:
        gradient = torch.autograd.grad(total, x0)[0] * step.alpha_bar**0.5  # dx0/dx_t for latents of unit variance
    else:
        (gradient,) = torch.autograd.grad(total, sample.latents)
    # The picture is differentiated as 0 to 1 and the sum as a sum, so that nothing underflows in half precision.
    scale = settings.value_range**2 / (terms.numel() if settings.reduction == "mean" else 1)
    return Guided(sample.next - settings.delta * scale * gradient, picture.detach())


def _levels(picture: Tensor, settings: FixedGuidance) -> Tensor:
    return picture.clamp(0, 1) if settings.clamp else picture
