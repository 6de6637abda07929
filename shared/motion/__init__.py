"""Motions: one convention, readers for the formats in use, fitting of positions, resampling, sample clips."""

from __future__ import annotations

from .model import SMPLMotion
from .reader import read_motion
from .readers import SUFFIXES
from .resample import resample
from .samples import SAMPLE_NAMES, sample_path
from .up_axis import UP_AXES, Up

__all__ = ["SAMPLE_NAMES", "SUFFIXES", "UP_AXES", "SMPLMotion", "Up", "read_motion", "resample", "sample_path"]
