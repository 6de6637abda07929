"""Depth pictures as the ControlNet takes them, embedded once instead of at every step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from backend.models.sd15.components import Components
from shared.errors import InputError

KEPT_FRAMES = 16


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

    It depends on neither step nor prompt. Frames go one at a time, because the first convolutions run at the
    picture's full size.
    """
    embedding = components.controlnet.controlnet_cond_embedding
    return _embed(components, embedding, control_pictures(depth))


def _embed(components: Components, embedding: Any, pictures: Tensor) -> Tensor:
    return torch.cat([embedding(components.to_model(picture[None])) for picture in pictures])


@dataclass(frozen=True, slots=True, eq=False)
class SegmentDepth:
    """Embedded depth of a segment and of the shot's frame 0; made by `segment_depth`.

    The embedding of a frame takes as much memory as tens of its latents, so that a long segment keeps its first
    frames' only, and embeds the others again at each step, at less than a hundredth of the step's cost.
    """

    components: Components
    embedding: Any  # the ControlNet's, which is out of its place while the loop runs
    pictures: Tensor  # (frames, 3, height, width)
    kept: Tensor  # (at most KEPT_FRAMES, channels, h, w)
    anchor: Tensor  # (1, channels, h, w) frame 0's

    @torch.no_grad()
    def rows(self, rows: range) -> Tensor:
        """The embedded depth of consecutive rows of the segment; row -1 is the shot's frame 0."""
        parts = [self.anchor] if rows.start < 0 else []
        start, middle = max(rows.start, 0), max(min(rows.stop, len(self.kept)), max(rows.start, 0))
        parts.append(self.kept[start:middle])
        if middle < rows.stop:
            parts.append(_embed(self.components, self.embedding, self.pictures[middle : rows.stop]))
        return torch.cat(parts) if len(parts) > 1 else parts[0]


def segment_depth(
    components: Components,
    depth: NDArray[np.float32],  # (frames, height, width) 0..1
    anchor_depth: NDArray[np.float32],  # (height, width) the shot's frame 0
) -> SegmentDepth:
    """Embed a segment's depth pictures. Raises InputError for values outside 0..1."""
    return SegmentDepth(
        components,
        components.controlnet.controlnet_cond_embedding,
        control_pictures(depth),
        embed_depth(components, depth[:KEPT_FRAMES]),
        embed_depth(components, anchor_depth[None]),
    )


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
