"""A skeleton that is not SMPL's, and how it moves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ...errors import MotionError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Bones in any order, in the rest pose, in the skeleton's own space and unit of length."""

    names: tuple[str, ...]
    parents: tuple[int, ...]  # -1: no parent
    heads: Array  # (bones, 3)
    tails: Array  # (bones, 3)
    rotations: Array  # (bones, 3, 3), columns are the bone's axes

    @cached_property
    def index(self) -> dict[str, int]:
        """A bone's place by its name."""
        return {name: index for index, name in enumerate(self.names)}

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Each bone's children."""
        found: list[list[int]] = [[] for _ in self.names]
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(bone)
        return tuple(map(tuple, found))

    def path(self, top: int, end: int) -> tuple[int, ...]:
        """The bones from `top` down to `end`, both included; empty where `end` does not hang on `top`."""
        way = [end]
        while way[-1] != top:
            parent = self.parents[way[-1]]
            if parent < 0:
                return ()
            way.append(parent)
        return tuple(reversed(way))


@dataclass(frozen=True, slots=True, eq=False)
class SkeletonMotion:
    """A skeleton over time, in one space with Y up; it may be another than the rest pose's."""

    skeleton: Skeleton
    rotations: Array  # (frames, bones, 3, 3), without scale
    heads: Array  # (frames, bones, 3), any unit of length
    fps: float
    name: str = ""  # of the file or the armature, for messages


def motion_of(skeleton: Skeleton, matrices: Array, fps: float, name: str) -> SkeletonMotion:
    # matrices (frames, bones, 4, 4): from each bone's own space into the world's, Y up
    """The motion that world matrices show; scale is taken out of the rotations.

    Raises MotionError for matrices that are not finite, that mirror, or that scale a bone to nothing.
    """
    if not np.isfinite(matrices).all():
        raise MotionError("motion.not_finite", f"{name}: the bones' places contain NaN or infinity.")
    turns, lengths = matrices[..., :3, :3], np.linalg.norm(matrices[..., :3, :3], axis=-2, keepdims=True)
    flat = np.argwhere(lengths[..., 0, :].min(axis=(0, 2)) < _FLAT)
    if len(flat):
        bone = skeleton.names[int(flat[0, 0])]
        raise MotionError(
            "motion.scaled_away", f"{name}: the bone {bone!r} is scaled to nothing.", "Remove that scale."
        )
    turns = turns / lengths
    mirrored = np.argwhere(np.linalg.det(turns).min(axis=0) < 0.0)
    if len(mirrored):
        bone = skeleton.names[int(mirrored[0, 0])]
        hint = "Apply the scale: Object > Apply > Scale."
        raise MotionError("motion.mirrored", f"{name}: the bone {bone!r} is mirrored by a negative scale.", hint)
    return SkeletonMotion(skeleton, nearest_rotations(turns), np.array(matrices[..., :3, 3]), fps, name)


def nearest_rotations(matrices: Array) -> Array:  # (..., 3, 3)
    """The rotations nearest to matrices (Kabsch's method); those that are rotations stay as they are."""
    gap = np.abs(np.swapaxes(matrices, -1, -2) @ matrices - np.eye(3)).max(initial=0.0)
    if gap < _ROUNDING:
        return matrices
    u, _, vt = np.linalg.svd(matrices)
    u = u.copy()
    u[..., :, 2] *= np.sign(np.linalg.det(u @ vt))[..., None]
    rotations: Array = u @ vt
    return rotations


_FLAT = 1e-9
_ROUNDING = 1e-12
