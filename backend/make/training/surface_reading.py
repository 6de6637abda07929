"""What the UNet has to say of the figure's surface while it trains: it learns where arms and skirts are, then paints.

The colour of a cell teaches little of which limb it shows, least of all at high noise. So a head on the UNet's decoder
also names it: body part or piece of clothing, and the point of the T-posed figure. The head is thrown away
after the training. (Lee et al., "Deeply-Supervised Nets", 2015; Yu et al., "Representation Alignment for Generation",
2025.)
"""

from __future__ import annotations

from diffusers import UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional

from backend.make.training.renders.render import SURFACE_LABELS

READ_FROM = 2  # index of the up block: the first at the latent's full size
REST_SCALE = 4.0  # of the squared metres, to be as large as the cross-entropy


class SurfaceHead(nn.Module):
    """Names of the surface, and its rest position, from features of the UNet."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        block = unet.up_blocks[READ_FROM]
        width = block.resnets[-1].out_channels
        self.norm = nn.GroupNorm(8, width)
        self.read = nn.Conv2d(width, SURFACE_LABELS + 3, 1)
        self._features: Tensor | None = None
        block.register_forward_hook(self._keep)

    def _keep(self, block: nn.Module, arguments: object, output: Tensor) -> None:
        self._features = output

    def forward(self) -> tuple[Tensor, Tensor]:
        """Logits (n, SURFACE_LABELS, h, w) and metres (n, 3, h, w) of the UNet's last evaluation."""
        if self._features is None:
            raise RuntimeError("evaluate the UNet first")
        read = self.read(functional.silu(self.norm(self._features)))
        self._features = None
        return read[:, :SURFACE_LABELS], read[:, SURFACE_LABELS:]


def surface_loss(
    head: SurfaceHead,
    label: Tensor,  # (n, h, w) 0..SURFACE_LABELS-1
    rest: Tensor,  # (n, 3, h, w) metres
    weight: Tensor,  # (n, h, w) of a cell, mean 1
) -> Tensor:
    """Cross-entropy of the names, and the squared distance on the figure, per sample (n,)."""
    logits, place = (part.float() for part in head())
    named = functional.cross_entropy(logits, label, reduction="none")
    missed = (place - rest).square().sum(1) * (label > 0)
    total: Tensor = (weight * (named + REST_SCALE * missed)).mean((1, 2))
    return total
