"""Surface variance: how much one point of the body changes its colour over all the frames that see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backend.measure.metrics.followed import FollowedPoints
from backend.measure.metrics.pictures import checked_pictures
from shared.errors import InputError


@dataclass(frozen=True, slots=True)
class SurfaceVariance:
    """Variance on the scale 0..255 squared; `dataclasses.asdict` of it is JSON-able."""

    mean: float | None  # over points and channels; None = no point is seen twice
    points: int  # that are seen in two frames at least
    frames_seen: float | None  # by one of those points, on average


def surface_variance(images: ArrayLike, followed: FollowedPoints) -> SurfaceVariance:
    """The mean over surface points of their colour's variance over time.

    `images` (frames, H, W, 3) 0..255. The variance is the unbiased one, so that it does not grow with the number of
    frames: half of H_MSE where colours are independent from frame to frame, and no drift is too slow for it. Raises
    InputError if the frames do not fit the points.
    """
    pictures = checked_pictures(images)
    frames, height, width = pictures.shape[:3]
    if followed.pixel.shape[1] != frames or (followed.pixel.size and followed.pixel.max() >= height * width):
        raise InputError(
            "metrics.size",
            f"Pictures {pictures.shape} do not fit points followed through {followed.pixel.shape[1]} frames.",
        )
    points = len(followed.pixel)
    count = np.zeros(points)
    total, squares = np.zeros((points, 3)), np.zeros((points, 3))
    for picture, pixel in zip(pictures, followed.pixel.T, strict=True):
        seen = pixel >= 0
        colour = picture.reshape(-1, 3)[pixel[seen]].astype(np.float64)
        count[seen] += 1
        total[seen] += colour
        squares[seen] += colour**2
    often = count >= 2
    if not often.any():
        return SurfaceVariance(None, 0, None)
    count, total, squares = count[often], total[often], squares[often]
    variance = (squares - total**2 / count[:, None]) / (count - 1)[:, None]
    return SurfaceVariance(float(variance.mean()), int(count.size), float(count.mean()))
