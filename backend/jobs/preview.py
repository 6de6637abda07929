"""A small picture of a step now and then: read from the latents, never decoded, and never written to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from backend.jobs.worker_events import Preview

PREVIEW_SIDE = 64  # pixels of the longer side, that of Stable Diffusion's latents at 512 pixels
PAUSE_S = 1.0


@dataclass(slots=True)
class StepPreviews:
    """Makes a preview of the steps that come more than `pause_s` after the last one; none where that is None."""

    colours: Callable[[Tensor], Tensor]  # latents (channels, h, w) -> (3, h, w) in 0..1
    pause_s: float | None = PAUSE_S
    _last: float = field(default_factory=time.monotonic)

    def show(self, frame: int, x0: Tensor, emit: Callable[[Preview], None]) -> None:
        """Emit a picture of `x0`, the present estimate (channels, h, w) of a frame's latents, if one is due."""
        now = time.monotonic()
        if self.pause_s is None or now - self._last < self.pause_s:
            return
        self._last = now
        picture = preview_picture(self.colours, x0)
        height, width = picture.shape[:2]
        emit(Preview(frame, width, height, picture.contiguous().numpy().tobytes()))


def preview_picture(colours: Callable[[Tensor], Tensor], x0: Tensor) -> Tensor:
    """The picture (height, width, 3) uint8 of a frame's latents (channels, h, w), `PREVIEW_SIDE` on its longer side."""
    height, width = x0.shape[-2:]
    scale = PREVIEW_SIDE / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    picture = functional.interpolate(colours(x0)[None], size, mode="bilinear", antialias=True)[0]
    return (picture.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)
