"""Labels at a smaller size. Never filtered: a mean of two labels or of two chart positions names a third place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared.errors import PassesError

from .types import IUV


def downsample_iuv(
    part: NDArray[np.uint8], uv: NDArray[np.float32], factor: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Every `factor`-th sample of `part` (H, W) and `uv` (H, W, 2), the top-left one of each block.

    Raises PassesError if `factor` does not divide both sides.
    """
    height, width = part.shape
    if factor < 1 or height % factor or width % factor:
        raise PassesError(
            "correspondence.factor", f"Passes of {width}x{height} cannot be made smaller by the factor {factor}."
        )
    small = resize_iuv(IUV(part, uv), height // factor, width // factor)
    return small.part, small.uv


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
