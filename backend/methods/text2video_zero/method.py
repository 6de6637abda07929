"""Text2Video-Zero with ControlNet (Khachatryan et al., 2023, section 3.3): the baseline that LatentMan builds on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backend.contract.values import Canvas, Segment, Step
from backend.loop.method import GradientThrough, GuideDecoder, Layer, NoHooks
from backend.loop.noise import SHARED_NOISE, NoiseStream
from backend.methods.inputs import MethodInputs
from shared.methods import METHODS, MethodSpec


@dataclass(frozen=True, slots=True)
class Text2VideoZero:
    """Shared initial noise; every self-attention of UNet and ControlNet reads frame 0's keys and values."""

    spec: ClassVar[MethodSpec] = METHODS["text2video_zero"]
    gradient_through: ClassVar[GradientThrough] = "decoder"
    guide_decoder: ClassVar[GuideDecoder] = "full"

    @classmethod
    def build(cls, inputs: MethodInputs) -> Text2VideoZero:
        """The method; it reads nothing of the inputs."""
        return cls()

    def noise_stream(self, frame: int) -> NoiseStream:
        """One stream for all frames."""
        return SHARED_NOISE

    def reads_anchor(self, layer: Layer, step: Step) -> bool:
        """Always."""
        return True

    def prepare(self, segment: Segment, canvas: Canvas) -> NoHooks:
        """No hooks."""
        return NoHooks()
