"""What a writer is, and what it is given."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..model import SMPLMotion

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A motion and the body that shows it."""

    motion: SMPLMotion  # Y up, at the format's rate where it has one
    rest: Array  # (24, 3) metres, with the motion's shape
    smpl_pelvis: Array  # (3,) metres, from which other programs count SMPL's `transl`


@dataclass(frozen=True, slots=True)
class Writer:
    """One row of the table."""

    name: str
    label: str
    suffix: str  # how its files end
    description: str  # a sentence without its full stop
    encode: Callable[[Written], bytes]
    fps: float | None = None  # where all files of the format have the same


def as_npy(entries: Mapping[str, object]) -> bytes:
    """A dictionary of plain values and arrays as MDM's programs save it."""
    stream = io.BytesIO()
    np.save(stream, np.array(dict(entries), dtype=object), allow_pickle=True)
    return stream.getvalue()


def as_npz(entries: Mapping[str, npt.NDArray[np.generic]]) -> bytes:
    """Named arrays, packed."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **dict(entries))
    return stream.getvalue()
