"""Which bones of a skeleton are SMPL's joints: by the names of known rigs, then by common words, then by the shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..skeleton import JOINT_NAMES, PARENTS
from .bone_map import REQUIRED, BoneMap
from .maps.rig_names import SIDED, RigNames
from .maps.table import RIGS
from .naming import key_of, keys_of
from .skeleton import Skeleton
from .topology import by_shape

# What animators call the bones, by joint and without the side; the first that a skeleton has counts.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "pelvis": ("pelvis", "hips", "hip", "root", "cog"),
    "spine1": ("spine1", "spine", "abdomen", "waist", "torso", "lowerback"),
    "spine2": ("spine2", "chest1", "abdomenupper", "midspine"),
    "spine3": ("spine3", "chest", "upperchest", "thorax", "ribcage", "torsoupper"),
    "neck": ("neck", "neck1", "necklower"),
    "head": ("head", "head1", "skull"),
    "hip": ("thigh", "upleg", "upperleg", "hip", "legupper", "femur", "thighbend", "hipjoint"),
    "knee": ("shin", "calf", "lowerleg", "leg", "lowleg", "knee", "leglower", "tibia", "crus"),
    "ankle": ("foot", "ankle", "tarsal"),
    "foot": ("toe", "toes", "toebase", "ball", "toe0", "toe1"),
    "collar": ("clavicle", "shoulder", "collar", "scapula", "collarbone"),
    "shoulder": ("upperarm", "uparm", "arm", "shoulder", "armupper", "humerus", "shldr", "bicep"),
    "elbow": ("forearm", "lowerarm", "lowarm", "elbow", "armlower", "foreram"),
    "wrist": ("hand", "wrist", "palm"),
    "hand": ("middle1", "middle01", "handmiddle1", "fmiddle1", "middleproximal", "mid1", "finger21", "fingers"),
}
_NEEDED, _OTHER = 3, 1  # what a joint counts in a rig's score
_ENOUGH: Final = 0.6  # of a rig's score


@dataclass(frozen=True, slots=True)
class _Scored:
    """What a rig's names find."""

    bones: dict[str, str]
    score: int
    exact: int = 0  # names that are spelled as the rig's program spells them


def guess_map(skeleton: Skeleton) -> BoneMap:
    """The map that fits best; what has no bone is left out, and `missing` names what cannot be done without."""
    by_key = _by_key(skeleton.names)
    best, label = _Scored({}, 0), "names"
    for rig in RIGS:
        scored = _fit(rig, by_key, skeleton)
        if (scored.score, scored.exact) > (best.score, best.exact):
            best, label = scored, rig.label
    if best.score < _ENOUGH * (_NEEDED * len(REQUIRED)):
        best, label = _Scored({}, 0), "common names"
    bones = _filled(best.bones, _common(by_key), skeleton)
    if any(joint not in bones for joint in REQUIRED):
        shape = by_shape(skeleton)
        if shape:
            bones, label = (
                _filled(shape, bones, skeleton) if _has_all(shape) else _filled(bones, shape, skeleton),
                "shape",
            )
    return BoneMap(label, {joint: bones[joint] for joint in JOINT_NAMES if joint in bones})


def _has_all(bones: Mapping[str, str]) -> bool:
    return all(joint in bones for joint in REQUIRED)


def _by_key(names: Sequence[str]) -> dict[str, str]:
    """Bone names by their form; of equal forms the shortest name counts, then the first."""
    found: dict[str, str] = {}
    for bare in (False, True):
        for key, name in zip(keys_of(names, bare_start=bare), names, strict=True):
            if key not in found or (len(name) < len(found[key]) and not bare):
                found[key] = name
    return found


def _fit(rig: RigNames, by_key: Mapping[str, str], skeleton: Skeleton) -> _Scored:
    """The rig's bones in this skeleton, and how many of its joints they are."""
    found: dict[str, str] = {}
    for joint, spellings in rig.spellings().items():
        bone = next((by_key[key] for key in map(key_of, spellings) if key in by_key), None)
        if bone is not None and bone not in found.values():
            found[joint] = bone
    kept = _kept(found, skeleton)
    score = sum(_NEEDED if joint in REQUIRED else _OTHER for joint in kept)
    exact = sum(bone in {one for spellings in rig.spellings().values() for one in spellings} for bone in kept.values())
    return _Scored(kept, score, exact)


def _common(by_key: Mapping[str, str]) -> dict[str, str]:
    """Bones by the words that most rigs use."""
    found: dict[str, str] = {}
    for joint in JOINT_NAMES:
        side, _, part = joint.rpartition("_")
        words = _WORDS[part] if part in SIDED else _WORDS[joint]
        keys = [f"{side[:1]}:{word}" for word in words]
        bone = next((by_key[key] for key in keys if key in by_key and by_key[key] not in found.values()), None)
        if bone is not None:
            found[joint] = bone
    return found


def _filled(first: Mapping[str, str], second: Mapping[str, str], skeleton: Skeleton) -> dict[str, str]:
    """The first map, and what only the second has."""
    used = set(first.values())
    return _kept({**{joint: bone for joint, bone in second.items() if bone not in used}, **first}, skeleton)


def _kept(bones: Mapping[str, str], skeleton: Skeleton) -> dict[str, str]:
    """Without bones that stand above the bone of a joint that SMPL has above them: these are other things' names."""
    kept: dict[str, str] = {}
    for joint, parent in zip(JOINT_NAMES, PARENTS, strict=True):
        if joint not in bones:
            continue
        above = parent
        while above >= 0 and JOINT_NAMES[above] not in kept:
            above = PARENTS[above]
        index = skeleton.index
        turned = above >= 0 and bool(skeleton.path(index[bones[joint]], index[kept[JOINT_NAMES[above]]]))
        if not turned:
            kept[joint] = bones[joint]
    return kept
