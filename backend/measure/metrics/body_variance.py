"""How much the body's colours differ inside one frame: what a squared difference between frames is measured by."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.measure.metrics.pictures import checked_pictures
from backend.measure.metrics.scores import Score, score
from shared.errors import InputError


def body_variance(images: ArrayLike, part: NDArray[np.uint8]) -> Score:
    """The variance of the body's colours, frame by frame, averaged over the channels.

    `images` (frames, H, W, 3) 0..255, `part` (frames, H, W) the passes' labels. Two places of one frame, drawn at
    random, differ by twice this on average (mean squared): H_MSE divided by it is 2 where a method keeps nothing in
    place, whatever the picture's contrast. Raises InputError if the two do not fit together.
    """
    pictures = checked_pictures(images)
    if part.shape != pictures.shape[:3]:
        raise InputError(
            "metrics.size", f"Pictures {pictures.shape} cannot be measured with labels of shape {part.shape}."
        )
    bodies = (picture[labels > 0].astype(np.float64) for picture, labels in zip(pictures, part, strict=True))
    return score(float(body.var(axis=0).mean()) if len(body) else None for body in bodies)
