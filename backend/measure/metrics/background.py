"""Background stability: how much changes behind the body while the camera stands still."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_dilation

from backend.measure.metrics.pictures import checked_pictures
from backend.measure.metrics.scores import Score, score
from backend.passes.shot_passes import ShotPasses
from shared.errors import InputError

# The autoencoder mixes body and background this far from the silhouette, and clothes stand out from the body.
MARGIN_PX = 4


def background_change(images: ArrayLike, passes: ShotPasses) -> Score | None:
    """Mean squared difference of consecutive frames where both show background, 0..255 squared; None = moving camera.

    `images` (frames, H, W, 3) 0..255, of the passes' size. Pixels within `MARGIN_PX` of the body in either frame do
    not count. The passes know no geometry behind the body, so a moving camera leaves nothing to compare. Raises
    InputError if the frames do not fit the shot.
    """
    pictures = checked_pictures(images)
    expected = (len(passes.positions), *passes.size)
    if pictures.shape[:3] != expected:
        raise InputError("metrics.size", f"Pictures {pictures.shape} do not fit passes of {expected}.")
    if not passes.shot.camera.stands_still():
        return None
    near = [_around_body(passes, frame) for frame in passes.positions]
    values: list[float | None] = []
    for k in range(1, len(pictures)):
        shown = ~(near[k] | near[k - 1])
        change = pictures[k][shown].astype(np.float64) - pictures[k - 1][shown]
        values.append(float((change**2).mean()) if shown.any() else None)
    return score(values)


def _around_body(passes: ShotPasses, frame: int) -> NDArray[np.bool_]:
    body = passes.frame(frame).part > 0
    return np.asarray(binary_dilation(body, np.ones((3, 3)), iterations=MARGIN_PX))
