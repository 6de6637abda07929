"""Depth pictures as the ControlNet takes them, embedded once instead of at every step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from backend.diffusion.components import Components
from shared.errors import InputError


def control_pictures(depth: NDArray[np.float32]) -> Tensor:
    """Depth (frames, height, width) 0..1 -> ControlNet's picture (frames, 3, height, width), equal channels.

    Raises InputError for values outside 0..1.
    """
    if not np.isfinite(depth).all() or (depth < 0).any() or (depth > 1).any():
        raise InputError("sample.depth", "A depth picture has values outside 0..1.", "Render the passes again.")
    return torch.from_numpy(np.ascontiguousarray(depth, np.float32))[:, None].expand(-1, 3, -1, -1)


@torch.no_grad()
def embed_depth(components: Components, depth: NDArray[np.float32]) -> Tensor:
    """The ControlNet's conditioning embedding of each depth picture: (frames, channels, h, w).

    It depends on neither step nor prompt, so a segment computes it once; frames go one at a time, because the first
    convolutions run at the picture's full size.
    """
    embedding = components.controlnet.controlnet_cond_embedding
    pictures = control_pictures(depth)
    frames = [embedding(components.to_model(picture[None])) for picture in pictures]
    return torch.cat(frames)


@contextmanager
def embedded_depth(components: Components) -> Iterator[None]:
    """Inside, the ControlNet takes embedded depth (from `embed_depth`) where it otherwise takes pictures."""
    controlnet = components.controlnet
    embedding = controlnet.controlnet_cond_embedding
    controlnet.controlnet_cond_embedding = nn.Identity()
    try:
        yield
    finally:
        controlnet.controlnet_cond_embedding = embedding
