"""Warp error (Lai et al., 2018, equation 8) on the body, with exact flow instead of an estimate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.measure.metrics.followed import BackwardFlow
from backend.measure.metrics.pictures import checked_pictures
from backend.measure.metrics.scores import Score, score
from shared.errors import InputError


def warp_error(images: ArrayLike, part: NDArray[np.uint8], flows: Sequence[BackwardFlow]) -> Score:
    """Mean squared difference between each frame and the frame before it, warped to it; 0..255 squared.

    `images` (frames, H, W, 3) 0..255, `part` (frames, H, W) the passes' labels, `flows[k]` from frame k + 1 to frame
    k. The frame before is sampled bilinearly, and only where all four pixels show the body: unlike H_MSE this has no
    rounding to whole pixels in it, and every body pixel counts that was seen before, not the one-to-one pairs alone.
    Raises InputError if the frames do not fit together.
    """
    pictures = pictures_to_warp(images, part, flows)
    values: list[float | None] = []
    for k, flow in enumerate(flows):
        warped, whole = sampled_on_body(pictures[k], part[k] > 0, flow.position)
        here = pictures[k + 1].reshape(-1, 3)[flow.pixel[whole]].astype(np.float64)
        values.append(float(((here - warped) ** 2).mean()) if whole.any() else None)
    return score(values)


def pictures_to_warp(images: ArrayLike, part: NDArray[np.uint8], flows: Sequence[BackwardFlow]) -> NDArray[np.float32]:
    """A clip's pictures (frames, H, W, 3), checked against its labels and flows. Raises InputError."""
    pictures = checked_pictures(images)
    if part.shape != pictures.shape[:3] or len(flows) != max(len(pictures) - 1, 0):
        raise InputError(
            "metrics.size",
            f"Pictures {pictures.shape} cannot be warped with {len(flows)} flows and labels of shape {part.shape}.",
        )
    return pictures


def sampled_on_body(
    picture: NDArray[np.float32], body: NDArray[np.bool_], position: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Colours at positions (n, 2), and which positions have four body pixels around them; colours of those alone."""
    height, width = body.shape
    corner = np.floor(position - 0.5).astype(np.int64)
    share = position - 0.5 - corner
    inside = ((corner >= 0) & (corner + 1 < (width, height))).all(axis=1)
    column, row = np.where(inside[:, None], corner, 0).T
    taps = [(row, column), (row, column + 1), (row + 1, column), (row + 1, column + 1)]
    whole = inside & np.logical_and.reduce([body[np.minimum(r, height - 1), np.minimum(c, width - 1)] for r, c in taps])
    x, y = share[whole].T
    weights = ((1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x)
    colours = np.zeros((int(whole.sum()), 3))
    for (r, c), weight in zip(taps, weights, strict=True):
        colours += weight[:, None] * picture[r[whole], c[whole]]
    return colours, whole
