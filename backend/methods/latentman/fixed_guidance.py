"""Pixel-wise guidance with steps of a fixed factor: equations 7 and 8 as printed, and as the published code has them.

The project's own steps (`guidance`, beside this) find their length themselves; here delta is given, and means something
only together with the loss's reduction, its value range and what the gradient runs through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from backend.contract.values import Step
from backend.loop.method import FrameLoss, GradientThrough


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
    through: GradientThrough = "controlnet"


def guide_frame_fixed(
    step: Step, following: Tensor, loss: FrameLoss, gradient: Tensor, settings: FixedGuidance
) -> Tensor:
    """One frame's guided x_{t-1}, `following` being DDIM's.

    `gradient` (1, channels, h, w) is that of `loss.total`, for pictures from 0 to 1, back to where `settings.through`
    says.
    """
    if settings.through == "decoder":
        gradient = gradient * step.alpha_bar**0.5  # dx0/dx_t for latents of unit variance
    scale = settings.value_range**2 / (loss.terms if settings.reduction == "mean" else 1)
    return following - settings.delta * scale * gradient
