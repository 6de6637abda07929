"""The table of motion model families. A new one is a file here, a row here, and one in `backend.motion.models`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ...errors import ModelError
from .embedded import EMBEDDED_MOTION
from .mdm import MDM
from .spec import MotionFamily

MOTION_FAMILIES: Final = (MDM, EMBEDDED_MOTION)


def motion_family_of(place: Path, families: Iterable[MotionFamily] = MOTION_FAMILIES) -> MotionFamily:
    """The family of a folder or file. Raises ModelError where it is of none, or not there."""
    if not place.exists():
        raise ModelError("model.missing", f"There is no motion model at {place}.", "Check the path.")
    known = tuple(families)
    found = next((family for family in known if family.is_mine(place)), None)
    if found is None:
        accepted = "; or ".join(family.accepted for family in known)
        raise ModelError("model.family", f"{place} is not a motion model.", f"Choose {accepted}.")
    return found
