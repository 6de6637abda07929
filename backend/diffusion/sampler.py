"""The denoising loop, one for all methods (LatentMan, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.diffusion.attention import AnchorReader, AnchorRecorder
from backend.diffusion.components import Components
from backend.diffusion.conditioning import embed_depth, embedded_depth
from backend.diffusion.decode import decode_picture
from backend.diffusion.denoiser import Denoiser, make_denoiser
from backend.diffusion.method import FrameReference, FrameSample, Layer, Method, StepHooks
from backend.diffusion.noise import draw
from backend.diffusion.text import PromptEmbeds
from backend.diffusion.values import (
    Callbacks,
    Canvas,
    SampleSettings,
    Segment,
    SegmentResult,
    Step,
    Trajectory,
)
from shared.errors import CancelledError, JobError


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """What stays the same over the steps of a segment."""

    denoiser: Denoiser
    scheduler: Any
    hooks: StepHooks
    depth: Tensor  # (frames, control channels, h, w) embedded
    anchor_depth: Tensor  # (1, control channels, h, w) embedded
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Moved:
    """All frames of the segment after a step."""

    next: Tensor  # (frames, channels, h, w) x_{t-1}
    x0: Tensor  # (frames, channels, h, w)


@dataclass(frozen=True, slots=True, eq=False)
class Sampler:
    """Denoises one segment; `segment.sample_segment` checks the input and is the public way in."""

    components: Components
    method: Method
    prompt: PromptEmbeds
    settings: SampleSettings
    segment: Segment
    canvas: Canvas
    callbacks: Callbacks

    @torch.no_grad()
    def run(
        self,
        depth: NDArray[np.float32],  # (frames, height, width)
        anchor_depth: NDArray[np.float32],  # (height, width)
        anchor: Trajectory | None,
        previous: Trajectory | None,
    ) -> SegmentResult:
        """All steps of the segment. `anchor` and `previous` are None for a shot's first segment."""
        run = self._prepare(depth, anchor_depth)
        latents = self._noise()
        seen: list[Tensor] = []  # x_t of the segment's first and last frame, a step
        clean: list[Tensor] = []
        with embedded_depth(self.components):
            for step in self._steps(run.scheduler):
                latents = run.hooks.before_unet(step, latents, self._at(previous, "latents", step))
                moved = self._advance(run, step, latents, anchor, previous)
                seen.append(latents[[0, -1]])
                clean.append(moved.x0[[0, -1]])
                latents = moved.next
                self.callbacks.on_step(step.index + 1, step.count, moved.x0)
        self._check_finite(latents)
        first, last = (
            Trajectory(torch.stack([x[row] for x in seen]).cpu(), torch.stack([x[row] for x in clean]).cpu())
            for row in (0, 1)
        )
        return SegmentResult(latents, first if anchor is None else anchor, last)

    def _prepare(self, depth: NDArray[np.float32], anchor_depth: NDArray[np.float32]) -> _Run:
        return _Run(
            make_denoiser(self.components, self.prompt, self.settings),
            self.components.scheduler(self.settings.steps),
            self.method.prepare(self.segment, self.canvas),
            embed_depth(self.components, depth),
            embed_depth(self.components, anchor_depth[None]),
            self.components.layers,
        )

    def _noise(self) -> Tensor:
        """x_T of every frame of the segment."""
        shape = (self.components.latent_channels, self.canvas.latent_height, self.canvas.latent_width)
        frames = range(self.segment.start, self.segment.stop)
        noise = [draw(self.settings.seed, self.method.noise_stream(frame), shape) for frame in frames]
        return torch.stack(noise).to(self.components.device, self.components.state_dtype)

    def _steps(self, scheduler: Any) -> list[Step]:
        timesteps = [int(timestep) for timestep in scheduler.timesteps]
        return [
            Step(index, len(timesteps), timestep, float(scheduler.alphas_cumprod[timestep]))
            for index, timestep in enumerate(timesteps)
        ]

    def _at(self, trajectory: Trajectory | None, key: str, step: Step) -> Tensor | None:
        if trajectory is None:
            return None
        values: Tensor = getattr(trajectory, key)[step.index]
        return values.to(self.components.device, self.components.state_dtype)

    def _advance(
        self, run: _Run, step: Step, latents: Tensor, anchor: Trajectory | None, previous: Trajectory | None
    ) -> _Moved:
        """One step of all frames. Frame 0 goes first, for the others read its keys and values."""
        readers = frozenset(layer for layer in run.layers if self.method.reads_anchor(layer, step))
        recorder = AnchorRecorder(self.settings.halves, readers, {})
        # In the first segment frame 0 is one of the latents; later it runs again from its trajectory.
        extra = self._at(anchor, "latents", step) if readers else None
        if run.hooks.wants_gradient(step):
            return self._advance_one_by_one(run, step, latents, extra, self._at(previous, "x0", step), recorder)
        return self._advance_in_batches(run, step, latents, extra, recorder)

    def _advance_in_batches(
        self, run: _Run, step: Step, latents: Tensor, extra: Tensor | None, recorder: AnchorRecorder
    ) -> _Moved:
        """One step without gradients; the first batch starts with frame 0."""
        rows, depth = latents, run.depth[: len(latents)]
        if extra is not None:
            rows, depth = torch.cat([extra[None], rows]), torch.cat([run.anchor_depth, depth])
        reader = AnchorReader(self.settings.halves, recorder.cache)
        outputs = []
        for start in range(0, len(rows), self.settings.micro_batch):
            batch = slice(start, start + self.settings.micro_batch)
            self._check_cancelled()
            context = reader if start else recorder
            outputs.append(run.denoiser.predict(rows[batch], depth[batch], step.timestep, context))
        output = torch.cat(outputs)[len(rows) - len(latents) :]
        return _Moved(*run.scheduler.step(output, step.timestep, latents, return_dict=False))

    def _advance_one_by_one(
        self,
        run: _Run,
        step: Step,
        latents: Tensor,
        extra: Tensor | None,
        before: Tensor | None,  # (channels, h, w) x0 of the frame before the segment
        recorder: AnchorRecorder,
    ) -> _Moved:
        """One step frame by frame, each with its graph from x_t to x0; memory is that of one frame."""
        moved: list[_Moved] = []
        if self.segment.start == 0:
            moved.append(self._advance_in_batches(run, step, latents[:1], None, recorder))
            reference = FrameReference(moved[0].x0)
        elif before is None:
            raise RuntimeError(f"{self.method.name} takes gradients but does not declare that it needs `previous`")
        else:
            reference = FrameReference(before[None])
            if extra is not None:
                self._check_cancelled()
                run.denoiser.predict(extra[None], run.anchor_depth, step.timestep, recorder)
        context = AnchorReader(self.settings.halves, recorder.cache)
        for row in range(len(moved), len(latents)):
            self._check_cancelled()
            sample = self._differentiable(run, step, latents[row : row + 1], run.depth[row : row + 1], context)
            with torch.enable_grad():
                guided = run.hooks.after_unet(step, self.segment.start + row, sample, reference, self._decode)
            reference = FrameReference(sample.x0.detach(), guided.picture)
            moved.append(_Moved(guided.latents.detach(), reference.x0))
        return _Moved(torch.cat([m.next for m in moved]), torch.cat([m.x0 for m in moved]))

    def _differentiable(
        self, run: _Run, step: Step, latents: Tensor, depth: Tensor, context: AnchorReader
    ) -> FrameSample:
        through = self.method.gradient_through
        with torch.set_grad_enabled(through != "decoder"):
            leaf = latents.detach().clone().requires_grad_(through != "decoder")
            output = run.denoiser.predict(
                leaf, depth, step.timestep, context, controlnet_gradient=through == "controlnet"
            )
            next_, x0 = run.scheduler.step(output, step.timestep, leaf, return_dict=False)
        return FrameSample(leaf, x0, next_.detach())

    def _decode(self, latents: Tensor) -> Tensor:
        return decode_picture(self.components, latents)

    def _check_cancelled(self) -> None:
        if self.callbacks.cancelled():
            raise CancelledError("job.cancelled", "The job was cancelled.")

    def _check_finite(self, latents: Tensor) -> None:
        if not torch.isfinite(latents).all():
            raise JobError("model.not_finite", "The model gave latents that are not finite.", "Run it in float32.")
