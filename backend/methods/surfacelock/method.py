"""SurfaceLock: noise on the surface, consensus of decoded frames on one texture, and the lock of the result.

This project's own method. The parts are independent: without particles the noise is shared, without consensus the
frames only get the lock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from backend.contract.values import UNWATCHED, Callbacks, Canvas, Segment, Step
from backend.loop.method import Finish, FrameMethod, MethodInputs, Parts, StepTools
from backend.loop.noise import SHARED_NOISE, NoiseStream
from backend.methods.masactrl.method import MasaCtrl
from backend.methods.shared_noise.method import SharedNoise
from backend.methods.surfacelock.consensus import Consensus, consensus_steps
from backend.methods.surfacelock.particles import particle_noise, texel_noise
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.surface import lock as surface_lock
from backend.surface.off_body import chosen_background
from backend.surface.shot_surface import SegmentSurface, ShotSurface
from shared.methods import METHODS, MethodSpec
from shared.methods.setting import settings_as
from shared.methods.surfacelock import SurfaceLockSettings

ATTENTIONS: Mapping[str, FrameMethod] = MappingProxyType(
    {"none": SharedNoise(), "text2video_zero": Text2VideoZero(), "masactrl": MasaCtrl()}
)


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceLock(FrameMethod):
    """The parts of the loop; the lock itself is the job's finish (`backend.surface.lock`)."""

    surface: ShotSurface
    settings: SurfaceLockSettings
    seed: int
    latent_factor: int
    remembering: surface_lock.SurfaceLock
    background: bool  # whether frames agree on it: not where that would cut what stands off the body

    spec: ClassVar[MethodSpec] = METHODS["surfacelock"]

    @classmethod
    def build(cls, inputs: MethodInputs) -> SurfaceLock:
        """The method with a job's settings, on the shot's surface."""
        settings = settings_as(inputs.settings, SurfaceLockSettings)
        remembering = surface_lock.SurfaceLock(inputs.surface, inputs.background, inputs.prompts, applied=False)
        agrees = settings.background and chosen_background(inputs.background, inputs.prompts, still=True).plate
        return cls(inputs.surface, settings, inputs.seed, inputs.latent_factor, remembering, agrees)

    @property
    def finish(self) -> Finish:
        """Where the job asks for no lock, the frames stay as they are, and still go on from one texture."""
        return self.remembering

    def noise_stream(self, frame: int) -> NoiseStream:
        """One stream for all frames; behind the body alone, where particles ride on it."""
        return SHARED_NOISE

    def prepare(self, segment: Segment, canvas: Canvas, callbacks: Callbacks = UNWATCHED) -> Parts:
        """The chosen attention, and the two parts that see the surface."""
        settings = self.settings
        parts = ATTENTIONS[settings.attention].prepare(segment, canvas, callbacks)
        consensus = Consensus(self.surface, segment, settings.consensus, settings.rounds, self.background)
        agrees = bool(consensus_steps(settings.consensus, settings.rounds, 1000))
        if not (settings.particles or agrees):
            return parts
        seen = self.surface.segment(
            range(segment.start, segment.stop), lambda frame: callbacks.on_frame("surface", frame)
        )
        particles = Particles(seen, self.seed, self.surface.texels, self.latent_factor)
        return dataclasses.replace(
            parts,
            initial_latents=particles if settings.particles else None,
            clean_latents=consensus if agrees else None,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Particles:
    """Implements `loop.method.InitialLatents`: the texels' noise on the body, the frames' own behind it."""

    seen: SegmentSurface
    seed: int
    texels: int
    factor: int

    def __call__(self, step: Step, noise: Tensor, tools: StepTools) -> Tensor:
        """See `loop.method.InitialLatents`."""
        texels = texel_noise(self.seed, self.texels, noise.shape[1])
        frames = zip(self.seen.frames, noise, strict=True)
        return torch.stack([particle_noise(one.view, texels, behind, self.factor) for one, behind in frames])
