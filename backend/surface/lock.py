"""The lock: every frame's body shown from one texture, lit as the frames agree, in front of one background.

A finish for the frames of any method. Each segment goes on from the texture of those before it and passes over to its
own frame by frame, so that nothing jumps where a segment ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import Memory, Segment
from backend.surface.atlas_picture import atlas_png
from backend.surface.beside import Ring, matte, rings, steadied
from backend.surface.composite import composite, covered
from backend.surface.fuse import fuse
from backend.surface.off_body import MOST_CUT, BackgroundChoice, chosen_background, cut_share
from backend.surface.plate import Plate, background_plate, blended_plate, share_of, trust_of
from backend.surface.shot_surface import Seen, ShotSurface
from backend.surface.texture import Texture, blended, light_of

TEXTURE, TEXTURE_BEFORE = "texture.", "texture_before."
PLATE, PLATE_BEFORE = "plate.", "plate_before."
CHOICE = "background"

Background = Literal["auto", "keep", "plate"]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceLock:
    """Implements `loop.method.Finish`. With `applied` False it only remembers: pictures stay as they were decoded.

    `background` is what becomes of the background; `prompts` are those of the first segment's frames, which may name
    what a plate would cut.
    """

    surface: ShotSurface
    background: Background = "auto"
    prompts: tuple[str, ...] = ()
    applied: bool = True
    _last: list[tuple[Segment, Floats, tuple[list[Ring], list[Floats]]]] = field(default_factory=list)

    def learned(self, segment: Segment, pictures: Tensor, memory: Memory | None) -> Memory:
        """The texture, and the plate, with a segment in them; see `Finish.learned`."""
        frames, seen = _array(pictures), self.surface.segment(range(segment.start, segment.stop))
        before = None if memory is None else Texture.from_arrays(memory.arrays, TEXTURE)
        after = fuse(self.surface, seen, frames, before, light_of(before))
        arrays = after.arrays(TEXTURE) | ({} if before is None else before.arrays(TEXTURE_BEFORE))
        return Memory(arrays | self._plate_arrays(segment, frames, memory))

    def finished(self, segment: Segment, pictures: Tensor, memory: Memory) -> Tensor:
        """The segment's pictures locked; see `Finish.finished`."""
        if not self.applied:
            return pictures
        frames, shown = _array(pictures), []
        backgrounds = self._backgrounds(segment, frames, memory.arrays)
        for row, (one, behind) in enumerate(zip(self._seen(segment), backgrounds, strict=True)):
            body, drawn = self._texture((row + 1) / len(frames), memory.arrays).drawn(one)
            shown.append(composite(one, np.clip(body, 0, 1), drawn, behind))
        return torch.from_numpy(np.stack(shown)).permute(0, 3, 1, 2).to(pictures)

    def files(self, memory: Memory) -> Mapping[str, bytes]:
        """The texture as a picture in the body's charts; see `Finish.files`."""
        return {"atlas": atlas_png(self.surface, Texture.from_arrays(memory.arrays, TEXTURE))}

    def notes(self, memory: Memory) -> tuple[str, ...]:
        """What became of the background, and why; see `Finish.notes`."""
        if not self.applied:
            return ()
        return (BackgroundChoice(int(memory.arrays[CHOICE])).sentence(self.prompts),)

    def _plate_arrays(self, segment: Segment, frames: Floats, memory: Memory | None) -> dict[str, Tensor]:
        """The plate with this segment in it; the shot's first segment decides whether there is one."""
        around, steady = self._beside(segment, frames)
        before = plate_of(memory)
        choice = self._choice(segment, memory)
        if not choice.plate:
            return {CHOICE: torch.tensor(choice.value)}
        after = background_plate(frames, [trust_of(one.distance_px) for one in around], before)
        mattes = [matte(picture, after, ring) for picture, ring in zip(steady, around, strict=True)]
        if choice is BackgroundChoice.PLATE and memory is None and cut_share(mattes, around) > MOST_CUT:
            return {CHOICE: torch.tensor(BackgroundChoice.STANDS_OFF.value)}
        shares = [trust_of(ring.distance_px) * (1 - covered) for ring, covered in zip(around, mattes, strict=True)]
        after = background_plate(frames, shares, before)
        arrays = after.arrays(PLATE) | ({} if before is None else before.arrays(PLATE_BEFORE))
        return arrays | {CHOICE: torch.tensor(choice.value)}

    def _choice(self, segment: Segment, memory: Memory | None) -> BackgroundChoice:
        """What the first segment chose, until the camera moves. Later frames have no say: an edit of theirs reaches no
        segment before them."""
        still = self.surface.passes.shot.camera.stands_still(segment.stop)
        if memory is None:
            return chosen_background(self.background, self.prompts, still)
        choice = BackgroundChoice(int(memory.arrays[CHOICE]))
        return BackgroundChoice.MOVING_CAMERA if choice.plate and not still else choice

    def _beside(self, segment: Segment, frames: Floats) -> tuple[list[Ring], list[Floats]]:
        """The pixels beside the body, a frame each, and the frames with them steadied; the last segment's are kept."""
        for kept, pictures, found in self._last:
            if kept == segment and np.array_equal(pictures, frames):
                return found
        passes, positions = self.surface.passes, range(segment.start, segment.stop)
        around = rings(passes, positions, [covered(one, passes.size) for one in self._seen(segment)])
        found = around, steadied(passes, positions, frames, around)
        self._last[:] = [(segment, frames, found)]
        return found

    def _seen(self, segment: Segment) -> tuple[Seen, ...]:
        return self.surface.segment(range(segment.start, segment.stop)).frames

    def _backgrounds(self, segment: Segment, frames: Floats, arrays: Mapping[str, Tensor]) -> list[Floats]:
        """What is behind each frame's body (height, width, 3): the frame itself, or the plate and what goes with it."""
        if f"{PLATE}colour" not in arrays:
            return list(frames)
        around, steady = self._beside(segment, frames)
        out = []
        for row, (frame, picture, ring) in enumerate(zip(frames, steady, around, strict=True)):
            plate = _plate(arrays, PLATE)
            if f"{PLATE_BEFORE}colour" in arrays:
                plate = blended_plate(_plate(arrays, PLATE_BEFORE), plate, (row + 1) / len(frames))
            kept = matte(picture, plate, ring)
            behind = plate.under(frame, share_of(ring.distance_px) * (1 - kept), ring.distance_px)
            out.append(behind + kept[..., None] * (picture - behind))
        return out

    def _texture(self, share: float, arrays: Mapping[str, Tensor]) -> Texture:
        """The texture `share` of the way from the segment before to this one's end."""
        texture = Texture.from_arrays(arrays, TEXTURE)
        if f"{TEXTURE_BEFORE}colour" not in arrays:
            return texture
        return blended(Texture.from_arrays(arrays, TEXTURE_BEFORE), texture, share)


def keeps_plate(memory: Memory | None) -> bool:
    """Whether the segments before have a background plate, or may come to have one: there are none yet."""
    return memory is None or CHOICE not in memory.arrays or BackgroundChoice(int(memory.arrays[CHOICE])).plate


def plate_of(memory: Memory | None) -> Plate | None:
    """The background plate in a segment's memory, None where it has none."""
    return None if memory is None or f"{PLATE}colour" not in memory.arrays else _plate(memory.arrays, PLATE)


def _plate(arrays: Mapping[str, Tensor], prefix: str) -> Plate:
    return Plate.from_arrays(arrays, prefix)


def _array(pictures: Tensor) -> Floats:
    """Pictures (n, 3, height, width) as (n, height, width, 3)."""
    return np.ascontiguousarray(pictures.detach().permute(0, 2, 3, 1).float().cpu().numpy())
