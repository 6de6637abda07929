"""torch.compile, as an option: the blocks that are the same whatever the method, and nothing that reads a context."""

from __future__ import annotations

import torch
from diffusers.models.attention import FeedForward
from diffusers.models.resnet import ResnetBlock2D

from backend.models.sd15.components import Components

# Residual blocks and feed-forward layers of Stable Diffusion 1.5 come in about thirty shapes.
_RECOMPILATIONS = 64


def compile_blocks(components: Components, backend: str = "inductor") -> int:
    """Have residual blocks and feed-forward layers compiled at their next call, in place; returns how many more.

    Attention is left as it is: its kernels are fused already, and its processors read the step's context. The first
    step of a new picture size takes minutes. The crop decode has its own blocks and is not compiled.
    """
    torch._dynamo.config.recompile_limit = _RECOMPILATIONS
    count = 0
    for model in (components.unet, components.controlnet, components.vae.decoder):
        for module in model.modules():
            if isinstance(module, ResnetBlock2D | FeedForward) and module._compiled_call_impl is None:
                module.compile(backend=backend, dynamic=False)
                count += 1
    return count
