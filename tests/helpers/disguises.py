"""SMPL's own motion in another rig's clothes: other names, rest pose, bone axes, units and sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.motion.retarget.maps.rig_names import RigNames
from shared.motion.retarget.skeleton import Skeleton, SkeletonMotion
from shared.motion.skeleton import (
    JOINT_INDEX,
    JOINT_NAMES,
    PARENTS,
    bone_offsets,
    global_rotations,
    joint_positions,
)
from shared.rotations import axis_angle_to_matrix, matrix_to_axis_angle, rotation_between

Array = NDArray[Any]

ARMS_DOWN = np.array([0.3, -1.0, 0.0])
A_POSE = np.array([1.0, -0.8, 0.0])
Z_UP_TURNED = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # faces X instead of Z, up is Z


@dataclass(frozen=True, slots=True)
class Disguise:
    """How a rig differs from SMPL's."""

    arms: Array | None = None  # where the left arm points at rest; None: as SMPL's
    legs: Array | None = None
    unit: float = 1.0  # its unit of length in metres: 0.01 for centimetres
    space: Array | None = None  # (3, 3) turns the rest pose alone, as an object's rotation does
    seed: int | None = 0  # of the bones' own axes; None: the world's


def has_bone(rig: RigNames) -> list[bool]:
    """Which of SMPL's joints the rig has a bone for."""
    return [name in rig.spellings() for name in JOINT_NAMES]


def rest_turns(disguise: Disguise, offsets: Array) -> Array:
    """World rotations (24, 3, 3) of the rest pose: whole arms and legs turned the shortest way, feet flat."""
    turns = np.tile(np.eye(3), (24, 1, 1))
    for side, mirror in (("left", [1, 1, 1]), ("right", [-1, 1, 1])):
        for limb, points in (("shoulder elbow wrist hand", disguise.arms), ("hip knee", disguise.legs)):
            if points is not None:
                top, end, *_ = joints = [JOINT_INDEX[f"{side}_{name}"] for name in limb.split()]
                turns[joints] = rotation_between(offsets[end], points * mirror)
    return turns


def disguised(poses: Array, pelvis: Array, rest: Array, rig: RigNames, disguise: Disguise, fps: float = 20.0) -> Any:
    # poses (frames, 24, 3), pelvis (frames, 3) metres, rest (24, 3) metres
    """The motion as that rig has it. Joints without a bone should be still."""
    offsets = bone_offsets(rest)
    world = global_rotations(axis_angle_to_matrix(poses))
    places = joint_positions(world, offsets, pelvis) / disguise.unit
    turns = rest_turns(disguise, offsets)
    heads = joint_positions(turns, offsets, rest[0]) / disguise.unit
    axes = _axes(disguise.seed)
    space = np.eye(3) if disguise.space is None else disguise.space
    kept = [joint for joint, there in enumerate(has_bone(rig)) if there]
    names = [rig.spellings()[JOINT_NAMES[joint]][0] for joint in kept]
    heads = heads @ space.T
    tails = np.array([_tail(heads, joint) for joint in range(24)])
    skeleton = Skeleton(
        tuple(names), tuple(_parent(joint, kept) for joint in kept), heads[kept], tails[kept],
        np.asarray(space @ turns @ axes)[kept],
    )  # fmt: skip
    return SkeletonMotion(skeleton, (world @ axes)[:, kept], places[:, kept], fps, f"{rig.label} rig")


def _axes(seed: int | None) -> Array:
    if seed is None:
        return np.tile(np.eye(3), (24, 1, 1))
    return np.asarray(axis_angle_to_matrix(np.random.default_rng(seed).normal(0, 1.5, (24, 3))))


def _parent(joint: int, kept: list[int]) -> int:
    above = PARENTS[joint]
    while above >= 0 and above not in kept:
        above = PARENTS[above]
    return kept.index(above) if above >= 0 else -1


def _tail(heads: Array, joint: int) -> Array:
    ends = [heads[child] for child, parent in enumerate(PARENTS) if parent == joint]
    return np.asarray(np.mean(ends, axis=0) if ends else heads[joint] + 0.3 * (heads[joint] - heads[PARENTS[joint]]))


def with_twist_bones(motion: SkeletonMotion, bone: str) -> tuple[SkeletonMotion, Array]:
    """The skeleton with a bone cut into two that have a quarter and three quarters of its turn about itself, and the
    rotation from rest with half of it, (frames, 3, 3). The rest rotations must be the world's."""
    skeleton = motion.skeleton
    index = skeleton.index[bone]
    (child,) = skeleton.children[index]
    way = skeleton.heads[child] - skeleton.heads[index]
    base, whole = motion.rotations[:, skeleton.parents[index]], motion.rotations[:, index]
    swing = rotation_between(base @ way, whole @ way) @ base
    about = matrix_to_axis_angle(np.swapaxes(swing, -1, -2) @ whole)
    first, half, second = (swing @ axis_angle_to_matrix(about * share) for share in (0.25, 0.5, 0.75))
    turns, places = list(np.moveaxis(motion.rotations, 1, 0)), list(np.moveaxis(motion.heads, 1, 0))
    turns[index] = first
    turns.append(second)
    places.append(0.5 * (motion.heads[:, index] + motion.heads[:, child]))
    parents = [*skeleton.parents, index]
    parents[child] = len(skeleton.names)
    heads = np.concatenate([skeleton.heads, [skeleton.heads[index] + 0.5 * way]])
    rotations = np.concatenate([skeleton.rotations, skeleton.rotations[[index]]])
    cut = Skeleton((*skeleton.names, f"{bone}.001"), tuple(parents), heads, heads, rotations)
    return SkeletonMotion(cut, np.stack(turns, 1), np.stack(places, 1), motion.fps, motion.name), half
