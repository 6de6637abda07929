"""One noise for all frames and nothing else: what the baseline's attention is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backend.contract.values import Canvas, Segment, Step
from backend.loop.method import GradientThrough, GuideDecoder, Layer, NoHooks
from backend.loop.noise import SHARED_NOISE, NoiseStream
from backend.methods.inputs import MethodInputs
from shared.methods import METHODS, MethodSpec


@dataclass(frozen=True, slots=True)
class SharedNoise:
    """Stable Diffusion with ControlNet for each frame, its own attention, the same initial noise."""

    spec: ClassVar[MethodSpec] = METHODS["shared_noise"]
    gradient_through: ClassVar[GradientThrough] = "decoder"
    guide_decoder: ClassVar[GuideDecoder] = "full"

    @classmethod
    def build(cls, inputs: MethodInputs) -> SharedNoise:
        """The method; it reads nothing of the inputs."""
        return cls()

    def noise_stream(self, frame: int) -> NoiseStream:
        """One stream for all frames."""
        return SHARED_NOISE

    def reads_anchor(self, layer: Layer, step: Step) -> bool:
        """Never."""
        return False

    def prepare(self, segment: Segment, canvas: Canvas) -> NoHooks:
        """No hooks."""
        return NoHooks()
