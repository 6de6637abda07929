"""Motion-X's .npy (Lin et al., "Motion-X: A Large-scale 3D Expressive Whole-body Human Motion Dataset", 2023).

A row of 322 numbers a frame: SMPL-X's root, body, hands and face, its place and shape. Y up, 30 frames a second, to
which the dataset brought all its sources.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..reading.clip import Ask, Clip, Reader, Rotations, Take, require_sample
from ..reading.fields import BARE, Fields, as_numbers, with_axes
from ..skeleton import BODY_JOINT_COUNT, JOINT_COUNT
from .amass import require_radians

Array = npt.NDArray[np.float64]

_WIDTH: Final = 322
_BODY: Final = slice(0, 3 * BODY_JOINT_COUNT)
_PLACE: Final = slice(309, 312)
_LEFT_OUT: Final = "Hands, face and shape in the file are SMPL-X's: left out, using the mean shape."


def is_motion_x(fields: Fields) -> bool:
    """Whether the file is one array with 322 numbers a row."""
    array = as_numbers(fields.entries.get(BARE))
    return array is not None and with_axes(array, 2).ndim == 2 and with_axes(array, 2).shape[1] == _WIDTH


def read_motion_x(fields: Fields, ask: Ask) -> Clip:
    """The clip. Raises MotionError for numbers that are not finite, and for degrees."""
    require_sample(fields, ask, 1)
    rows = fields.numbers(BARE, (None, _WIDTH))
    require_radians(fields, BARE, rows[:, _BODY])
    poses = np.zeros((len(rows), JOINT_COUNT, 3))
    poses[:, :BODY_JOINT_COUNT] = rows[:, _BODY].reshape(len(rows), BODY_JOINT_COUNT, 3)
    return Clip(Rotations(poses, rows[:, _PLACE], "transl", "smplx"), notes=(_LEFT_OUT,))


def motion_x_takes(fields: Fields) -> tuple[Take, ...]:
    """The one take."""
    return (Take(frames=len(with_axes(fields.array(BARE), 2))),)


MOTION_X: Final = Reader(
    name="Motion-X",
    suffixes=(".npy",),
    up="y",
    fps=30.0,
    entries=(BARE,),
    needless=(),
    is_mine=is_motion_x,
    read=read_motion_x,
    takes=motion_x_takes,
)
