"""Frames that agree on one texture while they are denoised.

At a few steps all frames are decoded, fused into one texture of the body and drawn again from it; what that changes is
encoded as a residual, z = x0 + E(F) - E(I), with the predicted noise held. Steps that follow give the detail back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import Memory, Segment, Step
from backend.loop.method import StepTools
from backend.surface.beside import REACH, distance_px
from backend.surface.composite import composite, covered
from backend.surface.fuse import fuse
from backend.surface.lock import TEXTURE, keeps_plate, plate_of
from backend.surface.plate import background_plate, trust_of
from backend.surface.shot_surface import SegmentSurface, ShotSurface
from backend.surface.texture import Texture, light_of

# The light is fitted at so many of the first steps and held from then on: a new fit at each loses some of it each time.
FITTED = 2
# Detail is drawn a little stronger than it was: the autoencoder takes up only a part of it.
EMPHASIS = 1.06

Floats = NDArray[np.float32]


def consensus_steps(span: tuple[float, float], count: int, steps: int) -> tuple[int, ...]:
    """The steps at which frames agree: `count` of them from the span's start to its end, evenly."""
    if count == 0 or span[0] >= span[1]:
        return ()
    places = np.linspace(span[0], span[1], count) if count > 1 else np.array([sum(span) / 2])
    return tuple(sorted({min(round(float(place) * steps), steps - 1) for place in places}))


@dataclass(slots=True, eq=False)
class Consensus:
    """Implements `loop.method.CleanLatents` for one run of one segment, whose light it keeps."""

    surface: ShotSurface
    segment: Segment
    span: tuple[float, float]
    count: int
    background: bool
    _lights: list[Floats] = field(default_factory=list)

    def acts(self, step: Step) -> bool:
        """At the steps of consensus."""
        return step.index in consensus_steps(self.span, self.count, step.count)

    def changed(self, step: Step, x0: Tensor, tools: StepTools) -> Tensor:
        """x0 (frames, channels, h, w) with the body of one texture."""
        drawn = [tools.decode(one[None])[0] for one in x0]
        frames = np.stack([picture.clamp(0, 1).permute(1, 2, 0).float().cpu().numpy() for picture in drawn])
        agreed = self._agreed(frames, tools.memory)
        out = []
        for one, picture, target in zip(x0, drawn, agreed, strict=True):
            wanted = torch.from_numpy(target).permute(2, 0, 1).to(picture)
            both = tools.encode(torch.stack([wanted, picture.clamp(0, 1)]))
            out.append(one + (both[0] - both[1]).to(one))
        return torch.stack(out)

    def _agreed(self, frames: Floats, memory: Memory | None) -> Sequence[Floats]:
        seen = self.surface.segment(range(self.segment.start, self.segment.stop))
        before = None if memory is None else Texture.from_arrays(memory.arrays, TEXTURE)
        texture = fuse(self.surface, seen, frames, before, self._light(before), EMPHASIS)
        if light_of(before) is None and len(self._lights) < FITTED:
            self._lights.append(texture.light)
        pictures = []
        for one, behind in zip(seen.frames, self._backgrounds(seen, frames, memory), strict=True):
            body, drawn = texture.drawn(one)
            pictures.append(composite(one, np.clip(body, 0, 1), drawn, behind))
        return pictures

    def _backgrounds(self, seen: SegmentSurface, frames: Floats, memory: Memory | None) -> Sequence[Floats]:
        """The frames with one plate behind them, away from the body; what goes with it is left to the model."""
        passes = self.surface.passes
        still = passes.shot.camera.stands_still(self.segment.stop)
        if not (self.background and still and keeps_plate(memory)):
            return list(frames)
        before = plate_of(memory)
        distances = [distance_px(covered(one, passes.size)) for one in seen.frames]
        plate = background_plate(frames, [trust_of(one) for one in distances], before)
        reach, behind = REACH * passes.size[0], []
        for frame, distance in zip(frames, distances, strict=True):
            away = np.clip(distance / reach * 2 - 1, 0, 1)[..., None]
            behind.append(frame + away * (plate.colour - frame))
        return behind

    def _light(self, before: Texture | None) -> Floats | None:
        """That of the segments before, or the mean of this one's first fits once they are there, or none yet."""
        held = light_of(before)
        if held is not None:
            return held
        return None if len(self._lights) < FITTED else np.asarray(np.mean(self._lights, axis=0), np.float32)
