"""Which bones turn each of SMPL's joints, and by what share: spines and necks of any number of bones, twist bones."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from ..skeleton import JOINT_INDEX
from .places import Mapped
from .skeleton import nearest_rotations

Array = npt.NDArray[np.float64]
_NOTHING: Final = 1e-9
Share = tuple[int, float]  # a bone and its weight; the weights of a joint add up to 1

_J: Final = JOINT_INDEX
_TRUNK: Final = (_J["pelvis"], _J["spine1"], _J["spine2"], _J["spine3"])
_SPINE_ENDS: Final = ("neck", "head", "left_collar", "right_collar", "left_shoulder", "right_shoulder")
# Joints whose bone may be cut into several: up to the bone of the joint at its other end.
_CUT: Final = {
    _J["neck"]: _J["head"],
    **{
        _J[f"{side}_{joint}"]: _J[f"{side}_{end}"]
        for side in ("left", "right")
        for joint, end in (
            ("hip", "knee"), ("knee", "ankle"), ("collar", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"),
        )
    },
}  # fmt: skip


def bone_shares(source: Mapped, offsets: Array) -> dict[int, tuple[Share, ...]]:  # offsets (24, 3) metres
    """The bones of each joint that has some, by the joint."""
    found: dict[int, tuple[Share, ...]] = {joint: ((bone, 1.0),) for joint, bone in source.bones.items()}
    for joint, end in _CUT.items():
        if joint in source.bones and end in source.bones:
            found[joint] = _along(source, source.bones[joint], source.bones[end]) or found[joint]
    found.update(_spine(source, offsets))
    return found


def turned_by(source: Mapped, shares: tuple[Share, ...]) -> Array:
    """The rotation of some bones together from their rest pose, (frames, 3, 3)."""
    if len(shares) == 1:
        return source.turned(shares[0][0])
    total = sum((weight * source.turned(bone) for bone, weight in shares), np.zeros(()))
    return nearest_rotations(np.asarray(total))


def _along(source: Mapped, top: int, end: int) -> tuple[Share, ...]:
    """The bones from `top` to before `end`, by their lengths; empty where one does not hang on the other."""
    path = source.skeleton.path(top, end)
    heads = source.skeleton.heads
    lengths = [float(np.linalg.norm(heads[below] - heads[bone])) for bone, below in pairwise(path)]
    if not sum(lengths):
        return ()
    return tuple((bone, length / sum(lengths)) for bone, length in zip(path, lengths, strict=False) if length)


def _spine(source: Mapped, offsets: Array) -> dict[int, tuple[Share, ...]]:
    """The shares of spine1 and spine2 by what lies between the same heights, and the chest's bone for spine3."""
    chain, top = _chain(source)
    if not chain:
        return {}
    chest = source.bones.get(_J["spine3"], chain[-1])
    bones = (source.bones[_J["pelvis"]], *chain)
    theirs = _heights(source.skeleton.heads[[*bones, top]])
    ours = _heights(np.cumsum(offsets[[*_TRUNK, _J["neck"]]], axis=0))
    found: dict[int, tuple[Share, ...]] = {_J["spine3"]: ((chest, 1.0),)}
    for place in (1, 2):
        low, high = ours[place], ours[place + 1]
        spans = [min(high, b) - max(low, a) for a, b in pairwise(theirs)]
        whole = sum(span for span in spans if span > _NOTHING)
        found[_TRUNK[place]] = tuple(
            (bone, span / whole) for bone, span in zip(bones, spans, strict=True) if span > _NOTHING
        )
    return found


def _chain(source: Mapped) -> tuple[tuple[int, ...], int]:
    """The spine's bones above the pelvis, and the bone above them; empty where the skeleton does not show them."""
    known = [source.bones[joint] for joint in _TRUNK[1:] if joint in source.bones]
    ends = [source.bones[_J[name]] for name in _SPINE_ENDS if _J[name] in source.bones]
    for top in ends:
        path = source.skeleton.path(source.bones[_J["pelvis"]], top)[1:]
        for start in known:
            path = path or source.skeleton.path(start, top)
        if len(path) > 1 and not set(path[:-1]) & set(ends):
            return path[:-1], top
    return (tuple(known), ends[0]) if known and ends else ((), -1)


def _heights(places: Array) -> list[float]:  # (bones, 3)
    """How far each place is on the straight way from the first to the last, 0 to 1, never less than one before it."""
    way = places[-1] - places[0]
    length = float(way @ way)
    if length <= 0.0:
        return list(np.linspace(0.0, 1.0, len(places)))
    return list(np.maximum.accumulate(np.clip((places - places[0]) @ way / length, 0.0, 1.0)))
