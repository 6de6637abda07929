"""SMPL's shape numbers in the forms in which files have them."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ...errors import MotionError
from .fields import Fields, as_numbers

Array = npt.NDArray[np.float64]

SHAPE_KEYS: Final = ("betas", "shape", "gender", "num_betas")
_COUNT: Final = 10
_VARIES: Final = 1e-3
_MEAN_SHAPE: Final = "using the mean shape."


def checked_shape(betas: npt.ArrayLike) -> Array:
    """Ten finite shape numbers as they were given. Raises MotionError."""
    array = np.asarray(betas, dtype=np.float64)
    if array.shape != (_COUNT,) or not np.isfinite(array).all():
        raise MotionError("motion.betas", f"A shape needs 10 finite numbers, not {array.shape}.")
    return array


def shape_numbers(fields: Fields, *, is_smplx: bool) -> tuple[Array, tuple[str, ...]]:
    """The shape (10,) and what to say about it. Any count, one row a file or one row a frame (their median counts).

    Raises MotionError `motion.not_finite`.
    """
    mean = np.zeros(_COUNT)
    key = fields.first("betas", "shape")
    if key is None:
        return mean, (f"No shape in the file: {_MEAN_SHAPE}",)
    if is_smplx:
        return mean, (f"The file's shape is SMPL-X's, which does not fit SMPL: {_MEAN_SHAPE}",)
    given = as_numbers(fields.entries[key])
    if given is None or given.size == 0:
        return mean, (f"The shape in the file is not numbers: {_MEAN_SHAPE}",)
    fields.finite(key, given)
    rows = given.reshape(1, -1) if given.ndim < 2 or given.shape[-1] == 1 else given.reshape(-1, given.shape[-1])
    row = np.median(rows, axis=0)
    used = row[:_COUNT]
    betas = np.concatenate([used, mean[len(used) :]])
    notes = [f"Used the first {len(used)} of {len(row)} shape numbers."]
    if np.ptp(rows, axis=0).max() > _VARIES:
        notes.append("The shape changes from frame to frame; its median was used.")
    return betas, tuple(notes)


def median_shape(rows: Array) -> Array:  # (frames, 10)
    """The shape (10,) of a clip that has one a frame."""
    return np.asarray(np.median(rows, axis=0))
