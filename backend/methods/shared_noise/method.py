"""One noise for all frames and nothing else: what the baseline's attention is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backend.loop.method import FrameMethod
from backend.loop.noise import SHARED_NOISE, NoiseStream
from shared.methods import METHODS, MethodSpec


@dataclass(frozen=True, slots=True)
class SharedNoise(FrameMethod):
    """Stable Diffusion with ControlNet for each frame, its own attention, the same initial noise."""

    spec: ClassVar[MethodSpec] = METHODS["shared_noise"]

    def noise_stream(self, frame: int) -> NoiseStream:
        """One stream for all frames."""
        return SHARED_NOISE
