"""A step at which a loss on decoded frames moves them (LatentMan, section 3.5), for any method that has such a loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.contract.values import Step
from backend.loop.attending import StepMemory
from backend.loop.frame_graph import FrameGraph, GraphMaker
from backend.loop.method import FrameReference, Guidance, StepTools
from backend.loop.steps import Moved, StepRunner


@dataclass(frozen=True, slots=True, eq=False)
class GuidedSteps:
    """A segment's steps under one guidance; memory is that of `graph_batch` frames' graphs."""

    runner: StepRunner
    guidance: Guidance

    def advance(self, step: Step, latents: Tensor, memory: StepMemory) -> Moved:
        """One step of x_t (frames, channels, h, w); the shot's frame 0 moves as without guidance.

        Every frame is predicted once, with its graph if it needs one, and that prediction is the sampler's own.
        """
        runner = self.runner
        unguided = 1 if runner.segment.start == 0 else 0
        to_x0 = self.guidance.through == "decoder"
        plain = runner.advance(step, latents if to_x0 else latents[:unguided], memory)
        reference = FrameReference(self._before(step, plain)[None])
        tools = runner.tools(step, runner.first_x0(step, plain))
        graphs = GraphMaker(runner.denoiser, runner.scheduler, self.guidance.through)
        moved = Moved(torch.empty_like(latents), torch.empty_like(latents))
        moved.next[:unguided], moved.x0[:unguided] = plain.next[:unguided], plain.x0[:unguided]
        for start in range(unguided, len(latents), runner.batches.graph_batch):
            rows = slice(start, min(start + runner.batches.graph_batch, len(latents)))
            runner.callbacks.check_cancelled()
            if to_x0:
                graph = FrameGraph(plain.x0[rows], plain.next[rows])
            else:
                frames = runner.frames((), rows)
                graph = graphs.graph(latents[rows], frames, step.timestep, memory.call(frames.all))
            moved.next[rows], reference = self._guide(step, runner.segment.start + start, graph, reference, tools)
            moved.x0[rows] = graph.x0.detach()
            del graph  # or it would be alive beside the next one
        return moved

    def _before(self, step: Step, plain: Moved) -> Tensor:
        """x0 (channels, h, w) of the frame before the first that is guided."""
        if self.runner.segment.start == 0:
            return plain.x0[0]
        if self.runner.carried.previous is None:
            raise RuntimeError("the method guides frames but does not declare that it needs the frame before")
        return self.runner.at(self.runner.carried.previous.x0, step)

    def _guide(
        self, step: Step, first: int, graph: FrameGraph, reference: FrameReference, tools: StepTools
    ) -> tuple[Tensor, FrameReference]:
        """The x_{t-1} of the frames from `first` on, and the last of them as the reference of the next.

        Each loss goes back to its own x0, then all of them together through the network: the chain rule.
        """
        x0 = graph.x0.detach()
        with torch.enable_grad():
            losses = self.guidance.losses(first, x0, reference, tools)
        last = losses[-1]
        following = graph.next.clone()
        if any(loss is not None for loss in losses):
            nothing = torch.zeros_like(following[:1])
            ends = torch.cat([nothing if loss is None else loss.gradient for loss in losses])
            pulled = torch.split(graph.pull_back(ends), 1)
            for index, (loss, gradient) in enumerate(zip(losses, pulled, strict=True)):
                if loss is not None:
                    moved = self.guidance.guided(step, first + index, following[index][None], loss, gradient)
                    following[index] = moved[0]
        return following, FrameReference(x0[-1:], None if last is None else last.picture)
