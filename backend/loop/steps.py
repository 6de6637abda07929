"""One denoising step of a segment's frames without gradients, batch after batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from backend.contract.values import Batches, Callbacks, Carried, Segment, Step
from backend.loop.attending import KeysValues, Layer, Source, StepMemory, read_frame_zero, step_memory
from backend.loop.method import StepTools
from backend.loop.model import Denoiser, FrameModel, Frames, Scheduler

MOST_CARRIED = 2  # frame 0 and the frame before the segment


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """All frames of the segment after a step."""

    next: Tensor  # (frames, channels, h, w) x_{t-1}
    x0: Tensor  # (frames, channels, h, w)


@dataclass(frozen=True, slots=True, eq=False)
class StepRunner:
    """What runs a segment's steps: the model with the segment's prompts and pictures, and what is carried on."""

    model: FrameModel
    denoiser: Denoiser
    scheduler: Scheduler
    segment: Segment
    carried: Carried
    batches: Batches
    callbacks: Callbacks
    halves: int

    def steps(self) -> list[Step]:
        """The steps of the scheduler, noisiest first."""
        scheduler, products = self.scheduler, self.scheduler.alphas_cumprod
        timesteps = [int(timestep) for timestep in scheduler.timesteps]
        between = int(scheduler.config.num_train_timesteps) // len(timesteps)
        return [
            Step(
                index,
                len(timesteps),
                timestep,
                float(products[timestep]),
                float(products[timestep - between] if timestep >= between else scheduler.final_alpha_cumprod),
            )
            for index, timestep in enumerate(timesteps)
        ]

    def tools(self, step: Step, first_x0: Tensor | None) -> StepTools:
        """What the method has at hand; `first_x0` (channels, h, w) is frame 0's."""
        first = None if first_x0 is None else first_x0[None]
        recorded, check = partial(self._recorded, step), self.callbacks.check_cancelled
        return StepTools(self.model, first, recorded, check, self.carried.memory)

    @torch.no_grad()
    def _recorded(self, step: Step, latents: Tensor) -> Mapping[Layer, KeysValues]:
        """What the layers make of x_t (1, channels, h, w) that is no frame's, with frame 0's prompt and picture."""
        self.callbacks.check_cancelled()
        memory = step_memory(read_frame_zero, self.model.layers, step, self.halves)
        frames = (
            Frames((0,), range(self.segment.start, self.segment.start)) if self.segment.start else Frames((), range(1))
        )
        self.denoiser.predict_copies(self.denoiser.copies(latents), frames, step.timestep, memory.call((0,)))
        return memory.first

    def first_x0(self, step: Step, moved: Moved) -> Tensor | None:
        """Frame 0's x0 (channels, h, w) at this step, None where it ran before the segment and is not carried on."""
        if self.segment.start == 0:
            return moved.x0[0]
        return None if self.carried.first is None else self.at(self.carried.first.x0, step)

    def at(self, values: Tensor, step: Step) -> Tensor:
        """A step's row of a trajectory's (steps, channels, h, w), where the latents are and in their precision."""
        return values[step.index].to(self.model.device, self.model.state_dtype)

    def advance(self, step: Step, latents: Tensor, memory: StepMemory) -> Moved:
        """One step of the segment's first frames, x_t (frames, channels, h, w).

        Carried frames that others read run again ahead of them, in the same batches.
        """
        moved = Moved(torch.empty_like(latents), torch.empty_like(latents))
        again = self._running_again(step, memory)
        size = self.batches.micro_batch
        for row in range(0, len(again) + len(latents), size):
            self.callbacks.check_cancelled()
            carried = again[row : row + size]
            own = slice(max(row - len(again), 0), max(min(row + size - len(again), len(latents)), 0))
            frames = self.frames(tuple(frame for frame, _ in carried), own)
            batch = latents[own]
            if carried:
                batch = torch.cat([torch.stack([x for _, x in carried]), batch])
            output = self.denoiser.predict_copies(
                self.denoiser.copies(batch), frames, step.timestep, memory.call(frames.all)
            )
            if frames.own:
                moved.next[own], moved.x0[own] = self.scheduler.step(
                    output[len(carried) :], step.timestep, latents[own], return_dict=False
                )
        return moved

    def frames(self, carried: tuple[int, ...], rows: slice) -> Frames:
        """Carried frames and the segment's `rows`, by their index in the shot."""
        start = self.segment.start
        return Frames(carried, range(start + rows.start, start + rows.stop))

    def _running_again(self, step: Step, memory: StepMemory) -> list[tuple[int, Tensor]]:
        """The frames of earlier segments that are read in this one, and their x_t (channels, h, w)."""
        before = self.segment.start - 1
        if before < 0:
            return []
        wanted = ((Source.FIRST, 0, self.carried.first), (Source.PREVIOUS, before, self.carried.previous))
        again: dict[int, Tensor] = {}
        for source, frame, trajectory in wanted:
            if memory.reads_from(source) and frame not in again:
                if trajectory is None:
                    raise RuntimeError(f"the method attends to frame {frame} but does not declare that it needs it")
                again[frame] = self.at(trajectory.latents, step)
        return list(again.items())
