"""The frame-by-frame engine: a model of single pictures under a method, segment after segment.

    engine = FrameEngine(model, method, pictures, settings)
    result = engine.sample(Segment(0, 8))
    result = engine.sample(Segment(8, 16), result.carried)

Frames come out as each segment ends, and equal those of one batch of the whole shot up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.engine import EngineFacts
from backend.contract.values import (
    NOTHING_CARRIED,
    UNWATCHED,
    Batches,
    Callbacks,
    Canvas,
    Carried,
    Memory,
    SampleSettings,
    Segment,
    SegmentResult,
    Trajectory,
)
from backend.loop.memory import FrameMemory, choose_batches, fits_with_graph, free_bytes
from backend.loop.method import Enlarge, Finish, FrameMethod
from backend.loop.model import ControlPictures, FrameModel
from backend.loop.noise import draw
from backend.loop.pictures import check_finite, grey_levels
from backend.loop.sampler import Sampler
from backend.loop.steps import MOST_CARRIED, StepRunner
from shared.errors import InputError, JobError


@dataclass(frozen=True, slots=True, eq=False)
class FrameEngine:
    """Implements `contract.engine.Engine`. `controls` are the shot's depth pictures, unless the method has its own.

    `machinery` names hardware, libraries and files, for the record. `finish` is the job's; without one the method's
    own is taken. `enlarge` is what finished pictures go through last. `told` says how the job was read.
    """

    model: FrameModel
    method: FrameMethod
    controls: ControlPictures
    settings: SampleSettings
    machinery: str = ""
    finish: Finish | None = None
    enlarge: Enlarge | None = None
    told: tuple[str, ...] = ()
    _seen: list[tuple[Tensor, Tensor]] = field(default_factory=list)  # latents and their pictures, sampled last

    @property
    def facts(self) -> EngineFacts:
        """What a result's record says."""
        model = self.model
        dtype = str(model.dtype).removeprefix("torch.")
        return EngineFacts(str(model.device), dtype, model.prompt_cut, self.machinery)

    def plan(self) -> Batches:
        """Both batches, as there is room for them now where the settings leave them open.

        Raises InputError for a size that does not fit the model.
        """
        device = self.model.device
        return choose_batches(self._memory(), self.method.gradient_through, free_bytes(device), device, self.settings)

    def sample(
        self,
        segment: Segment,
        carried: Carried = NOTHING_CARRIED,
        batches: Batches | None = None,
        callbacks: Callbacks = UNWATCHED,
    ) -> SegmentResult:
        """Denoise the frames of one segment, all in step; see `Engine.sample`.

        Results are the same for any cut of a shot into segments, up to rounding, unless a method looks at a segment as
        a whole or attends to the frame before.
        """
        canvas = self._canvas()
        carried = self._checked(segment, carried, canvas)
        planned = self.plan() if batches is None else batches
        model, own = self.model, self.method.control_pictures
        with ExitStack() as scope:
            if not fits_with_graph(self._memory(), self.method.gradient_through, free_bytes(model.device)):
                scope.enter_context(model.recomputing())
            parts = self.method.prepare(segment, canvas, callbacks)
            scheduler = model.scheduler(self.settings.steps)
            denoiser = scope.enter_context(
                model.denoiser(self.settings, segment, self.controls if own is None else own, parts.temporal)
            )
            if parts.temporal is not None:  # they see all frames of the segment together
                planned = Batches(len(segment) + MOST_CARRIED, len(segment))
            halves = self.settings.halves
            runner = StepRunner(model, denoiser, scheduler, segment, carried, planned, callbacks, halves)
            result = Sampler(runner, parts).run(self._noise(segment, canvas))
        return self._remembering(segment, carried.memory, result, callbacks)

    def decode(
        self,
        segment: Segment,
        latents: Tensor,
        frames: Sequence[int],
        memory: Memory | None = None,
        callbacks: Callbacks = UNWATCHED,
    ) -> Iterator[NDArray[np.uint8]]:
        """The finished pictures of `frames`; see `Engine.decode`. Frames are decoded one at a time."""
        for picture in self._finished(segment, latents, [frame - segment.start for frame in frames], memory, callbacks):
            if self.enlarge is not None:
                callbacks.check_cancelled()
                picture = self.enlarge(picture)
            yield picture

    def files(self, memory: Memory | None) -> Mapping[str, bytes]:
        """The job's result files; see `Engine.files`."""
        return {} if self._finish is None or memory is None else self._finish.files(memory)

    def notes(self, memory: Memory | None) -> tuple[str, ...]:
        """What was chosen; see `Engine.notes`."""
        chosen = self.told + (() if self._finish is None or memory is None else self._finish.notes(memory))
        if self.enlarge is None:
            return chosen
        factor, width, height = self.enlarge.factor, self.settings.width, self.settings.height
        return (*chosen, f"Frames were enlarged {factor} times, to {factor * width}x{factor * height}.")

    def preview(self, x0: Tensor) -> Tensor:
        """A quick picture of one frame's clean latents; see `Engine.preview`."""
        return self.model.preview(x0)

    @property
    def _finish(self) -> Finish | None:
        return self.method.finish if self.finish is None else self.finish

    def _finished(
        self, segment: Segment, latents: Tensor, rows: Sequence[int], memory: Memory | None, callbacks: Callbacks
    ) -> Iterator[NDArray[np.uint8]]:
        """The finished pictures of some rows of a segment, at the job's own size."""
        finish = self._finish
        if finish is None:
            for row in rows:
                yield grey_levels(self._picture(latents, row, callbacks))
            return
        if memory is None:
            raise JobError("job.trajectory", "The segment's frames cannot be finished: its memory is missing.")
        with torch.no_grad():
            finished = finish.finished(segment, self._whole(latents, callbacks), memory)
        for row in rows:
            yield grey_levels(finished[row])

    def _remembering(
        self, segment: Segment, before: Memory | None, result: SegmentResult, callbacks: Callbacks
    ) -> SegmentResult:
        """A sampled segment with what the finish learns of it."""
        if self._finish is None:
            return result
        pictures = self._whole(result.latents, callbacks)
        self._seen[:] = [(result.latents, pictures)]
        with torch.no_grad():
            return replace(result, memory=self._finish.learned(segment, pictures, before))

    def _whole(self, latents: Tensor, callbacks: Callbacks) -> Tensor:
        """All pictures (frames, 3, height, width) of a segment, 0..1, not decoded again where it was sampled last."""
        for seen, pictures in self._seen:
            if seen is latents:
                return pictures
        return torch.stack([self._picture(latents, row, callbacks) for row in range(len(latents))]).clamp(0, 1)

    @torch.no_grad()
    def _picture(self, latents: Tensor, row: int, callbacks: Callbacks) -> Tensor:
        callbacks.check_cancelled()
        picture = self.model.decode(latents[row : row + 1].to(self.model.device))[0]
        check_finite(picture, row)
        return picture

    def _memory(self) -> FrameMemory:
        return self.model.frame_memory(self._canvas(), self.settings.halves, self.method.model_parts)

    def _canvas(self) -> Canvas:
        settings, factor = self.settings, self.model.latent_factor
        for name, size in (("height", settings.height), ("width", settings.width)):
            if size % factor:
                raise InputError(
                    "sample.size", f"The {name} is {size} pixels; this model needs a multiple of {factor}."
                )
        return Canvas(
            settings.height // factor, settings.width // factor, settings.height, settings.width, self.model.device
        )

    def _noise(self, segment: Segment, canvas: Canvas) -> Tensor:
        """x_T of every frame of the segment."""
        shape = (self.model.latent_channels, canvas.latent_height, canvas.latent_width)
        streams = [self.method.noise_stream(frame) for frame in range(segment.start, segment.stop)]
        noise = torch.stack([draw(self.settings.seed, stream, shape) for stream in streams])
        return noise.to(self.model.device, self.model.state_dtype)

    def _checked(self, segment: Segment, carried: Carried, canvas: Canvas) -> Carried:
        """What the segment goes on from, of the right sizes; nothing where it is the shot's first."""
        if segment.start == 0:
            return NOTHING_CARRIED
        spec, settings = self.method.spec, self.settings
        expected = settings.steps, self.model.latent_channels, canvas.latent_height, canvas.latent_width
        _check_trajectory("frame 0's", spec.needs_first, carried.first, expected)
        _check_trajectory("the last frame's", spec.needs_previous, carried.previous, expected)
        if self._finish is not None and carried.memory is None:
            raise JobError("job.trajectory", "This segment needs the memory of the segments before it.")
        return carried


def _check_trajectory(whose: str, needed: bool, trajectory: Trajectory | None, expected: tuple[int, ...]) -> None:
    if trajectory is None:
        if needed:
            raise JobError("job.trajectory", f"This segment needs {whose} trajectory of the segments before it.")
        return
    for key, values in (("latents", trajectory.latents), ("x0", trajectory.x0)):
        if tuple(values.shape) != expected:
            raise JobError(
                "job.trajectory", f"In {whose} trajectory the {key} are {tuple(values.shape)}; this job has {expected}."
            )
