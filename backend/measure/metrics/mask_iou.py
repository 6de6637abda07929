"""Whether the drawn figure stands where the body was rendered: the overlap of the two outlines."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.measure.metrics.figure_mask import figure_mask
from backend.measure.metrics.pictures import checked_pictures, reduced_size, shrink_pictures
from backend.measure.metrics.scores import Score, score
from shared.errors import InputError

FRAMES = 16  # of a clip that are looked at, at even distances: a frame takes a quarter of a second


def mask_iou(images: ArrayLike, part: NDArray[np.uint8]) -> Score:
    """Intersection over union of the figure that a picture shows and the rendered body, frame by frame.

    `images` (frames, H, W, 3) 0..255, `part` (frames, H, W) the passes' labels. At most `FRAMES` frames are looked at,
    the others are None, as is one in which the two cannot be told apart. Pictures above 256 pixels are reduced. The
    figure is found by `figure_mask`, which looks for it in a band around the body: see docs/metrics.md for its error.
    Hats, hair and skirts are no part of the rendered body, so a figure that wears them stays below 1. Raises InputError
    if the two do not fit together.
    """
    pictures = checked_pictures(images)
    if part.shape != pictures.shape[:3]:
        raise InputError(
            "metrics.size", f"Pictures {pictures.shape} cannot be measured with labels of shape {part.shape}."
        )
    height, width = reduced_size(*part.shape[1:])
    values: list[float | None] = [None] * len(pictures)
    for frame in sorted({int(k) for k in np.linspace(0, len(pictures) - 1, min(FRAMES, len(pictures))).round()}):
        small = shrink_pictures(pictures[frame][None], height, width)[0]
        body = part[frame].reshape(height, part.shape[1] // height, width, part.shape[2] // width) > 0
        values[frame] = _overlap(small, np.asarray(body.mean(axis=(1, 3)) >= 0.5))
    return score(values)


def _overlap(picture: NDArray[np.float32], body: NDArray[np.bool_]) -> float | None:
    figure = figure_mask(picture, body)
    if figure is None:
        return None
    return float(np.count_nonzero(figure & body) / np.count_nonzero(figure | body))
