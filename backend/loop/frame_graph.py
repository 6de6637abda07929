"""A few frames' x0 with the graph that led to it, through which a loss's gradient is pulled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from backend.loop.denoiser import Denoiser
from backend.loop.method import GradientThrough
from backend.models.sd15.attention import AttentionContext


@dataclass(frozen=True, slots=True, eq=False)
class FrameGraph:
    """Frames at one step; made by `frame_graph`, or without a leaf where the gradient ends at x0."""

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


def frame_graph(
    denoiser: Denoiser,
    scheduler: Any,
    through: GradientThrough,
    latents: Tensor,  # (frames, channels, h, w) x_t
    depth: Tensor,  # (frames, control channels, h, w) embedded depth
    text: Tensor | None,  # as `Denoiser.predict` takes it
    timestep: int,
    context: AttentionContext,
) -> FrameGraph:
    """Predict x0 and x_{t-1} of some frames with the graph that `through` asks for.

    "unconditional" is the published code's: the copies of x_t for the two halves are the graph's leaf, and x_t as
    the scheduler takes it is a constant.
    """
    with torch.enable_grad():
        from_copies = through == "unconditional"
        leaf = (denoiser.copies(latents) if from_copies else latents).detach().clone().requires_grad_()
        copies, x = (leaf, latents) if from_copies else (denoiser.copies(leaf), leaf)
        output = denoiser.predict_copies(
            copies, depth, timestep, context, text=text, controlnet_gradient=through == "controlnet"
        )
        following, x0 = scheduler.step(output, timestep, x, return_dict=False)
    return FrameGraph(x0, following.detach(), leaf)
