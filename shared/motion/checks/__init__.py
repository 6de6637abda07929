"""What can be wrong with a motion, frame by frame: a table of checks, a file each."""

from __future__ import annotations

from .check import Check, Found, Seen
from .table import CHECKS, check_named, run_checks

__all__ = ["CHECKS", "Check", "Found", "Seen", "check_named", "run_checks"]
