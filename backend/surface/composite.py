"""The body put back into its picture: whole pixels replaced, those on the silhouette mixed by their coverage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from backend.surface.shot_surface import Seen

Floats = NDArray[np.float32]


def composite(seen: Seen, body: Floats, drawn: NDArray[np.bool_], background: Floats) -> Floats:
    """A picture (height, width, 3): the body's colours (n, 3) where they are `drawn` (n,), before the `background`.

    Behind a pixel that the body covers in part lies what the nearest pixel beside the body shows. A pixel without any
    coverage, or without colours, is the background's.
    """
    view = seen.view
    pixel, alpha, colour = view.pixel[drawn], view.alpha[drawn, None], body[drawn]
    flat = background.reshape(-1, 3)
    behind = flat[_nearest_outside(covered(seen, background.shape[:2])).reshape(-1)[pixel]]
    out = flat.copy()
    out[pixel] = alpha * colour + (1 - alpha) * behind
    return out.reshape(background.shape)


def covered(seen: Seen, size: tuple[int, ...]) -> NDArray[np.bool_]:
    """The pixels (height, width) that show the body, or a part of it."""
    mask = np.zeros(size[0] * size[1], bool)
    mask[seen.view.pixel] = True
    return mask.reshape(size)


def _nearest_outside(covered: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The flat index (height, width) of the nearest pixel that is not covered; a pixel's own where all are."""
    height, width = covered.shape
    if covered.all():
        return np.arange(height * width).reshape(height, width)
    row, column = distance_transform_edt(covered, return_distances=False, return_indices=True)
    return np.asarray(row * width + column, np.int64)
