"""Pictures as the metrics want them: float, 0 to 255."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared.errors import InputError

# The paper compares at this size; the assignment's cost grows faster than the number of pixels.
REDUCED_SIDE = 256


def checked_pictures(images: ArrayLike) -> NDArray[np.float32]:
    """`images` (frames, height, width, 3), 0..255, as float32. Raises InputError for other shapes and values.

    Never computed on in uint8: squares of 8-bit differences wrap, and look small.
    """
    array = np.asarray(images)
    if array.ndim != 4 or array.shape[-1] != 3 or not array.size:
        raise InputError(
            "metrics.shape",
            f"Pictures of shape {array.shape} cannot be measured; (frames, height, width, 3) is needed.",
        )
    array = array.astype(np.float32)
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 255:
        raise InputError("metrics.range", "Pictures to be measured must hold values from 0 to 255.")
    return array


def reduced_size(height: int, width: int) -> tuple[int, int]:
    """The largest size of at most `REDUCED_SIDE` whose pixels are whole blocks of the picture's."""
    factor = max(1, -(-max(height, width) // REDUCED_SIDE))
    while height % factor or width % factor:
        factor += 1
    return height // factor, width // factor


def shrink_pictures(images: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Block means of (frames, H, W, 3) at a size that divides H and W. Raises InputError if it does not."""
    frames, full_height, full_width, channels = images.shape
    if height < 1 or width < 1 or full_height % height or full_width % width:
        raise InputError(
            "metrics.size",
            f"Pictures of {full_width}x{full_height} cannot be compared at {width}x{height}; "
            "the size must divide theirs.",
        )
    blocks = images.reshape(frames, height, full_height // height, width, full_width // width, channels)
    return np.asarray(blocks.mean(axis=(2, 4)), np.float32)
