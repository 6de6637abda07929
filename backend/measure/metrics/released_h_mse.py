"""The figure that LatentMan's published code computes under the name of H_MSE: unwrapped textures in 8 bits.

It is kept apart from `h_mse` (equation 9) because it is another quantity: 8-bit differences and squares wrap at 256,
so that it saturates near 105 and can fall where the true difference grows. Use it to compare with printed values only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import QhullError

from backend.correspondence.pairs import frame_iuv
from backend.correspondence.types import IUV, LAST_PART
from backend.measure.metrics.pictures import checked_pictures, shrink_pictures
from backend.passes.shot_passes import ShotPasses
from shared.errors import InputError

PICTURE_SIDE = 256
# The published code looks a pixel's place up in a table of SMPL's own texture map, which cannot be shipped. Here each
# part has a tile of its own in a texture of the same size.
TILES_A_ROW = 5
TILE = 256 // TILES_A_ROW


def released_h_mse(images: ArrayLike, passes: ShotPasses) -> float | None:
    """The published code's figure: textures of all frames, each compared with the one before, the first with the last.

    `images` (frames, H, W, 3) 0..255 in the order of the shot's frames; pictures above 256 pixels are reduced to
    that. None if no texel is seen in two compared frames. Raises InputError if the frames do not fit the shot.
    """
    pictures = checked_pictures(images)
    frames = len(passes.positions)
    if len(pictures) != frames:
        raise InputError("metrics.count", f"The shot has {frames} frames, but {len(pictures)} are given.")
    factor = max(1, max(pictures.shape[1:3]) // PICTURE_SIDE)
    small = shrink_pictures(pictures, pictures.shape[1] // factor, pictures.shape[2] // factor)
    height, width = small.shape[1:3]
    return wrapped_mse(
        np.stack([unwrap(picture, frame_iuv(passes, k, height, width)) for k, picture in enumerate(small)])
    )


def unwrap(picture: NDArray[np.float32], labels: IUV) -> NDArray[np.uint8]:
    """One frame (H, W, 3) as a texture, a tile a part, linear between the pixels seen; 0 where nothing is."""
    side = TILES_A_ROW * TILE
    texture = np.zeros((side, side, 3), np.uint8)
    across, down = np.meshgrid(np.arange(TILE), np.arange(TILE))
    for part in range(1, LAST_PART + 1):
        shown = labels.part == part
        row, column = divmod(part - 1, TILES_A_ROW)
        try:
            fill = LinearNDInterpolator(labels.uv[shown] * (TILE - 1.0), picture[shown], fill_value=0.0)
        except (QhullError, ValueError):  # fewer than three pixels, or all in one line, span no triangle
            continue
        tile = texture[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
        tile[:] = fill(across, down).clip(0, 255).astype(np.uint8)
    return texture


def wrapped_mse(textures: NDArray[np.uint8]) -> float | None:
    """Mean of ((a - b)^2 mod 256) over the values that are not zero in a frame and in the one before it.

    `textures` (frames, H, W, 3). "Before" wraps round: the first frame is compared with the last.
    """
    before = np.roll(textures, 1, axis=0)
    wrapped = np.square(textures - before)  # both steps modulo 256, as numpy has 8-bit integers
    counted = (textures > 0) & (before > 0)
    return float(wrapped[counted].mean()) if counted.any() else None
