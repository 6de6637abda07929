"""Bones told by the skeleton's shape alone: two legs on the pelvis, two arms and a head on the chest.

The rest pose is that of a standing person with the arms to the sides, down, or anything between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .naming import keys_of, side_of
from .skeleton import Skeleton

Array = npt.NDArray[np.float64]

_LEG: Final = ("hip", "knee", "ankle", "foot")
_ARM: Final = ("collar", "shoulder", "elbow", "wrist")
_PAIR: Final = 0.15  # limbs of a pair differ by less than this share of their length
_SHORT: Final = 0.12  # of the longest way in the skeleton: what is shorter is no limb


@dataclass(frozen=True, slots=True)
class _Limb:
    """The longest way down from a bone."""

    bones: tuple[int, ...]
    length: float


def by_shape(skeleton: Skeleton) -> dict[str, str]:
    """Joints and bones as far as the shape tells them; empty where it has no two legs, two arms and a head."""
    order = _parents_first(skeleton)
    ways = _longest_ways(skeleton, order)
    reach = max((way.length for way in ways), default=0.0)
    forks = [bone for bone in order if reach > 0.0 and len(skeleton.children[bone]) >= 3]
    for pelvis in forks:
        for chest in forks:
            trunk = skeleton.path(pelvis, chest)
            if len(trunk) > 1:
                legs, arms = _pair(skeleton, pelvis, ways, reach, trunk[1]), _pair(skeleton, chest, ways, reach)
                if legs and arms:
                    return _named(skeleton, trunk, legs, arms, ways)
    return {}


def _parents_first(skeleton: Skeleton) -> list[int]:
    order = [bone for bone, parent in enumerate(skeleton.parents) if parent < 0]
    for bone in order:  # grows while it is gone through
        order.extend(skeleton.children[bone])
    return order


def _longest_ways(skeleton: Skeleton, order: list[int]) -> list[_Limb]:
    """The longest way down from each bone."""
    ways = [_Limb((), 0.0)] * len(order)
    for bone in reversed(order):
        ways[bone] = _Limb((bone,), float(np.linalg.norm(skeleton.tails[bone] - skeleton.heads[bone])))
        below = [ways[child] for child in skeleton.children[bone]]
        gaps = [float(np.linalg.norm(skeleton.heads[way.bones[0]] - skeleton.heads[bone])) for way in below]
        lengths = [gap + way.length for gap, way in zip(gaps, below, strict=True)]
        if lengths:
            best = int(np.argmax(lengths))
            ways[bone] = _Limb((bone, *below[best].bones), lengths[best])
    return ways


def _pair(skeleton: Skeleton, bone: int, ways: list[_Limb], reach: float, without: int = -1) -> tuple[_Limb, ...]:
    """The two children's ways that are most alike, long, and apart from each other; empty where there are none."""
    limbs = [ways[child] for child in skeleton.children[bone] if child != without]
    limbs = [limb for limb in limbs if limb.length > _SHORT * reach and len(limb.bones) >= 3]
    pairs = [
        (abs(one.length - other.length) / one.length, one, other)
        for index, one in enumerate(limbs)
        for other in limbs[index + 1 :]
        if len(one.bones) == len(other.bones) and _apart(skeleton, one, other)
    ]
    unlike, *found = min(pairs, key=lambda pair: pair[0], default=(1.0,))
    return tuple(found) if unlike < _PAIR else ()


def _apart(skeleton: Skeleton, one: _Limb, other: _Limb) -> bool:
    """Whether two limbs begin or end at different sides."""
    gap = np.linalg.norm(skeleton.heads[one.bones[-1]] - skeleton.heads[other.bones[-1]])
    return bool(gap > 0.05 * one.length)


