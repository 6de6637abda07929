"""Latents to pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.loop.method import Crop, GuideDecoder
from backend.methods.latentman.crop_decode import GroupStatistics, decode_crop, measure_statistics
from backend.models.sd15.components import Components
from backend.models.sd15.tiny_decoder import decode_tiny
from shared.errors import JobError


def decode_picture(components: Components, latents: Tensor) -> Tensor:
    """Decode latents (n, channels, h, w) to pictures (n, 3, height, width) in the sampler's precision.

    0 is black and 1 white; values are not clamped, and the gradient runs through.
    """
    unscaled = latents / components.scaling_factor + components.shift_factor
    decoded: Tensor = components.vae.decode(components.to_model(unscaled)).sample
    return decoded.to(components.state_dtype) / 2 + 0.5


@dataclass(frozen=True, slots=True, eq=False)
class StepDecoder:
    """What decodes for a method's hooks at one step."""

    components: Components
    first_x0: Tensor | None  # (1, channels, h, w) frame 0's at this step, None if the method has no use for it
    _measured: list[GroupStatistics] = field(default_factory=list)  # frame 0's, once asked for

    def __call__(self, latents: Tensor, crop: Crop | None = None, decoder: GuideDecoder = "full") -> Tensor:
        """Decode latents, all of them or a crop; see `Decode`."""
        if decoder == "tiny":
            return decode_tiny(self.components, latents, None if crop is None else crop.box)
        if crop is None:
            return decode_picture(self.components, latents)
        return decode_crop(self.components, latents, crop.box, self._first() if crop.statistics == "first" else None)

    def _first(self) -> GroupStatistics:
        if not self._measured:
            if self.first_x0 is None:
                raise RuntimeError("a method that decodes by frame 0's statistics must declare that it needs `anchor`")
            self._measured.append(measure_statistics(self.components, self.first_x0))
        return self._measured[0]


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
