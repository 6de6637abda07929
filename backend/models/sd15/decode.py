"""Latents to pictures, and back."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.loop.pictures import check_finite, grey_levels
from backend.models.sd15.components import Components


def decode_picture(components: Components, latents: Tensor) -> Tensor:
    """Decode latents (n, channels, h, w) to pictures (n, 3, height, width) in the sampler's precision.

    0 is black and 1 white; values are not clamped, and the gradient runs through.
    """
    unscaled = latents / components.scaling_factor + components.shift_factor
    decoded: Tensor = components.vae.decode(components.to_model(unscaled)).sample
    return decoded.to(components.state_dtype) / 2 + 0.5


@torch.no_grad()
def encode_picture(components: Components, pictures: Tensor) -> Tensor:
    """Encode pictures (n, 3, height, width), 0 black and 1 white, to latents (n, channels, h, w), the distribution's
    mean, in the sampler's precision."""
    moments = components.vae.encode(components.to_model(pictures * 2 - 1)).latent_dist.mode()
    latents: Tensor = (moments.to(components.state_dtype) - components.shift_factor) * components.scaling_factor
    return latents


@torch.no_grad()
def decode_frames(components: Components, latents: Tensor) -> NDArray[np.uint8]:
    """Decode latents (frames, channels, h, w), one frame at a time, to pictures (frames, height, width, 3).

    Raises JobError if a picture is not finite.
    """
    frames = []
    for index in range(latents.shape[0]):
        picture = decode_picture(components, latents[index : index + 1].to(components.device))[0]
        check_finite(picture, index)
        frames.append(grey_levels(picture))
    return np.stack(frames)
