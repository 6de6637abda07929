"""The table of the formats that motions are written in. A new one is a file beside this and a row here."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from ...errors import MotionError
from ...files.frame_files import shown_path, write_atomic
from ..model import SMPLMotion
from ..resample import resample
from ..rest import RestJoints, pelvis_of_transl, rest_joints_of
from .amass import AMASS
from .bvh import BVH
from .mdm import MDM_RESULTS, MDM_SMPL_PARAMS
from .writer import Writer, Written

WRITERS: Final = (AMASS, MDM_SMPL_PARAMS, MDM_RESULTS, BVH)


def writer_named(name: str) -> Writer:
    """The writer of that name. Raises MotionError `motion.unknown_format` with those there are."""
    found = next((writer for writer in WRITERS if writer.name == name), None)
    if found is None:
        known = ", ".join(writer.name for writer in WRITERS)
        raise MotionError("motion.unknown_format", f"No motion is written as {name!r}.", f"Known formats: {known}.")
    return found


def writer_for(path: Path) -> Writer:
    """The writer that a file's name asks for. Raises MotionError `motion.unknown_format` for another ending."""
    name = path.name.lower()
    if name == "results.npy":
        return MDM_RESULTS
    for ending, writer in [*((one.suffix, one) for one in WRITERS), (".npy", MDM_SMPL_PARAMS)]:
        if name.endswith(ending):
            return writer
    endings = ", ".join(writer.suffix for writer in WRITERS)
    raise MotionError(
        "motion.unknown_format",
        f"{shown_path(path)} does not say in its name what to write.",
        f"Use one of: {endings}.",
    )


def write_motion(
    path: Path, motion: SMPLMotion, writer: Writer, *, rest_joints: RestJoints | None = None
) -> tuple[str, ...]:  # (24, 3) metres, or what gives them for a shape
    """Write the motion, whole or not at all, and return what to say of it, a sentence each.

    `rest_joints` are those of the body that shows it (default: the free body's). Raises MotionError for unusable ones,
    LatentManError `storage.full` or `storage.unwritable`.
    """
    notes: tuple[str, ...] = ()
    if writer.fps is not None and writer.fps != motion.fps:
        notes = (f"Resampled from {motion.fps:g} to {writer.fps:g} fps, the rate of {writer.label}.",)
        motion = resample(motion, writer.fps)
    betas = np.asarray(motion.betas)
    rest, pelvis = rest_joints_of(rest_joints, betas), pelvis_of_transl(rest_joints, betas)
    write_atomic(path, writer.encode(Written(motion, rest, pelvis)))
    return notes
