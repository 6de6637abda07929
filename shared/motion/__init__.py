"""Motions: one convention, readers for the formats in use, fitting of positions, resampling, sample clips."""

from __future__ import annotations

from .model import SMPLMotion
from .reader import read_motion
from .resample import resample
from .samples import SAMPLE_NAMES, sample_path

__all__ = ["SAMPLE_NAMES", "SMPLMotion", "read_motion", "resample", "sample_path"]
