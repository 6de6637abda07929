"""Text2Video-Zero with ControlNet (Khachatryan et al., 2023, section 3.3): the baseline that LatentMan builds on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backend.contract.values import UNWATCHED, Callbacks, Canvas, Segment
from backend.loop.attending import read_frame_zero
from backend.loop.method import FrameMethod, Parts
from backend.loop.noise import SHARED_NOISE, NoiseStream
from shared.methods import METHODS, MethodSpec


@dataclass(frozen=True, slots=True)
class Text2VideoZero(FrameMethod):
    """Shared initial noise; every self-attention of UNet and ControlNet reads frame 0's keys and values."""

    spec: ClassVar[MethodSpec] = METHODS["text2video_zero"]

    def noise_stream(self, frame: int) -> NoiseStream:
        """One stream for all frames."""
        return SHARED_NOISE

    def prepare(self, segment: Segment, canvas: Canvas, callbacks: Callbacks = UNWATCHED) -> Parts:
        """Every layer reads frame 0."""
        return Parts(attention=read_frame_zero)
