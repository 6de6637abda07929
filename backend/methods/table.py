"""The table of methods: a new one is a folder beside this, and a row."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from backend.loop.method import FrameMethod
from backend.methods.latentman.method import LatentMan
from backend.methods.masactrl.method import MasaCtrl
from backend.methods.per_frame.method import PerFrame
from backend.methods.shared_noise.method import SharedNoise
from backend.methods.surfacelock.method import SurfaceLock
from backend.methods.text2video_zero.method import Text2VideoZero

METHOD_CLASSES: Mapping[str, type[FrameMethod]] = MappingProxyType(
    {method.spec.name: method for method in (SurfaceLock, Text2VideoZero, MasaCtrl, LatentMan, SharedNoise, PerFrame)}
)
