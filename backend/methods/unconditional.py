"""The gradient that LatentMan's published code steps by: that of the half without the prompt alone.

With classifier-free guidance the UNet sees x_t twice, with and without the prompt. The code takes both copies for
independent inputs and x_t itself for a constant, and keeps the gradient of the copy without the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd.graph import Node


def unconditional_gradient(loss: Tensor, latents: Tensor) -> Tensor:
    """d loss / d (the UNet's input without the prompt), shaped as `latents` (1, channels, h, w), a leaf of the graph.

    The two copies are one `repeat` of the leaf (`backend.diffusion.denoiser`), so the gradient is read where it enters
    that operation: first the copy without the prompt, then the other. Without classifier-free guidance there is one
    copy, and its gradient is meant. Raises RuntimeError if the graph has no such place.
    """
    node = _doubling(loss, latents)
    caught: list[Tensor] = []

    def catch(gradients: tuple[Tensor, ...]) -> None:
        caught.append(gradients[0])

    handle = node.register_prehook(catch)
    try:
        torch.autograd.grad(loss, latents)
    finally:
        handle.remove()
    return caught[0][: latents.shape[0]].to(latents.dtype)


def _doubling(loss: Tensor, leaf: Tensor) -> Node:
    """The node of the graph that copies the leaf for the halves of classifier-free guidance."""
    for node in _nodes(loss):
        if node.name().startswith("RepeatBackward") and _reads(node, leaf):
            return node
    raise RuntimeError("the graph behind the loss does not repeat the latents for classifier-free guidance")


def _reads(node: Node, leaf: Tensor) -> bool:
    """Whether the node's input is the leaf, as it is or in another precision."""
    following = node.next_functions[0][0]
    while following is not None and following.name().startswith("ToCopyBackward"):
        following = following.next_functions[0][0]
    return following is not None and getattr(following, "variable", None) is leaf


def _nodes(loss: Tensor) -> Iterator[Node]:
    """Every node of the graph once."""
    pending, seen = [loss.grad_fn], set()
    while pending:
        node = pending.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        pending += [following for following, _ in node.next_functions]
