"""The lock: every frame's body shown from one texture, lit as the frames agree, in front of one background.

A finish for the frames of any method. Each segment goes on from the texture of those before it and passes over to its
own frame by frame, so that nothing jumps where a segment ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import Memory, Segment
from backend.surface.atlas_picture import atlas_png
from backend.surface.composite import composite, outside_distance_px
from backend.surface.fuse import fuse
from backend.surface.off_body import BackgroundChoice, chosen_background
from backend.surface.plate import Plate, background_plate, blended_plate
from backend.surface.shot_surface import SegmentSurface, ShotSurface
from backend.surface.texture import Texture, blended

TEXTURE, TEXTURE_BEFORE = "texture.", "texture_before."
PLATE, PLATE_BEFORE = "plate.", "plate_before."
CHOICE = "background"

Background = Literal["auto", "keep", "plate"]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceLock:
    """Implements `loop.method.Finish`. With `applied` False it only remembers: pictures stay as they were decoded.

    `background` is what becomes of the background; `prompts` are all of the job's, which may name what a plate would
    cut.
    """

    surface: ShotSurface
    background: Background = "auto"
    prompts: tuple[str, ...] = ()
    applied: bool = True

    def learned(self, segment: Segment, pictures: Tensor, memory: Memory | None) -> Memory:
        """The texture, and the plate, with a segment in them; see `Finish.learned`."""
        frames, seen = _array(pictures), self.surface.segment(range(segment.start, segment.stop))
        before = None if memory is None else Texture.from_arrays(memory.arrays, TEXTURE)
        after = fuse(self.surface, seen, frames, before, None if before is None else before.light)
        arrays = after.arrays(TEXTURE) | ({} if before is None else before.arrays(TEXTURE_BEFORE))
        return Memory(arrays | self._plate_arrays(seen, frames, memory))

    def finished(self, segment: Segment, pictures: Tensor, memory: Memory) -> Tensor:
        """The segment's pictures locked; see `Finish.finished`."""
        if not self.applied:
            return pictures
        seen = self.surface.segment(range(segment.start, segment.stop))
        frames = _array(pictures)
        shown = [
            self._locked(seen, row, frame, (row + 1) / len(frames), memory.arrays) for row, frame in enumerate(frames)
        ]
        return torch.from_numpy(np.stack(shown)).permute(0, 3, 1, 2).to(pictures)

    def files(self, memory: Memory) -> Mapping[str, bytes]:
        """The texture as a picture in the body's charts; see `Finish.files`."""
        return {"atlas": atlas_png(self.surface, Texture.from_arrays(memory.arrays, TEXTURE))}

    def notes(self, memory: Memory) -> tuple[str, ...]:
        """What became of the background, and why; see `Finish.notes`."""
        if not self.applied:
            return ()
        return (BackgroundChoice(int(memory.arrays[CHOICE])).sentence(self.prompts),)

    def _plate_arrays(self, seen: SegmentSurface, frames: Floats, memory: Memory | None) -> dict[str, Tensor]:
        """The plate with this segment in it; the shot's first segment decides whether there is one."""
        distances = [outside_distance_px(one, *self.surface.passes.size) for one in seen.frames]
        before = None if memory is None or f"{PLATE}colour" not in memory.arrays else _plate(memory.arrays, PLATE)
        after = background_plate(frames, distances, before)
        choice = (
            chosen_background(self.background, self.prompts, self.surface.passes.shot, frames, distances, after)
            if memory is None
            else BackgroundChoice(int(memory.arrays[CHOICE]))
        )
        arrays = {CHOICE: torch.tensor(choice.value)}
        if choice.plate:
            arrays |= after.arrays(PLATE) | ({} if before is None else before.arrays(PLATE_BEFORE))
        return arrays

    def _locked(
        self, seen: SegmentSurface, row: int, frame: Floats, share: float, arrays: Mapping[str, Tensor]
    ) -> Floats:
        """One frame (height, width, 3), `share` of the way from the segment before to this one's end."""
        texture = Texture.from_arrays(arrays, TEXTURE)
        if f"{TEXTURE_BEFORE}colour" in arrays:
            texture = blended(Texture.from_arrays(arrays, TEXTURE_BEFORE), texture, share)
        behind = _behind(arrays, frame, share)
        body, drawn = texture.drawn(seen.frames[row])
        shown = composite(seen.frames[row], np.clip(body, 0, 1), drawn, frame if behind is None else behind, behind)
        return np.asarray(shown, np.float32)


def _behind(arrays: Mapping[str, Tensor], frame: Floats, share: float) -> Floats | None:
    """The background (height, width, 3) of one frame, None where it is the frame's own."""
    if f"{PLATE}colour" not in arrays:
        return None
    plate = _plate(arrays, PLATE)
    if f"{PLATE_BEFORE}colour" in arrays:
        plate = blended_plate(_plate(arrays, PLATE_BEFORE), plate, share)
    return plate.under(frame)


def _plate(arrays: Mapping[str, Tensor], prefix: str) -> Plate:
    return Plate.from_arrays(arrays, prefix)


def _array(pictures: Tensor) -> Floats:
    """Pictures (n, 3, height, width) as (n, height, width, 3)."""
    return np.ascontiguousarray(pictures.detach().permute(0, 2, 3, 1).float().cpu().numpy())
