"""A skeleton that is not SMPL's, and how it moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    unusable: Mapping[int, MotionError] = field(default_factory=dict)  # bones without a rotation, and what to say then


def motion_of(skeleton: Skeleton, matrices: Array, fps: float, name: str) -> SkeletonMotion:
    # matrices (frames, bones, 4, 4): from each bone's own space into the world's, Y up
    """The motion that world matrices show; scale is taken out of the rotations.

    Bones that are mirrored or scaled to nothing are `unusable`: a prop that is hidden so does no harm.
    Raises MotionError for matrices that are not finite.
    """
    if not np.isfinite(matrices).all():
        raise MotionError("motion.not_finite", f"{name}: the bones' places contain NaN or infinity.")
    turns, lengths = matrices[..., :3, :3], np.linalg.norm(matrices[..., :3, :3], axis=-2, keepdims=True)
    flat = (lengths[..., 0, :] < _FLAT).any(axis=(0, 2))
    turns = np.where(flat[:, None, None], np.eye(3), turns / np.where(lengths < _FLAT, 1.0, lengths))
    mirrored = (np.linalg.det(turns) < 0.0).any(axis=0)
    turns = np.where(mirrored[:, None, None], np.eye(3), turns)
    unusable = {
        int(bone): _unusable(f"{name}: the bone {skeleton.names[bone]!r}", flat=bool(flat[bone]))
        for bone in np.flatnonzero(flat | mirrored)
    }
    return SkeletonMotion(skeleton, nearest_rotations(turns), np.array(matrices[..., :3, 3]), fps, name, unusable)


def _unusable(bone: str, *, flat: bool) -> MotionError:
    if flat:
        return MotionError("motion.scaled_away", f"{bone} is scaled to nothing.", "Remove that scale.")
    hint = "Apply the scale: Object > Apply > Scale."
    return MotionError("motion.mirrored", f"{bone} is mirrored by a negative scale.", hint)


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
