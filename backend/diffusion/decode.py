"""Latents to pictures."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.diffusion.components import Components
from shared.errors import JobError


def decode_picture(components: Components, latents: Tensor) -> Tensor:
    """Decode latents (n, channels, h, w) to pictures (n, 3, height, width) in the sampler's precision.

    0 is black and 1 white; values are not clamped, and the gradient runs through.
    """
    unscaled = latents / components.scaling_factor + components.shift_factor
    decoded: Tensor = components.vae.decode(components.to_model(unscaled)).sample
    return decoded.to(components.state_dtype) / 2 + 0.5


@torch.no_grad()
def decode_frames(components: Components, latents: Tensor) -> NDArray[np.uint8]:
    """Decode latents (frames, channels, h, w), one frame at a time, to pictures (frames, height, width, 3).

    Raises JobError if a picture is not finite (half precision can overflow in some autoencoders).
    """
    frames = []
    for index in range(latents.shape[0]):
        picture = decode_picture(components, latents[index : index + 1].to(components.device))[0]
        if not torch.isfinite(picture).all():
            raise JobError(
                "model.not_finite",
                f"The model gave values that are not finite in frame {index} of the segment.",
                "Run it in float32.",
            )
        levels = (picture.clamp(0, 1) * 255).round().to(torch.uint8)
        frames.append(levels.permute(1, 2, 0).cpu().numpy())
    return np.stack(frames)
