"""MasaCtrl's mutual self-attention (Cao et al., 2023, section 3.3), from frame 0: LatentMan's second baseline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from backend.contract.values import UNWATCHED, Callbacks, Canvas, Segment, Step
from backend.loop.attending import FRAME_ZERO, Attend, Layer
from backend.loop.method import FrameMethod, Parts
from backend.loop.noise import SHARED_NOISE, NoiseStream
from shared.methods import METHODS, MethodSpec

_UP_BLOCK = re.compile(r"up_blocks\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class MasaCtrl(FrameMethod):
    """Shared initial noise; the UNet's later decoder reads frame 0's keys and values once the layout stands.

    The released code starts at step 4 and at the tenth of Stable Diffusion's 16 transformer blocks. Those are
    up_blocks 2 and 3, and so they are named here, for that also says what is meant in a smaller UNet.
    """

    first_step: int = 4
    first_up_block: int = 2

    spec: ClassVar[MethodSpec] = METHODS["masactrl"]

    def noise_stream(self, frame: int) -> NoiseStream:
        """One stream for all frames."""
        return SHARED_NOISE

    def prepare(self, segment: Segment, canvas: Canvas, callbacks: Callbacks = UNWATCHED) -> Parts:
        """Late layers read frame 0 at late steps."""
        return Parts(attention=self.attends)

    def attends(self, layer: Layer, step: Step) -> tuple[Attend, ...]:
        """Frame 0 from `first_step` on, in the UNet's `first_up_block` and those after it; never in the ControlNet."""
        block = _UP_BLOCK.match(layer.name)
        late = block is not None and int(block[1]) >= self.first_up_block
        return FRAME_ZERO if late and layer.model == "unet" and step.index >= self.first_step else ()
