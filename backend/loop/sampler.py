"""The denoising loop of one segment, one for all methods (LatentMan, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.contract.values import SegmentResult, Step, Trajectory
from backend.loop.attending import Source, step_memory
from backend.loop.guided_steps import GuidedSteps
from backend.loop.method import Parts
from backend.loop.steps import Moved, StepRunner
from shared.errors import JobError


@dataclass(frozen=True, slots=True, eq=False)
class Sampler:
    """Denoises one segment with the method's parts; `engine.FrameEngine` checks the input and is the way in."""

    runner: StepRunner
    parts: Parts

    @torch.no_grad()
    def run(self, noise: Tensor) -> SegmentResult:
        """All steps of the segment from noise (frames, channels, h, w). Raises JobError for values not finite."""
        runner, latents = self.runner, noise
        seen: list[Tensor] = []  # x_t of the segment's first and last frame, a step
        clean: list[Tensor] = []
        for step in runner.steps():
            latents = self._entering(step, latents)
            moved = self._cleaned(step, self._advanced(step, latents))
            seen.append(latents[[0, -1]])
            clean.append(moved.x0[[0, -1]])
            latents = moved.next
            runner.callbacks.on_step(step.index + 1, step.count, moved.x0)
        if not torch.isfinite(latents).all():
            raise JobError(
                "model.not_finite", "The model produced invalid latents (NaN or infinity).", "Run it in float32."
            )
        first, last = (
            Trajectory(torch.stack([x[row] for x in seen]).cpu(), torch.stack([x[row] for x in clean]).cpu())
            for row in (0, 1)
        )
        return SegmentResult(latents, first if runner.segment.start == 0 else runner.carried.first, last)

    def _entering(self, step: Step, latents: Tensor) -> Tensor:
        """x_t (frames, channels, h, w) as the networks see it."""
        if step.index == 0 and self.parts.initial_latents is not None:
            latents = self.parts.initial_latents(step, latents, self.runner.tools(step, None))
        if self.parts.before_unet is None:
            return latents
        before = self.runner.carried.previous
        return self.parts.before_unet(step, latents, None if before is None else self.runner.at(before.latents, step))

    def _advanced(self, step: Step, latents: Tensor) -> Moved:
        """The step itself, guided where the method guides."""
        parts = self.parts
        bank = None if parts.bank is None else parts.bank(step, self.runner.tools(step, None))
        memory = step_memory(parts.attention, self.runner.model.layers, step, self.runner.halves, bank)
        carries = memory.reads_from(Source.FIRST) or memory.reads_from(Source.PREVIOUS)
        if parts.temporal is not None and (parts.guidance is not None or (carries and self.runner.segment.start > 0)):
            raise RuntimeError("temporal layers support neither guidance nor frames that run again")
        if parts.guidance is None or not parts.guidance.acts(step):
            return self.runner.advance(step, latents, memory)
        return GuidedSteps(self.runner, parts.guidance).advance(step, latents, memory)

    def _cleaned(self, step: Step, moved: Moved) -> Moved:
        """The step with the method's x0 for the predicted one, the predicted noise held (Song et al., equation 12)."""
        change = self.parts.clean_latents
        if change is None or not change.acts(step):
            return moved
        x0 = change.changed(step, moved.x0, self.runner.tools(step, self.runner.first_x0(step, moved)))
        return Moved(moved.next + step.alpha_bar_after**0.5 * (x0 - moved.x0), x0)
