"""What guidance looks at a step's frames through: the autoencoder whole, a crop of it, or the tiny decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor

from backend.loop.method import StepTools
from backend.methods.latentman.cell_box import Crop
from backend.methods.latentman.crop_decode import GroupStatistics, decode_crop, measure_statistics
from backend.methods.latentman.tiny_decode import decode_tiny
from backend.models.sd15.components import Components
from backend.models.sd15.model import StableDiffusion
from shared.errors import ModelError

GuideDecoder = Literal["full", "tiny"]
"""What decodes for guidance: the model's autoencoder, or the small one that follows it."""


class Decode(Protocol):
    """Latents to pictures at one step."""

    def __call__(self, latents: Tensor, crop: Crop | None = None, decoder: GuideDecoder = "full") -> Tensor:
        """Latents (n, channels, h, w) -> pictures (n, 3, height, width), differentiable, not clamped.

        0 is black, 1 white. With a crop the pictures are 0 outside it, and n is 1; the tiny decoder has no norms, so
        that it takes of a crop only the box, and any n.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class StepDecoder:
    """Implements `Decode` for one step. Raises CancelledError where the caller wants no more, ModelError for a crop or
    the tiny decoder of a model that is not Stable Diffusion's."""

    tools: StepTools

    def __call__(self, latents: Tensor, crop: Crop | None = None, decoder: GuideDecoder = "full") -> Tensor:
        """Decode latents, all of them or a crop; see `Decode`."""
        if decoder == "full" and crop is None:
            return self.tools.decode(latents)
        self.tools.check_cancelled()
        components = self._components()
        if decoder == "tiny":
            return decode_tiny(components, latents, None if crop is None else crop.box)
        if crop is None:
            raise ValueError(f"there is no decoder {decoder!r}")
        return decode_crop(components, latents, crop.box, self._first() if crop.statistics == "first" else None)

    def _first(self) -> GroupStatistics:
        """Frame 0's statistics, measured once a step."""
        first = self.tools.first_x0
        if first is None:
            raise RuntimeError("a method that decodes by frame 0's statistics must declare that it needs frame 0")
        components = self._components()
        return self.tools.once(GroupStatistics, lambda: measure_statistics(components, first))

    def _components(self) -> Components:
        model = self.tools.model
        if not isinstance(model, StableDiffusion):
            raise ModelError(
                "model.decoder",
                "Only Stable Diffusion's autoencoder can decode part of a picture.",
                "Set the guidance to decode whole pictures with the full decoder.",
            )
        return model.components
