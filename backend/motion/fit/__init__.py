"""Joint positions fitted to SMPL by optimisation, from the analytic fit on."""

from __future__ import annotations

from .optimiser import FitReport, OnStep, Refined, refine
from .settings import FitSettings

__all__ = ["FitReport", "FitSettings", "OnStep", "Refined", "refine"]
