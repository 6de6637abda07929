"""The body put back into its picture: whole pixels replaced, those on the silhouette mixed by their coverage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from backend.surface.shot_surface import Seen

Floats = NDArray[np.float32]


def composite(seen: Seen, body: Floats, drawn: NDArray[np.bool_], picture: Floats, behind: Floats | None) -> Floats:
    """A picture (height, width, 3) with the body's colours (n, 3) where they are `drawn` (n,).

    `behind` (height, width, 3) is what lies behind the body; None takes the nearest pixel beside it. A pixel without
    any coverage stays as it is.
    """
    view = seen.view
    height, width = picture.shape[:2]
    pixel, alpha, colour = view.pixel[drawn], view.alpha[drawn, None], body[drawn]
    background = (picture if behind is None else behind).reshape(-1, 3)
    if behind is None:
        covered = np.zeros(height * width, bool)
        covered[view.pixel] = True
        background = background[_nearest_outside(covered.reshape(height, width)).reshape(-1)[pixel]]
    else:
        background = background[pixel]
    out = picture.reshape(-1, 3).copy()
    out[pixel] = alpha * colour + (1 - alpha) * background
    return out.reshape(picture.shape)


def outside_distance_px(seen: Seen, height: int, width: int) -> Floats:
    """How far each pixel (height, width) lies from the nearest that shows the body, in pixels; 0 on it."""
    free = np.ones(height * width, bool)
    free[seen.view.pixel] = False
    if free.all():
        return np.full((height, width), np.hypot(height, width), np.float32)
    return np.asarray(distance_transform_edt(free.reshape(height, width)), np.float32)


def _nearest_outside(covered: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The flat index (height, width) of the nearest pixel that is not covered; a pixel's own where all are."""
    height, width = covered.shape
    if covered.all():
        return np.arange(height * width).reshape(height, width)
    row, column = distance_transform_edt(covered, return_distances=False, return_indices=True)
    return np.asarray(row, np.int64) * width + column
