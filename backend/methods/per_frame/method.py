"""No consistency at all: every frame on its own, the floor that the methods are measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backend.contract.values import Canvas, Segment, Step
from backend.loop.method import GradientThrough, GuideDecoder, Layer, NoHooks
from backend.loop.noise import NoiseStream, frame_noise
from backend.methods.inputs import MethodInputs
from shared.methods import METHODS, MethodSpec


@dataclass(frozen=True, slots=True)
class PerFrame:
    """Stable Diffusion with ControlNet for each frame, its own noise and its own attention."""

    spec: ClassVar[MethodSpec] = METHODS["per_frame"]
    gradient_through: ClassVar[GradientThrough] = "decoder"
    guide_decoder: ClassVar[GuideDecoder] = "full"

    @classmethod
    def build(cls, inputs: MethodInputs) -> PerFrame:
        """The method; it reads nothing of the inputs."""
        return cls()

    def noise_stream(self, frame: int) -> NoiseStream:
        """A stream for each frame."""
        return frame_noise(frame)

    def reads_anchor(self, layer: Layer, step: Step) -> bool:
        """Never."""
        return False

    def prepare(self, segment: Segment, canvas: Canvas) -> NoHooks:
        """No hooks."""
        return NoHooks()
