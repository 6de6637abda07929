"""How much detail the body shows. Blur lowers every consistency figure, so it is measured beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_erosion

from backend.measure.metrics.pictures import checked_pictures
from shared.errors import InputError

REC709 = (0.2126, 0.7152, 0.0722)

# Gradients nearer to the silhouette are the silhouette's, not the body's.
MARGIN_PX = 2


@dataclass(frozen=True, slots=True)
class Sharpness:
    """Gradient energy of a clip, on the scale 0..255 squared; `dataclasses.asdict` of it is JSON-able."""

    mean: float | None  # over the frames that show the body; None = none does
    frames: tuple[float | None, ...]


def sharpness(images: ArrayLike, part: NDArray[np.uint8]) -> Sharpness:
    """Mean squared gradient of the luma over the body's inside, frame by frame.

    `images` (frames, H, W, 3) 0..255; `part` (frames, H', W') are the passes' labels, taken at the nearest pixel. The
    gradient is the difference to the next pixel, along x and along y; pixels within `MARGIN_PX` of the silhouette or
    the picture's edge do not count. Raises InputError if the frames do not fit together.
    """
    pictures = checked_pictures(images)
    if part.ndim != 3 or len(part) != len(pictures):
        raise InputError(
            "metrics.count", f"{len(pictures)} pictures cannot be measured with labels of shape {part.shape}."
        )
    height, width = pictures.shape[1:3]
    rows = ((np.arange(height) + 0.5) * part.shape[1] / height).astype(np.int64)
    columns = ((np.arange(width) + 0.5) * part.shape[2] / width).astype(np.int64)
    values: list[float | None] = []
    for picture, labels in zip(pictures, part, strict=True):
        inside = binary_erosion(labels[rows[:, None], columns] > 0, np.ones((3, 3)), iterations=MARGIN_PX)
        luma = picture.astype(np.float64) @ REC709
        energy = np.diff(luma, axis=1)[:-1] ** 2 + np.diff(luma, axis=0)[:, :-1] ** 2
        counted = inside[:-1, :-1]
        values.append(float(energy[counted].mean()) if counted.any() else None)
    present = [value for value in values if value is not None]
    return Sharpness(float(np.mean(present)) if present else None, tuple(values))
