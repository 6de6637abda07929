"""Motions: one convention, readers for the formats in use, fitting of positions, resampling, sample clips."""

from __future__ import annotations

from .model import SMPLMotion
from .reader import MotionFile, contents_of, open_motion, read_motion, read_people
from .readers import SUFFIXES
from .reading.clip import Ask, Take
from .reading.contents import Contents
from .resample import resample
from .samples import SAMPLE_NAMES, sample_path
from .up_axis import UP_AXES, Up

__all__ = [
    "SAMPLE_NAMES",
    "SUFFIXES",
    "UP_AXES",
    "Ask",
    "Contents",
    "MotionFile",
    "SMPLMotion",
    "Take",
    "Up",
    "contents_of",
    "open_motion",
    "read_motion",
    "read_people",
    "resample",
    "sample_path",
]
