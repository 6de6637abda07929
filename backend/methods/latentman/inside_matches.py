"""Matches of places that show one piece of the body and nothing else: off silhouettes, off folds, moving together.

A latent cell at a silhouette holds body and background, so that copying it copies both: a dark rim travels with the
arm, and what a pixel beside the silhouette shows is half the background's. Such places are matched well as far as
geometry goes, and are dropped here all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from backend.correspondence.types import Matches
from backend.passes.shot_passes import ShotPasses

# Neighbouring pixels further apart in depth show two limbs: at 8 mm a pixel a slope of 80 degrees, nearly edge on.
FOLD_M = 0.05

# How far guidance keeps off a silhouette, in pixels of the passes: the autoencoder mixes what lies nearer.
GUIDANCE_MARGIN_PX = 2

# A copied cell that moves unlike most cells around it is a tile of a mosaic: so many of the eight must be matched and
# come from within one cell of where its own move would take them.
LEAST_ALIKE = 3


def inside_places(
    part: NDArray[np.uint8], depth_m: NDArray[np.float32], height: int, width: int, margin: int = 0
) -> NDArray[np.bool_]:
    """Which of a frame's height x width places lie on the body with all of their pixels, and those `margin` around.

    `part` (H, W) is 0 where there is background, `depth_m` (H, W) metres. No pixel of such a place borders, above,
    below or beside, on one of the body that is more than `FOLD_M` nearer or farther. The picture's edge is no
    silhouette. Returns (height * width,).
    """
    body = part > 0
    sound = body & ~_beside_folds(np.where(body, depth_m, 0).astype(np.float64), body)
    if margin:
        sound = binary_erosion(sound, np.ones((2 * margin + 1,) * 2), border_value=1)
    rows, columns = (np.arange(count) * side // count for count, side in zip((height, width), part.shape, strict=True))
    whole = np.logical_and.reduceat(np.logical_and.reduceat(sound, rows, axis=0), columns, axis=1)
    return np.asarray(whole.reshape(-1))


def _beside_folds(depth_m: NDArray[np.float64], body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels (H, W) with a body pixel beside them across a jump in depth."""
    found = np.zeros(body.shape, bool)
    down = (np.abs(np.diff(depth_m, axis=0)) > FOLD_M) & body[1:] & body[:-1]
    across = (np.abs(np.diff(depth_m, axis=1)) > FOLD_M) & body[:, 1:] & body[:, :-1]
    found[1:] |= down
    found[:-1] |= down
    found[:, 1:] |= across
    found[:, :-1] |= across
    return found


def moving_together(matches: Matches) -> Matches:
    """The matches with at least `LEAST_ALIKE` of eight neighbours that move alike, within one cell.

    Applied twice: two outliers that support each other are removed once their other neighbours are gone.
    """
    for _ in range(2):
        matches = _kept(matches, _alike(matches) >= LEAST_ALIKE)
    return matches


def _alike(matches: Matches) -> NDArray[np.int64]:
    """For each match the number of its eight neighbours that move as it does, to within one cell each way."""
    row, column = np.divmod(matches.current, matches.width)
    move = np.stack(np.divmod(matches.reference, matches.width), axis=-1) - np.stack([row, column], axis=-1)
    moves = np.full((matches.height + 2, matches.width + 2, 2), np.iinfo(np.int64).max // 2)  # unlike any
    moves[row + 1, column + 1] = move
    found = np.zeros(len(matches), np.int64)
    for down in (0, 1, 2):
        for across in (0, 1, 2):
            if (down, across) != (1, 1):
                found += np.abs(moves[row + down, column + across] - move).max(axis=-1, initial=0) <= 1
    return found


def _kept(matches: Matches, which: NDArray[np.bool_]) -> Matches:
    return Matches(matches.current[which], matches.reference[which], matches.height, matches.width)


@dataclass(frozen=True, slots=True, eq=False)
class InsideMatches(Sequence[Matches]):
    """Those of a shot's matches that lie inside the body in both of their frames, each found when it is read.

    Item i belongs to the frame at position i + 1 and the one before it, or frame 0 with `to_first`. `together` drops
    those that do not move with their neighbours as well. Reading raises PassesError as the passes do.
    """

    matches: Sequence[Matches]
    passes: ShotPasses
    margin: int = 0
    together: bool = False
    to_first: bool = False

    def __len__(self) -> int:
        return len(self.matches)

    @overload
    def __getitem__(self, item: int) -> Matches: ...

    @overload
    def __getitem__(self, item: slice) -> Sequence[Matches]: ...

    def __getitem__(self, item: int | slice) -> Matches | Sequence[Matches]:
        if isinstance(item, slice):
            return tuple(self[one] for one in range(len(self))[item])
        item = range(len(self))[item]
        found = self.matches[item]
        here = self._inside(item + 1, found)[found.current]
        there = self._inside(0 if self.to_first else item, found)[found.reference]
        inside = _kept(found, here & there)
        return moving_together(inside) if self.together else inside

    def _inside(self, frame: int, matches: Matches) -> NDArray[np.bool_]:
        labels = self.passes.frame(frame)
        return inside_places(labels.part, labels.depth_m, matches.height, matches.width, self.margin)
