"""EDGE's files (Tseng et al., "EDGE: Editable Dance Generation From Music", 2023): AIST++'s names without its scaling.

Z up, 30 frames a second without saying so. The joint positions beside the rotations are not needed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .amass import AMASS

EDGE: Final = replace(
    AMASS,
    name="EDGE",
    suffixes=(".pkl", ".npy"),
    fps=30.0,
    is_mine=lambda fields: "smpl_poses" in fields and "smpl_trans" in fields,
)