def _named(
    skeleton: Skeleton, trunk: tuple[int, ...], legs: tuple[_Limb, ...], arms: tuple[_Limb, ...], ways: list[_Limb]
) -> dict[str, str]:
    found = {"pelvis": trunk[0]}
    spine = trunk[1:]
    places = {1: (0,), 2: (0, 1)}.get(len(spine), (0, len(spine) // 2, len(spine) - 1))
    joints = {1: ("spine3",), 2: ("spine1", "spine3")}.get(len(spine), ("spine1", "spine2", "spine3"))
    found.update({joint: spine[place] for joint, place in zip(joints, places, strict=True)})
    taken = {limb.bones[0] for limb in arms}
    up = skeleton.heads[trunk[-1]] - skeleton.heads[trunk[0]]
    necks = [ways[child] for child in skeleton.children[trunk[-1]] if child not in taken]
    if necks:
        neck = max(necks, key=lambda way: float((skeleton.heads[way.bones[-1]] - skeleton.heads[trunk[-1]]) @ up))
        found["neck"] = neck.bones[0]
        if len(neck.bones) > 1:
            found["head"] = neck.bones[1]
    left = _left(skeleton, legs, up)
    for limbs, joints_of, trimmed in ((legs, _LEG, _leg), (arms, _ARM, _arm)):
        for side, limb in zip(("left", "right"), _sided(skeleton, limbs, left), strict=True):
            for joint, bone in zip(joints_of, trimmed(skeleton, limb), strict=False):
                if bone >= 0:
                    found[f"{side}_{joint}"] = bone
    return {joint: skeleton.names[bone] for joint, bone in found.items()}


def _leg(skeleton: Skeleton, limb: _Limb) -> tuple[int, ...]:
    """Thigh, shin, foot and toe: the thigh is the first bone of some length."""
    bones = limb.bones
    while len(bones) > 3 and _length(skeleton, bones, 0) < 0.5 * _length(skeleton, bones, 1):
        bones = bones[1:]
    return bones[:4]


def _arm(skeleton: Skeleton, limb: _Limb) -> tuple[int, ...]:
    """Collar, upper arm, forearm and hand: upper arm and forearm are the last two of about the greatest length."""
    bones = limb.bones
    pairs = [_length(skeleton, bones, place) + _length(skeleton, bones, place + 1) for place in range(len(bones) - 1)]
    start = max(place for place, length in enumerate(pairs[:3]) if length >= 0.9 * max(pairs[:3]))
    collar = bones[start - 1] if start > 0 else -1
    return (collar, *bones[start : start + 3])


def _length(skeleton: Skeleton, bones: tuple[int, ...], place: int) -> float:
    end = skeleton.heads[bones[place + 1]] if place + 1 < len(bones) else skeleton.tails[bones[place]]
    return float(np.linalg.norm(end - skeleton.heads[bones[place]]))


def _left(skeleton: Skeleton, legs: tuple[_Limb, ...], up: Array) -> Array:
    """Where left is: up x front, and the feet point to the front."""
    fronts = []
    for leg in legs:
        bones = _leg(skeleton, leg)
        last = bones[-1]
        toe = skeleton.heads[last] if len(bones) > 3 else skeleton.tails[last]
        fronts.append(toe - skeleton.heads[bones[2]])
    return np.cross(up, np.mean(fronts, axis=0))


def _sided(skeleton: Skeleton, limbs: tuple[_Limb, ...], left: Array) -> tuple[_Limb, _Limb]:
    """Left and right limb: by their names where these say it, else by where they are."""
    one, other = limbs
    keys = keys_of(skeleton.names)
    sides = [{side_of(keys[bone]) for bone in limb.bones} - {""} for limb in (one, other)]
    if sides == [{"l"}, {"r"}] or sides == [{"r"}, {"l"}]:
        return (one, other) if sides[0] == {"l"} else (other, one)
    middles = [skeleton.heads[list(limb.bones)].mean(axis=0) @ left for limb in (one, other)]
    return (one, other) if middles[0] > middles[1] else (other, one)
