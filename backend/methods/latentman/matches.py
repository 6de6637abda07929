"""The matches that LatentMan works with, at the two sizes that its parts need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.correspondence.types import Matches

# The paper matches pixels at 256 where pictures are 512 (section 3.5); smaller pictures are matched as they are.
_GUIDANCE_SIZE = 256


def guidance_size(height: int, width: int) -> tuple[int, int]:
    """The height and width, in pixels, at which guidance matches pictures of this size."""
    shrink = min(1.0, _GUIDANCE_SIZE / max(height, width))
    return round(height * shrink), round(width * shrink)


@dataclass(frozen=True, slots=True, eq=False)
class LatentManMatches:
    """Matches of consecutive frames: entry i - 1 joins frame i (current) with frame i - 1 (reference).

    `latent` are at the latents' size; `guidance` at any size up to the picture's. Either may be empty where its part
    is off. A segment's entries are read once, in order, when it is prepared, so that they may be made on reading.
    """

    latent: Sequence[Matches]
    guidance: Sequence[Matches]
