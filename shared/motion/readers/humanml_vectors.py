"""HumanML3D's `new_joint_vecs`: 263 features a frame (Guo et al., 2022), as many text-to-motion models make them."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..humanml.decode import decode
from ..humanml.layout import FEATURE_COUNT, HUMANML_FPS, TURNS
from ..reading.clip import Ask, Clip, Positions, Reader, require_sample
from ..reading.fields import BARE, Fields, as_numbers, with_axes

Array = npt.NDArray[np.float64]

_UNIT_LENGTH_OFF: Final = 0.3  # how far a raw rotation's columns may be from length 1, in the median


def read_vectors(fields: Fields, ask: Ask) -> Clip:
    """The positions of a file of features. Raises MotionError for normalised features, which need their statistics."""
    require_sample(fields, ask, 1)
    features = fields.numbers(BARE, (None, FEATURE_COUNT))
    if not _raw(features):
        raise fields.fault(
            "motion.features",
            BARE,
            "has 263 numbers a frame that are not features, or are normalised",
            "Multiply normalised features by the Std.npy of their model, and add its Mean.npy.",
        )
    return Clip(Positions(decode(features)), notes=("The positions were added up from HumanML3D's features.",))


def _raw(features: Array) -> bool:
    """Whether the columns of the rotations have the length 1, which normalising takes away."""
    lengths = np.linalg.norm(features[:, TURNS].reshape(len(features), -1, 3), axis=-1)
    return float(np.median(np.abs(lengths - 1.0))) < _UNIT_LENGTH_OFF


def _is_vectors(fields: Fields) -> bool:
    array = as_numbers(fields.entries.get(BARE))
    return array is not None and array.ndim >= 2 and with_axes(array, 2).shape[-1] == FEATURE_COUNT


HUMANML_VECTORS: Final = Reader(
    name="HumanML3D features",
    suffixes=(".npy",),
    up="y",
    fps=HUMANML_FPS,
    entries=(BARE,),
    needless=(),
    is_mine=_is_vectors,
    read=read_vectors,
)
