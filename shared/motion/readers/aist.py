"""AIST++'s files (Li et al., "AI Choreographer", 2021): SMPL rotations, and places in the unit of their own scaling.

Y up, 60 frames a second without saying so. The dataset has them as .pkl.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..reading.clip import Ask, Clip, Rotations
from ..reading.fields import Fields
from .amass import AMASS, read_amass

_SCALING: Final = "smpl_scaling"


def read_aist(fields: Fields, ask: Ask) -> Clip:
    """The clip, its places in metres: the body was fitted `smpl_scaling` times as large. Raises MotionError."""
    scaling = float(fields.numbers(_SCALING, (1,))[0])
    if scaling <= 0.0:
        raise fields.fault(
            "motion.scaling", _SCALING, f"is {scaling:g}, which is not a valid scaling", "Export the file again."
        )
    clip = read_amass(fields, ask)
    assert isinstance(clip.body, Rotations)
    said = f"Positions were divided by the file's scaling, {scaling:g}."
    return replace(clip, body=replace(clip.body, place=clip.body.place / scaling), notes=(*clip.notes, said))


AIST: Final = replace(
    AMASS,
    name="AIST++",
    suffixes=(".pkl", ".npy"),
    up="y",
    fps=60.0,
    entries=(*AMASS.entries, _SCALING),
    needless=(*AMASS.needless, "smpl_loss"),
    is_mine=lambda fields: "smpl_poses" in fields and _SCALING in fields,
    read=read_aist,
)
