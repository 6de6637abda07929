"""MDM's rotations: `sample##_rep##_smpl_params.npy`, and results whose motion is rotations (`results_rot.npy`).

Tevet et al., "Human Motion Diffusion Model", 2022. rot6d in rows, Y up, the root's place is the pelvis joint's.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ...errors import MotionError
from ...rotations import matrix_to_axis_angle, rot6d_rows_to_matrix
from ..reading.clip import Ask, Clip, Reader, Rotations, require_sample
from ..reading.fields import Fields
from ..reading.layout import clips_in, is_rotations
from ..reading.shape import shape_numbers
from ..skeleton import JOINT_COUNT
from .mdm_results import RESULTS_ENTRIES, RESULTS_NEEDLESS, choose, motions_key, results_takes

Array = npt.NDArray[np.float64]

MDM_FPS: Final = 20.0
_ROOT_ROW: Final = JOINT_COUNT
_SHAPE_NOTE: Final = "The shape is SMPL's mean shape, which the file's rotations are made for."


def read_smpl_params(fields: Fields, ask: Ask) -> Clip:
    """The motion of an smpl_params file.

    `vertices` is never read: it may be a torch tensor, and files of before November 2023 hold the root translation in
    it twice.
    """
    require_sample(fields, ask, 1)
    thetas = fields.numbers("thetas", (JOINT_COUNT, 6, None))
    frames = thetas.shape[-1]
    place = fields.array("root_translation")
    if place.shape == (frames, 3) and frames != 3:
        pelvis = fields.finite("root_translation", place)
    else:
        pelvis = fields.numbers("root_translation", (3, frames)).T
    betas = np.zeros(10)
    notes: tuple[str, ...] = (_SHAPE_NOTE,)
    if "betas" in fields:  # MDM writes none; the program's own files have them
        betas, notes = shape_numbers(fields, is_smplx=False)
    body = Rotations(_axis_angles(fields, "thetas", thetas), pelvis, "pelvis")
    return Clip(body, betas, text=fields.label("text"), notes=notes)


def read_results_rot(fields: Fields, ask: Ask) -> Clip:
    """One motion of a file of rotations: 24 rows of rot6d, and a row that begins with the pelvis' place."""
    chosen = choose(fields, ask)
    key = chosen.key
    clip = fields.finite(key, chosen.clip)
    notes: tuple[str, ...] = (_SHAPE_NOTE,)
    if len(clip) > _ROOT_ROW:
        pelvis = clip[_ROOT_ROW, :3].T
    else:
        pelvis = np.zeros((clip.shape[-1], 3))
        notes += ("The file has rotations only, so the pelvis stays in place.",)
    body = Rotations(_axis_angles(fields, key, clip[:JOINT_COUNT]), pelvis, "pelvis")
    return Clip(body, text=chosen.text, notes=(*chosen.notes, *notes), warnings=chosen.warnings)


def _axis_angles(fields: Fields, key: str, rot6d: Array) -> Array:  # (24, 6, frames)
    try:
        return matrix_to_axis_angle(rot6d_rows_to_matrix(np.moveaxis(rot6d, -1, 0)))
    except MotionError as error:
        what = "has a rotation whose rows are zero or parallel"
        raise fields.fault(error.code, key, what, "Fit it again.") from error


def _is_results_rot(fields: Fields) -> bool:
    key = motions_key(fields)
    return key is not None and any(map(is_rotations, clips_in(fields.entries[key])))


SMPL_PARAMS: Final = Reader(
    name="MDM",
    suffixes=("_smpl_params.npy",),
    up="y",
    fps=MDM_FPS,
    entries=("thetas", "root_translation", "text"),
    needless=("motion", "faces", "vertices", "length"),
    is_mine=lambda fields: "thetas" in fields,
    read=read_smpl_params,
)
RESULTS_ROT: Final = Reader(
    name="MDM",
    suffixes=("results_rot.npy",),
    up="y",
    fps=MDM_FPS,
    entries=RESULTS_ENTRIES,
    needless=RESULTS_NEEDLESS,
    is_mine=_is_results_rot,
    read=read_results_rot,
    takes=results_takes,
)
