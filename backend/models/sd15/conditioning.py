"""Control pictures as the ControlNet takes them, embedded once instead of at every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from backend.contract.values import SampleSettings, Segment
from backend.loop.model import ControlPictures, Frames
from backend.models.sd15.components import Components
from shared.errors import InputError

KEPT_FRAMES = 16


def control_pictures(pictures: NDArray[np.float32]) -> Tensor:
    """Grey pictures (frames, height, width) or coloured ones (frames, 3, height, width), 0..1 -> the ControlNet's
    (frames, 3, height, width). Raises InputError for values outside 0..1."""
    if not np.isfinite(pictures).all() or (pictures < 0).any() or (pictures > 1).any():
        raise InputError("sample.depth", "A control picture has values outside 0..1.", "Render the passes again.")
    values = torch.from_numpy(np.ascontiguousarray(pictures, np.float32))
    return values[:, None].expand(-1, 3, -1, -1) if values.ndim == 3 else values


@torch.no_grad()
def embed_pictures(components: Components, pictures: Tensor) -> Tensor:
    """The ControlNet's conditioning embedding of each picture (frames, 3, height, width): (frames, channels, h, w).

    It depends on neither step nor prompt. Frames go one at a time, because the first convolutions run at the
    picture's full size.
    """
    return _embed(components, components.controlnet.controlnet_cond_embedding, pictures)


def _embed(components: Components, embedding: nn.Module, pictures: Tensor) -> Tensor:
    return torch.cat([embedding(components.to_model(picture[None])) for picture in pictures])


@dataclass(frozen=True, slots=True, eq=False)
class SegmentControls:
    """Embedded control pictures of a segment and of the frames that run again in it; made by `segment_controls`.

    The embedding of a frame takes as much memory as tens of its latents, so that a long segment keeps its first
    frames' only, and embeds the others again at each step, at less than a hundredth of the step's cost.
    """

    components: Components
    embedding: nn.Module  # the ControlNet's, which is out of its place while the loop runs
    segment: Segment
    pictures: Tensor  # (frames, 3, height, width)
    kept: Tensor  # (at most KEPT_FRAMES, channels, h, w)
    carried: Mapping[int, Tensor]  # (1, channels, h, w) of frames before the segment

    @torch.no_grad()
    def of(self, frames: Frames) -> Tensor:
        """The embedded pictures of one call's frames, (n, channels, h, w)."""
        start, stop = (frame - self.segment.start for frame in (frames.own.start, frames.own.stop))
        middle = max(min(stop, len(self.kept)), start)
        parts = [*(self.carried[frame] for frame in frames.carried), self.kept[start:middle]]
        if middle < stop:
            parts.append(_embed(self.components, self.embedding, self.pictures[middle:stop]))
        return torch.cat(parts) if len(parts) > 1 else parts[0]


def segment_controls(
    components: Components, settings: SampleSettings, segment: Segment, controls: ControlPictures
) -> SegmentControls:
    """Embed a segment's control pictures, and those of frame 0 and of the frame before the segment.

    Raises InputError for values outside 0..1, and for pictures of another size or of fewer frames.
    """
    pictures = control_pictures(_checked(controls, range(segment.start, segment.stop), settings))
    before = {0, segment.start - 1} if segment.start else set()
    read = {frame: control_pictures(_checked(controls, range(frame, frame + 1), settings)) for frame in before}
    return SegmentControls(
        components,
        components.controlnet.controlnet_cond_embedding,
        segment,
        pictures,
        embed_pictures(components, pictures[:KEPT_FRAMES]),
        {frame: embed_pictures(components, picture) for frame, picture in read.items()},
    )


def _checked(controls: ControlPictures, frames: range, settings: SampleSettings) -> NDArray[np.float32]:
    pictures = controls(frames)
    size = (settings.height, settings.width)
    if pictures.shape not in ((len(frames), *size), (len(frames), 3, *size)):
        raise InputError(
            "sample.depth",
            f"The control pictures of frames {frames.start} to {frames.stop - 1} are {pictures.shape}; "
            f"they must be {(len(frames), *size)}.",
        )
    return pictures


@contextmanager
def embedded_pictures(components: Components) -> Iterator[None]:
    """Inside, the ControlNet takes embedded pictures (from `embed_pictures`) where it otherwise takes pictures."""
    controlnet = components.controlnet
    embedding = controlnet.controlnet_cond_embedding
    controlnet.controlnet_cond_embedding = nn.Identity()
    try:
        yield
    finally:
        controlnet.controlnet_cond_embedding = embedding
