"""The denoising loop, one for all methods (LatentMan, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import (
    Callbacks,
    Canvas,
    SampleSettings,
    Segment,
    SegmentResult,
    Step,
    Trajectory,
)
from backend.loop.conditioning import SegmentDepth, embedded_depth, segment_depth
from backend.loop.denoiser import Denoiser, make_denoiser
from backend.loop.frame_graph import FrameGraph, frame_graph
from backend.loop.method import Crop, Decode, FrameReference, GuideDecoder, Layer, Method, StepHooks
from backend.loop.noise import draw
from backend.loop.segment_text import SegmentText, segment_text
from backend.models.sd15.attention import AnchorReader, AnchorRecorder
from backend.models.sd15.components import Components
from backend.models.sd15.decode import StepDecoder
from backend.models.sd15.text import PromptEmbeds
from shared.errors import CancelledError, JobError


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """What stays the same over the steps of a segment."""

    denoiser: Denoiser
    scheduler: Any
    hooks: StepHooks
    depth: SegmentDepth
    text: SegmentText
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
            segment_depth(self.components, depth, anchor_depth),
            segment_text(self.components, self.prompt, self.settings, self.segment),
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
            references = self._at(anchor, "x0", step), self._at(previous, "x0", step)
            return self._advance_guided(run, step, latents, extra, references, recorder)
        return self._advance_in_batches(run, step, latents, extra, recorder)

    def _advance_in_batches(
        self, run: _Run, step: Step, latents: Tensor, extra: Tensor | None, recorder: AnchorRecorder
    ) -> _Moved:
        """One step without gradients; the first batch starts with frame 0, whose row is -1 if it is `extra`."""
        reader = AnchorReader(self.settings.halves, recorder.cache)
        moved = _Moved(torch.empty_like(latents), torch.empty_like(latents))
        first = 0 if extra is None else -1
        size = self.settings.micro_batch or len(latents)
        for start in range(first, len(latents), size):
            rows = range(start, min(start + size, len(latents)))
            self._check_cancelled()
            context = recorder if start == first else reader
            inside = slice(max(rows.start, 0), max(rows.stop, 0))
            batch = latents[inside] if start >= 0 or extra is None else torch.cat([extra[None], latents[inside]])
            depth, text = run.depth.rows(rows), run.text.rows(rows)
            output = run.denoiser.predict(batch, depth, step.timestep, context, text=text)
            if inside.start == inside.stop:
                continue
            moved.next[inside], moved.x0[inside] = run.scheduler.step(
                output[inside.start - rows.start :], step.timestep, latents[inside], return_dict=False
            )
        return moved

    def _advance_guided(
        self,
        run: _Run,
        step: Step,
        latents: Tensor,
        extra: Tensor | None,
        references: tuple[Tensor | None, Tensor | None],  # (channels, h, w) x0 of frame 0, of the frame before
        recorder: AnchorRecorder,
    ) -> _Moved:
        """One step whose hooks take a gradient; memory is that of `graph_batch` frames' graphs.

        Every frame is predicted once, with its graph if it needs one, and that prediction is the sampler's own.
        """
        first, before = references
        plain = self._advance_in_batches(run, step, self._without_graph(latents), extra, recorder)
        if self.segment.start == 0:
            first, before = plain.x0[0], plain.x0[0]
        elif before is None:
            raise RuntimeError(f"{self.method.spec.name} takes gradients but does not declare that it needs `previous`")
        reference = FrameReference(before[None])
        context = AnchorReader(self.settings.halves, recorder.cache)
        decode = StepDecoder(self.components, first if first is None else first[None])
        moved = _Moved(torch.empty_like(latents), torch.empty_like(latents))
        unguided = 1 if self.segment.start == 0 else 0
        moved.next[:unguided], moved.x0[:unguided] = plain.next[:unguided], plain.x0[:unguided]
        size = self.settings.graph_batch or len(latents)
        for start in range(unguided, len(latents), size):
            rows = range(start, min(start + size, len(latents)))
            inside = slice(rows.start, rows.stop)
            self._check_cancelled()
            if rows.stop <= len(plain.x0):
                graph = FrameGraph(plain.x0[inside], plain.next[inside])
            else:
                graph = self._graph(run, step, latents[inside], rows, context)
            moved.next[inside], reference = self._guide(run.hooks, step, start, graph, reference, decode)
            moved.x0[inside] = graph.x0.detach()
            del graph  # or it would be alive beside the next one
        return moved

    def _graph(self, run: _Run, step: Step, latents: Tensor, rows: range, context: AnchorReader) -> FrameGraph:
        """The segment's frames `rows` with their graph."""
        through, depth, text = self.method.gradient_through, run.depth.rows(rows), run.text.rows(rows)
        return frame_graph(run.denoiser, run.scheduler, through, latents, depth, text, step.timestep, context)

    def _guide(
        self, hooks: StepHooks, step: Step, row: int, graph: FrameGraph, reference: FrameReference, decode: Decode
    ) -> tuple[Tensor, FrameReference]:
        """The x_{t-1} of the frames from `row` on, and the last of them as the reference of the next.

        Each loss goes back to its own x0, then all of them together through the network: the chain rule.
        """
        x0, first = graph.x0.detach(), self.segment.start + row
        with torch.enable_grad():
            losses = hooks.losses(first, x0, reference, self._unless_cancelled(decode))
        last = losses[-1]
        following = graph.next.clone()
        if any(loss is not None for loss in losses):
            nothing = torch.zeros_like(following[:1])
            ends = torch.cat([nothing if loss is None else loss.gradient for loss in losses])
            for index, (loss, gradient) in enumerate(zip(losses, torch.split(graph.pull_back(ends), 1), strict=True)):
                if loss is not None:
                    following[index] = hooks.guided(step, first + index, following[index][None], loss, gradient)[0]
        return following, FrameReference(x0[-1:], None if last is None else last.picture)

    def _without_graph(self, latents: Tensor) -> Tensor:
        """The frames that a step with gradients predicts without a graph: all where it ends at x0, else frame 0."""
        if self.method.gradient_through == "decoder":
            return latents
        return latents[: 1 if self.segment.start == 0 else 0]

    def _unless_cancelled(self, decode: Decode) -> Decode:
        """The decoder, which takes the most of a guided step's time, asked before each use."""

        def decode_or_stop(latents: Tensor, crop: Crop | None = None, decoder: GuideDecoder = "full") -> Tensor:
            self._check_cancelled()
            return decode(latents, crop, decoder)

        return decode_or_stop

    def _check_cancelled(self) -> None:
        if self.callbacks.cancelled():
            raise CancelledError("job.cancelled", "The job was cancelled.")

    def _check_finite(self, latents: Tensor) -> None:
        if not torch.isfinite(latents).all():
            raise JobError("model.not_finite", "The model gave latents that are not finite.", "Run it in float32.")
