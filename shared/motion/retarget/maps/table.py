"""The table of rigs. A new one is a row in one of the files beside this; of equal fits the first counts."""

from __future__ import annotations

from typing import Final

from . import blender, capture, engines
from .rig_names import RigNames

RIGS: Final[tuple[RigNames, ...]] = (*engines.ROWS, *capture.ROWS, *blender.ROWS)
