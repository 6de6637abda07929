"""BVH files of any skeleton that a bone map fits: Mixamo, CMU, Xsens, Rokoko, SOMA (Kimodo, BONES-SEED), MoMask ...

A hierarchy of its own that is a whole person is a person; what is in the file besides is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ..reading.clip import Ask, Clip, Reader, Skeletal, Take, chosen_person
from ..reading.fields import Fields
from ..retarget.bone_map import BoneMap
from ..retarget.bvh import parse_bvh
from ..retarget.guess import guess_map
from ..retarget.skeleton import Skeleton, SkeletonMotion

_KEY: Final = "HIERARCHY"
_RATE_KEY: Final = "Frame Time"


@dataclass(frozen=True, slots=True, eq=False)
class _Person:
    motion: SkeletonMotion
    bone_map: BoneMap


def bvh_fields(data: bytes, name: str) -> Fields:
    """The file's skeleton and its rate. Raises MotionError `motion.bvh` with the line at fault."""
    motion = parse_bvh(data, name=name)
    return Fields(name, {_KEY: motion, _RATE_KEY: motion.fps})


def read_bvh(fields: Fields, ask: Ask) -> Clip:
    """One person of the file. Raises MotionError where no bone map fits, or the asked one does not."""
    people = _people(fields)
    person, warnings = chosen_person(fields, ask, len(people))
    found = people[person]
    return Clip(Skeletal(found.motion, ask.bones or found.bone_map), warnings=warnings)


def _takes(fields: Fields) -> tuple[Take, ...]:
    people = _people(fields)
    names = tuple(one.motion.skeleton.names[0] for one in people) if len(people) > 1 else ("",)
    return (Take(frames=len(people[0].motion.heads), people=names),)


def _people(fields: Fields) -> tuple[_Person, ...]:
    motion = fields.raw(_KEY)
    assert isinstance(motion, SkeletonMotion)
    roots = [bone for bone, parent in enumerate(motion.skeleton.parents) if parent < 0]
    if len(roots) > 1:
        parts = [_below(motion, root) for root in roots]
        people = [_Person(part, guess_map(part.skeleton)) for part in parts]
        whole = tuple(person for person in people if not person.bone_map.missing)
        if whole:
            return whole
    return (_Person(motion, guess_map(motion.skeleton)),)


def _below(motion: SkeletonMotion, root: int) -> SkeletonMotion:
    """A root and all that hangs on it."""
    skeleton = motion.skeleton
    kept = [root]
    for bone in kept:  # grows while it is gone through
        kept.extend(skeleton.children[bone])
    places = {bone: place for place, bone in enumerate(kept)}
    part = Skeleton(
        tuple(skeleton.names[bone] for bone in kept),
        tuple(places.get(skeleton.parents[bone], -1) for bone in kept),
        *(np.asarray(array)[kept] for array in (skeleton.heads, skeleton.tails, skeleton.rotations)),
    )
    return replace(motion, skeleton=part, rotations=motion.rotations[:, kept], heads=motion.heads[:, kept])


BVH: Final = Reader(
    name="BVH",
    suffixes=(".bvh",),
    up="y",
    fps=None,
    entries=(_KEY, _RATE_KEY),
    needless=(),
    is_mine=lambda fields: _KEY in fields and isinstance(fields.entries[_KEY], SkeletonMotion),
    read=read_bvh,
    takes=_takes,
    rate_keys=(_RATE_KEY,),
    unit_m=None,
)
