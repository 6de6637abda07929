"""One texture for the whole body: what the frames so far agree on, as later segments and the lock take it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.surface.light import BASIS, brightness
from backend.surface.shot_surface import Seen

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """Colours without light, and how well they are known."""

    colour: Floats  # (K, 3) 0..1 or a little beyond
    low: Floats  # (K, 3) the same without detail
    quality: Floats  # (K,) of the best view so far; 0 = never seen
    weight: Floats  # (K,) of all views so far; 0 = not even a neighbour was seen, and there is no colour
    light: Floats  # (BASIS,)

    def drawn(self, seen: Seen) -> tuple[Floats, NDArray[np.bool_]]:
        """The lit texture (n, 3) at a frame's body pixels, and where there is any of it."""
        known = (self.weight > 0).astype(np.float32)
        reach = seen.read @ known
        colour = (seen.read @ (self.colour * known[:, None])) / np.maximum(reach, 1e-6)[:, None]
        return colour * brightness(self.light, seen.view.normal)[:, None], reach > 1e-3

    def arrays(self, prefix: str = "") -> dict[str, Tensor]:
        """The texture for the job's folder, in half precision; the light whole."""
        halves = {name: getattr(self, name).astype(np.float16) for name in ("colour", "low", "quality", "weight")}
        named = {**halves, "light": self.light}
        return {f"{prefix}{name}": torch.from_numpy(values.copy()) for name, values in named.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Tensor], prefix: str = "") -> Texture:
        """What `arrays` gave."""
        return cls(
            *(
                arrays[f"{prefix}{name}"].numpy().astype(np.float32)
                for name in ("colour", "low", "quality", "weight", "light")
            )
        )


def blended(before: Texture, after: Texture, share: float) -> Texture:
    """Some way from one texture to the next; what was not known before is the next one's."""
    known = before.weight > 0
    step = np.where(known, np.float32(share), np.float32(1))[:, None]
    return Texture(
        before.colour + step * (after.colour - before.colour),
        after.low,
        after.quality,
        after.weight,
        after.light,
    )


def light_of(before: Texture | None) -> Floats | None:
    """The light (8,) that earlier segments agreed on; None before any frame showed the body."""
    return None if before is None or not before.weight.any() else before.light


def no_light() -> Floats:
    """Light that is the same from all sides."""
    return np.zeros(BASIS, np.float32)
