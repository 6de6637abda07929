"""Latents to colours without the decoder: a linear map for each model, fitted to what its own decoder does.

A preview of a step must cost next to nothing, and a decoder costs as much as a step. Colours are nearly linear in the
latents of Stable Diffusion's autoencoders; the map is found once a model from a small chart of colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from backend.models.sd15.components import Components
from backend.models.sd15.decode import decode_picture

# The chart: every combination of these levels of red, green and blue, on patches of this many latent cells.
LEVELS = (0.0, 0.35, 0.65, 1.0)
PATCH_CELLS = 2
_ROW_PATCHES = 8


@dataclass(frozen=True, slots=True, eq=False)
class LatentColours:
    """RGB = latents x `weights` + `bias`, for each latent cell; 0 is black and 1 white."""

    weights: Tensor  # (channels, 3) float32 on the CPU
    bias: Tensor  # (3,)

    def __call__(self, latents: Tensor) -> Tensor:
        """Latents (channels, h, w) on any device, as the UNet has them, to colours (3, h, w) in 0..1 on the CPU."""
        values = latents.detach().to("cpu", torch.float32)
        colours = torch.einsum("chw,cr->rhw", values, self.weights) + self.bias[:, None, None]
        return colours.clamp(0, 1)


@torch.no_grad()
def fit_colours(components: Components) -> LatentColours:
    """Least squares between a colour chart's latents and the mean colours that the decoder makes of each cell."""
    picture = components.to_model(_chart(components.latent_factor))
    moments = components.vae.encode(picture * 2 - 1).latent_dist.mode().to(components.state_dtype)
    latents = (moments - components.shift_factor) * components.scaling_factor
    decoded = functional.avg_pool2d(decode_picture(components, latents), components.latent_factor)
    known = latents[0].flatten(1).T.double().cpu()
    known = torch.cat([known, torch.ones(len(known), 1, dtype=known.dtype)], dim=1)
    wanted = decoded[0].flatten(1).T.double().cpu()
    # The pseudo-inverse also takes latents whose channels depend on each other.
    solution = (torch.linalg.pinv(known, rtol=1e-6) @ wanted).float()
    return LatentColours(solution[:-1], solution[-1])


def _chart(factor: int) -> Tensor:
    """The colour chart (1, 3, height, width); 0 is black and 1 white."""
    levels = torch.tensor(LEVELS)
    colours = torch.cartesian_prod(levels, levels, levels).T.reshape(1, 3, -1, _ROW_PATCHES)
    return functional.interpolate(colours, scale_factor=float(PATCH_CELLS * factor), mode="nearest")
