"""Repairs of a motion: a table, a file each. Frames that a repair leaves alone stay as they are to the last bit."""

from __future__ import annotations

from .repairs import Ground, Repair
from .table import REPAIRS, repair_named

__all__ = ["REPAIRS", "Ground", "Repair", "repair_named"]
