"""HY-Motion's .npz (Tencent, 2025): SMPL+H poses as AMASS has them, but Y up, at 30 frames a second without saying so.

`Rh`, a copy of the root's rotation, tells its files apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..reading.fields import Fields
from .amass import AMASS


def is_hy_motion(fields: Fields) -> bool:
    """Whether the file has poses and `Rh`."""
    return "Rh" in fields and "poses" in fields


HY_MOTION: Final = replace(
    AMASS,
    name="HY-Motion",
    suffixes=(".npz",),
    up="y",
    fps=30.0,
    is_mine=is_hy_motion,
    marks=("Rh",),
)
