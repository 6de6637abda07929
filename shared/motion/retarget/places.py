"""Where SMPL's joints are in a moving skeleton: at the heads of their bones, and estimated where there is no bone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..skeleton import JOINT_COUNT, JOINT_INDEX
from .bone_map import BoneMap, require_usable
from .skeleton import Skeleton, SkeletonMotion

Array = npt.NDArray[np.float64]

_J: Final = JOINT_INDEX
_SPINE: Final = ("spine1", "spine2", "spine3")
_COLLAR_SHARE: Final = 0.35  # from the spine to the shoulder


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """A moving skeleton with a bone for each joint that has one."""

    motion: SkeletonMotion
    bones: Mapping[int, int]  # joint: bone

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton at rest."""
        return self.motion.skeleton

    def rest(self, joint: int) -> Array:
        """A mapped joint's place at rest, in the skeleton's own space."""
        return np.asarray(self.skeleton.heads[self.bones[joint]])

    def turned(self, bone: int) -> Array:
        """How a bone is turned from its rest pose, (frames, 3, 3): from the skeleton's space into the world.

        Raises MotionError for a bone that is mirrored or scaled to nothing.
        """
        if bone in self.motion.unusable:
            raise self.motion.unusable[bone]
        return np.asarray(self.motion.rotations[:, bone] @ self.skeleton.rotations[bone].T)


def mapped(motion: SkeletonMotion, bone_map: BoneMap) -> Mapped:
    """The motion with its map. Raises MotionError where the map does not fit the skeleton."""
    skeleton = motion.skeleton
    require_usable(bone_map, skeleton.names, motion.name)
    return Mapped(motion, {_J[joint]: skeleton.index[bone] for joint, bone in bone_map.bones.items()})


def joint_places(source: Mapped) -> Array:
    """The joints' places in the world, (frames, 24, 3); those without a bone are estimated."""
    heads = source.motion.heads
    places = np.full((len(heads), JOINT_COUNT, 3), np.nan)
    for joint, bone in source.bones.items():
        places[:, joint] = heads[:, bone]
    _fill_trunk(places, source)
    for side in ("left", "right"):
        collar, shoulder = _J[f"{side}_collar"], _J[f"{side}_shoulder"]
        if collar not in source.bones:
            places[:, collar] = _between(places[:, _J["spine3"]], places[:, shoulder], _COLLAR_SHARE)
            places[:, collar] += 0.5 * (places[:, shoulder] - places[:, collar]) * [0.0, 1.0, 0.0]
        for end, before in (("wrist", "elbow"), ("hand", "wrist"), ("foot", "ankle")):
            if _J[f"{side}_{end}"] not in source.bones:
                places[:, _J[f"{side}_{end}"]] = _tip(source, places, _J[f"{side}_{before}"])
    return places


def _fill_trunk(places: Array, source: Mapped) -> None:
    shoulders = 0.5 * (places[:, _J["left_shoulder"]] + places[:, _J["right_shoulder"]])
    pelvis, neck, head = _J["pelvis"], _J["neck"], _J["head"]
    if neck not in source.bones:
        places[:, neck] = _between(shoulders, places[:, head], 0.2) if head in source.bones else shoulders
    if head not in source.bones:
        places[:, head] = places[:, neck] + 0.2 * (places[:, neck] - places[:, pelvis])
    for quarter, name in enumerate(_SPINE, start=1):
        if _J[name] not in source.bones:
            places[:, _J[name]] = _between(places[:, pelvis], places[:, neck], quarter / 4)


def _between(first: Array, second: Array, share: float) -> Array:
    return first + share * (second - first)


def _tip(source: Mapped, places: Array, joint: int) -> Array:
    """The end of a joint's bone."""
    if joint not in source.bones:
        return places[:, joint]
    bone = source.bones[joint]
    rest = source.skeleton.tails[bone] - source.skeleton.heads[bone]
    return np.asarray(places[:, joint] + size_of(source) * (source.turned(bone) @ rest))


def size_of(source: Mapped) -> float:
    """How much larger the skeleton is in the world than in its own space: the object's scale."""
    heads, rest = source.motion.heads, source.skeleton.heads
    pairs = [
        (source.bones[_J[f"{side}_{top}"]], source.bones[_J[f"{side}_{end}"]])
        for side in ("left", "right")
        for top, end in (("hip", "knee"), ("knee", "ankle"))
    ]
    world = sum(float(np.median(np.linalg.norm(heads[:, a] - heads[:, b], axis=-1))) for a, b in pairs)
    own = sum(float(np.linalg.norm(rest[a] - rest[b])) for a, b in pairs)
    return world / own if own > 0.0 else 0.0
