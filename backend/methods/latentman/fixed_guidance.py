"""Pixel-wise guidance with steps of a fixed factor: equations 7 and 8 as printed, and as the published code has them.

The project's own steps (`guidance`, beside this) find their length themselves; here delta is given, and means something
only together with the loss's reduction, its value range and what the gradient runs through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from backend.contract.values import Canvas, Step
from backend.correspondence.types import Matches
from backend.loop.memory import GradientThrough
from backend.loop.method import FrameLoss, FrameReference
from backend.methods.latentman.losses import single_losses
from backend.methods.latentman.pixel_pairs import PixelPairs, segment_pairs
from backend.methods.latentman.step_decoder import Decode, GuideDecoder


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
    smooth: float = 0.0  # as in `AdaptiveGuidance`

    @property
    def decoder(self) -> GuideDecoder:
        """The autoencoder: the published rule knows no other."""
        return "full"

    def pairs(self, matches: Sequence[Matches], canvas: Canvas) -> tuple[PixelPairs, ...]:
        """The matched pixels of whole pictures."""
        return segment_pairs(matches, canvas, smooth=self.smooth)

    def losses(
        self, x0: Tensor, reference: FrameReference, pairs: Sequence[PixelPairs], decode: Decode
    ) -> Sequence[FrameLoss | None]:
        """One decode after the other."""
        return single_losses(x0, reference, pairs, decode, clamp=self.clamp)

    def guide(self, step: Step, following: Tensor, loss: FrameLoss, gradient: Tensor) -> Tensor:
        """x_{t-1} as algorithm 1 has it."""
        if self.through == "decoder":
            gradient = gradient * step.alpha_bar**0.5  # dx0/dx_t for latents of unit variance
        scale = self.value_range**2 / (loss.terms if self.reduction == "mean" else 1)
        return following - self.delta * scale * gradient
