"""A body's pose from the turns of another skeleton's bones: rest poses differ, twist is kept, feet stay planted.

A turn says how a bone stands in the world beside how it stands in its own rest pose. Where both skeletons rest alike it
is taken over as it is. Limbs that rest along another direction are first laid along it, the shortest way: with A that
laying, W = R A shows the body's limb where the other's is, and every turn about the limb's axis stays. Trunk, head,
hands and feet are not laid: their joints sit elsewhere in the flesh, while the bodies around them rest alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..rotations import matrix_to_axis_angle, rotation_between
from .leg_reach import LEGS, reach
from .skeleton import JOINT_COUNT, JOINT_INDEX, PARENTS, bone_offsets, joint_positions, local_rotations

Array = npt.NDArray[np.float64]

# A limb's bone and the joint at its other end; the hand is laid like the forearm, which it prolongs at rest.
_LIMBS: Final = tuple(
    (JOINT_INDEX[f"{side}_{joint}"], JOINT_INDEX[f"{side}_{end}"])
    for side in ("left", "right")
    for joint, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)
_HANDS: Final = tuple((JOINT_INDEX[f"{side}_wrist"], JOINT_INDEX[f"{side}_elbow"]) for side in ("left", "right"))
_HIPS: Final = [JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]]
_FEET: Final = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]


@dataclass(frozen=True, slots=True)
class BonePose:
    """The pose that shows another skeleton's motion."""

    poses: Array  # (frames, 24, 3) axis-angle radians
    root: Array  # (frames, 3) metres, SMPL's transl
    feet_cm: float  # mean distance of the feet's balls from where the other's are, in the body's size


def pose_of_bones(
    turns: Array, joints: Array, rest_joints: npt.ArrayLike, scale: float, *, same_rest: bool
) -> BonePose:
    # turns (frames, 22, 3, 3) in the world, joints (frames, 22, 3) in the file's unit, rest_joints (24, 3) metres; Y up
    """The pose in which the body's bones stand as the other's; `scale` makes the other's legs as long as the body's.

    With `same_rest` the turns are the body's own. Raises MotionError for unusable rest joints.
    """
    offsets = bone_offsets(rest_joints)
    targets = joints * scale
    laid = turns if same_rest else turns @ _laying(turns, joints, offsets)
    world = np.empty((len(turns), JOINT_COUNT, 3, 3))
    world[:, : laid.shape[1]] = laid
    for joint in range(laid.shape[1], JOINT_COUNT):
        world[:, joint] = world[:, PARENTS[joint]]
    if same_rest:
        pelvis = targets[:, 0]
    else:  # the hips are put in place: the pelvis joints of two skeletons lie apart
        pelvis = targets[:, _HIPS].mean(axis=1) - world[:, 0] @ offsets[_HIPS].mean(axis=0)
        for leg in LEGS:
            reach(world, offsets, pelvis + world[:, 0] @ offsets[leg.hip], targets, leg)
    feet = (joint_positions(world, offsets, pelvis) - np.pad(targets, ((0, 0), (0, 2), (0, 0))))[:, _FEET]
    poses = matrix_to_axis_angle(local_rotations(world))
    return BonePose(poses, pelvis - offsets[0], float(100.0 * np.linalg.norm(feet, axis=-1).mean()))


def _laying(turns: Array, joints: Array, offsets: Array) -> Array:
    """The rotations (22, 3, 3) from the body's rest directions to the other skeleton's, which its frames tell."""
    laying = np.tile(np.eye(3), (turns.shape[1], 1, 1))
    for joint, end in _LIMBS:
        bone = np.swapaxes(turns[:, joint], -1, -2) @ (joints[:, end] - joints[:, joint])[..., None]
        laying[joint] = rotation_between(offsets[end], np.median(bone[..., 0], axis=0))
    for hand, forearm in _HANDS:
        laying[hand] = laying[forearm]
    return laying
