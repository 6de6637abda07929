"""Labels at a smaller size. Never filtered: a mean of two labels or of two chart positions names a third place."""

from __future__ import annotations

import numpy as np

from backend.correspondence.types import IUV
from shared.errors import PassesError


def resize_iuv(frame: IUV, height: int, width: int) -> IUV:
    """The nearest-neighbour resize of LatentMan's code: sample `floor(i * scale)`, the top-left one.

    Raises PassesError for an empty size or one larger than the frame.
    """
    full_height, full_width = frame.part.shape
    if not (1 <= height <= full_height and 1 <= width <= full_width):
        raise PassesError(
            "correspondence.size",
            f"Matches at {width}x{height} need passes of at least that size, not {full_width}x{full_height}.",
        )
    rows = np.arange(height) * full_height // height
    columns = np.arange(width) * full_width // width
    return IUV(frame.part[rows[:, None], columns], frame.uv[rows[:, None], columns])
