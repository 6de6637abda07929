"""What a method is built from: the job's settings, and matches where it needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.correspondence.types import Matches
from shared.jobs.job import LatentManSettings

# The paper matches pixels at 256 where pictures are 512 (section 3.5); smaller pictures are matched as they are.
_GUIDANCE_SIZE = 256


def guidance_size(height: int, width: int) -> tuple[int, int]:
    """The height and width, in pixels, at which guidance matches pictures of this size."""
    shrink = min(1.0, _GUIDANCE_SIZE / max(height, width))
    return round(height * shrink), round(width * shrink)


@dataclass(frozen=True, slots=True, eq=False)
class LatentManMatches:
    """Matches of consecutive frames: entry i - 1 joins frame i (current) with frame i - 1 (reference).

    `latent` are at the latents' size; `guidance` at any size up to the picture's, and may be empty where guidance is
    off. Only the entries of the segment at hand are read, so later ones may come later.
    """

    latent: Sequence[Matches]
    guidance: Sequence[Matches]


@dataclass(frozen=True, slots=True, eq=False)
class MethodInputs:
    """The data of one job that some method may need. `part` is the passes' body parts, 0 where there is background."""

    settings: LatentManSettings = LatentManSettings()
    matches: LatentManMatches | None = None
    part: NDArray[np.uint8] | None = None  # (the shot's frames, height, width)
