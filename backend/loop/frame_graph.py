"""A few frames' x0 with the graph that led to it, through which a loss's gradient is pulled back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.loop.attending import AttentionContext
from backend.loop.memory import GradientThrough
from backend.loop.model import Denoiser, Frames, Scheduler


@dataclass(frozen=True, slots=True, eq=False)
class FrameGraph:
    """Frames at one step; made by `GraphMaker.graph`, or without a leaf where the gradient ends at x0."""

    x0: Tensor  # (frames, channels, h, w) in the graph, if there is one
    next: Tensor  # (frames, channels, h, w) the scheduler's x_{t-1}, without a graph
    leaf: Tensor | None = None

    def pull_back(self, gradient: Tensor) -> Tensor:
        """A loss's gradient with respect to x0 -> with respect to the leaf, both (frames, channels, h, w); once.

        Of a leaf that holds both halves of classifier-free guidance it is the one without the prompt.
        """
        if self.leaf is None:
            return gradient
        (pulled,) = torch.autograd.grad(self.x0, self.leaf, gradient)
        return pulled[: len(gradient)].to(gradient.dtype)


@dataclass(frozen=True, slots=True, eq=False)
class GraphMaker:
    """Predicts frames with the graph that `through` asks for."""

    denoiser: Denoiser
    scheduler: Scheduler
    through: GradientThrough

    def graph(self, latents: Tensor, frames: Frames, timestep: int, context: AttentionContext) -> FrameGraph:
        """x0 and x_{t-1} of some frames' x_t (frames, channels, h, w).

        "unconditional" is the published code's: the copies of x_t for the two halves are the graph's leaf, and x_t as
        the scheduler takes it is a constant.
        """
        with torch.enable_grad():
            from_copies = self.through == "unconditional"
            start = self.denoiser.copies(latents) if from_copies else latents
            leaf = start.detach().clone().requires_grad_()
            copies, x = (leaf, latents) if from_copies else (self.denoiser.copies(leaf), leaf)
            output = self.denoiser.predict_copies(
                copies, frames, timestep, context, control_gradient=self.through == "controlnet"
            )
            following, x0 = self.scheduler.step(output, timestep, x, return_dict=False)
        return FrameGraph(x0, following.detach(), leaf)
