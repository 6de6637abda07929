"""No consistency at all: every frame on its own, the floor that the methods are measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backend.loop.method import FrameMethod
from shared.methods import METHODS, MethodSpec


@dataclass(frozen=True, slots=True)
class PerFrame(FrameMethod):
    """Stable Diffusion with ControlNet for each frame, its own noise and its own attention."""

    spec: ClassVar[MethodSpec] = METHODS["per_frame"]
