"""Which objects hide how much of the characters, in a few frames of the shot, by the scene as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from ..passes.geometry import transformed
from .before_camera import Standing, standing
from .keyed_places import KeyedPlaces
from .sightlines import Sightlines, sightlines

LEAST_SHARE = 0.02
# What touches a character hides a little of it: a foot sinks into the floor it stands on, a leg into a seat. Points
# this close behind a face count only where so many of them are hidden, as by clothes.
_TOUCHING_M, LEAST_TOUCHING_SHARE = 0.05, 0.15


@dataclass(frozen=True, slots=True)
class Hider:
    """An object that hides a part of a character: `share`, 0 to 1, in the frame in which it hides the most."""

    name: str
    character: str
    share: float

    @property
    def sentence(self) -> str:
        """Says it, the character by its name."""
        return self.sentence_of(self.character)

    def sentence_of(self, character: str) -> str:
        """Says it: `Cube hides 62 % of the character`."""
        return f"{self.name} hides {100 * self.share:.0f} % of {character}"


class _Ways:
    """All ways of several `Sightlines` in one array."""

    def __init__(self, lines: list[Sightlines]) -> None:
        self.lines = lines
        self.owner = np.repeat(np.arange(len(lines)), [len(one.ends) for one in lines])
        self.starts = np.concatenate([np.broadcast_to(one.eye, one.ends.shape) for one in lines])
        self.ends = np.concatenate([one.ends for one in lines])
        both = np.concatenate([self.starts, self.ends])
        self._low, self._high = both.min(axis=0), both.max(axis=0)

    def could_meet(self, corners: NDArray[np.float64]) -> bool:
        """Whether what lies between these corners (8, 3) in the world may be in any way at all."""
        return bool((corners.max(axis=0) >= self._low).all() and (corners.min(axis=0) <= self._high).all())


def find_hiders(
    scene: Any, view_layer: Any, frames: tuple[int, ...], size: tuple[int, int]
) -> tuple[Hider, ...]:  # size: width, height of the picture in pixels
    """The objects that hide at least 2 % of a character's points in a frame, the one that hides the most first.

    Those that the passes do not show, that were left out, or that are kept do not count. An instance counts for the
    object that shows it. The current frame does not change (`look.keyed_places`).
    """
    lines = [one for one in sightlines(scene, view_layer, frames, size) if len(one.ends)]
    if not lines:
        return ()
    ways, places = _Ways(lines), KeyedPlaces(scene.frame_current)
    depths: dict[str, NDArray[np.float64]] = {}  # by object, how far behind its faces each way's end lies; -1: not
    for one in standing(scene, view_layer, places):
        found = _depths(one, ways)
        if found is not None:
            depths[one.name] = np.maximum(depths[one.name], found) if one.name in depths else found
    hiders = (_worst(name, found, ways) for name, found in depths.items())
    return tuple(sorted((one for one in hiders if one is not None), key=lambda one: (-one.share, one.name)))


def _worst(name: str, depths: NDArray[np.float64], ways: _Ways) -> Hider | None:
    """The object's worst frame; None if it hides too little in each."""
    worst = None
    for index, one in enumerate(ways.lines):
        own = depths[ways.owner == index]
        share = float((own >= 0).mean())
        counts = (own > _TOUCHING_M).mean() >= LEAST_SHARE or share >= LEAST_TOUCHING_SHARE
        if counts and (worst is None or share > worst.share):
            worst = Hider(name, one.character, share)
    return worst


def _depths(item: Standing, ways: _Ways) -> NDArray[np.float64] | None:
    """How far in metres behind the object's faces the end of each way lies, -1 where it is free; None for all free."""
    found = np.full(len(ways.ends), -1.0)
    meets = None
    for matrix, frames in item.places({one.frame for one in ways.lines}):
        if not ways.could_meet(transformed(matrix, item.box)):
            continue
        to_local = matrix.inverted_safe()
        starts, ends = transformed(to_local, ways.starts), transformed(to_local, ways.ends)
        within = np.isin(ways.owner, [index for index, one in enumerate(ways.lines) if one.frame in frames])
        near = np.flatnonzero(within & _through_box(item.box, starts, ends))
        if not len(near):
            continue
        meets = meets or item.meets()
        if meets is None:
            return None
        for index in near:
            depth = meets(Vector(starts[index].tolist()), Vector(ends[index].tolist()))
            if depth is not None:
                found[index] = depth * _stretch(ways, index, starts, ends)
    return found if (found >= 0).any() else None


def _stretch(ways: _Ways, index: int, starts: NDArray[np.float64], ends: NDArray[np.float64]) -> float:
    """Metres of the world in a unit of the object's own axes, along a way."""
    own = float(np.linalg.norm(ends[index] - starts[index]))
    return float(np.linalg.norm(ways.ends[index] - ways.starts[index])) / max(own, 1e-9)


def _through_box(box: NDArray[np.float64], starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the ways (n, 3) to (n, 3) go through the box around these corners."""
    low, high = box.min(axis=0) - 1e-4, box.max(axis=0) + 1e-4
    way = ends - starts
    way = np.where(np.abs(way) < 1e-12, 1e-12, way)
    one, other = (low - starts) / way, (high - starts) / way
    enter, leave = np.minimum(one, other).max(axis=1), np.maximum(one, other).min(axis=1)
    through: NDArray[np.bool_] = np.maximum(enter, 0) <= np.minimum(leave, 1)
    return through
