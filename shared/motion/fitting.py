"""Joint rotations from joint positions alone, in closed form.

1. The positions are scaled by one number, the ratio of the leg lengths, so that planted feet stay planted.
2. Hips and lowest spine joint move as one, and so do collars and chest joint, which fixes pelvis and chest whole
   (Kabsch, "A solution for the best rotation to relate two sets of vectors", 1976); the spine shares their difference.
3. Every other bone is turned the shortest way onto its direction.
4. The turn of upper arm and thigh about themselves follows from the plane in which elbow and knee bend, and for the
   thigh also from where the foot points; where a limb is straight it is carried over from the frames around.
5. Legs of other proportions still end at the ground: hip and knee are turned so that the balls of the feet are met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import MotionError
from ..rotations import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    matrix_to_quaternion,
    normalised,
    quaternion_to_matrix,
    rotation_between,
    slerp,
)
from .leg_reach import LEGS, reach
from .limb_twist import Limb, limb_twists
from .skeleton import BODY_JOINT_COUNT, JOINT_COUNT, JOINT_INDEX, bone_offsets, joint_positions, local_rotations

Array = npt.NDArray[np.float64]

_J = JOINT_INDEX
_LEGS: Final = (("left_hip", "left_knee", "left_ankle"), ("right_hip", "right_knee", "right_ankle"))
_HIPS: Final = (_J["left_hip"], _J["right_hip"])
_FEET: Final = (_J["left_foot"], _J["right_foot"])
# Bone by bone from the chest and the pelvis outwards: joint, the joint at its other end.
_SWINGS: Final = tuple(
    (_J[joint], _J[end])
    for joint, end in (
        ("neck", "head"), ("left_collar", "left_shoulder"), ("right_collar", "right_shoulder"),
        ("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow"),
        ("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"),
        ("left_hip", "left_knee"), ("right_hip", "right_knee"), ("left_knee", "left_ankle"),
        ("right_knee", "right_ankle"), ("left_ankle", "left_foot"), ("right_ankle", "right_foot"),
    )
)  # fmt: skip
_HANDS: Final = ((_J["left_wrist"], _J["left_hand"]), (_J["right_wrist"], _J["right_hand"]))
_LIMBS: Final = {
    _J["left_shoulder"]: Limb(_J["left_shoulder"], _J["left_elbow"], _J["left_wrist"], None, (0.0, 0.0, 1.0)),
    _J["right_shoulder"]: Limb(_J["right_shoulder"], _J["right_elbow"], _J["right_wrist"], None, (0.0, 0.0, 1.0)),
    _J["left_hip"]: Limb(_J["left_hip"], _J["left_knee"], _J["left_ankle"], _J["left_foot"], (0.0, 0.0, -1.0)),
    _J["right_hip"]: Limb(_J["right_hip"], _J["right_knee"], _J["right_ankle"], _J["right_foot"], (0.0, 0.0, -1.0)),
}
_SHORTEST_LEG_M: Final = 1e-3


@dataclass(frozen=True, slots=True)
class _Triangle:
    """Three joints that move as one: a left and a right one, and one on the body's axis."""

    left: int
    right: int
    axis: int

    def directions(self, joints: Array) -> Array:  # (frames, joints, 3)
        """Unit vectors right to left, and between them and the axis joint: (frames, 2, 3).

        Measured from the middle of left and right, because the place of a skeleton's root differs most between models.
        """
        middle = 0.5 * (joints[:, self.left] + joints[:, self.right])
        return normalised(
            np.stack([joints[:, self.left] - joints[:, self.right], joints[:, self.axis] - middle], axis=1)
        )


_PELVIS: Final = _Triangle(_J["left_hip"], _J["right_hip"], _J["spine1"])
_CHEST: Final = _Triangle(_J["left_collar"], _J["right_collar"], _J["spine3"])


@dataclass(frozen=True, slots=True, eq=False)
class PositionFit:
    """Rotations that put a body's joints at given positions as well as its proportions allow."""

    poses: Array  # (frames, 24, 3) axis-angle radians
    root: Array  # (frames, 3) metres, SMPL's transl
    scale: float  # what the positions were multiplied by
    residual_cm: float  # mean distance of the joints from the scaled positions
    feet_cm: float  # the same of the feet's balls alone


def fit_positions(
    positions: npt.ArrayLike,  # (frames, 22 or 24, 3) metres, Y up, SMPL's joint order
    rest_joints: npt.ArrayLike,  # (24, 3) metres
    *,
    name: str = "positions",
) -> PositionFit:
    """Fits joint rotations to joint positions; `name` is the file for messages.

    Raises MotionError for a wrong shape, values that are not finite, or a skeleton whose legs have no length.
    """
    given = _checked(positions, name)
    offsets = bone_offsets(rest_joints)
    rest = np.asarray(rest_joints, dtype=np.float64)
    scale = scale_to(rest, given, name)
    targets = given * scale
    world = _world_rotations(targets, rest, offsets)
    # The hips, not the pelvis joint, are put in place: legs and planted feet hang on them.
    pelvis = targets[:, _HIPS].mean(axis=1) - world[:, 0] @ offsets[list(_HIPS)].mean(axis=0)
    for leg in LEGS:
        reach(world, offsets, pelvis + world[:, 0] @ offsets[leg.hip], targets, leg)
    joints = joint_positions(world, offsets, pelvis)
    distances_cm = 100.0 * np.linalg.norm(joints[:, : targets.shape[1]] - targets, axis=-1)
    poses = matrix_to_axis_angle(local_rotations(world))
    return PositionFit(
        poses, pelvis - offsets[0], scale, float(distances_cm.mean()), float(distances_cm[:, _FEET].mean())
    )


def scale_to(rest_joints: Array, positions: Array, name: str) -> float:
    # rest_joints (24, 3) metres, positions (frames, 22 or 24, 3)
    """What positions are multiplied by so that their legs are as long as the body's. Raises MotionError for none."""
    return _leg_length(rest_joints[None]) / _usable_leg_length(positions, name)


def _checked(positions: npt.ArrayLike, name: str) -> Array:
    array = np.asarray(positions, dtype=np.float64)
    if array.ndim != 3 or array.shape[1:] not in ((BODY_JOINT_COUNT, 3), (JOINT_COUNT, 3)) or len(array) == 0:
        raise MotionError("motion.wrong_shape", f"{name}: joint positions must be (frames, 22, 3), not {array.shape}.")
    if not np.isfinite(array).all():
        raise MotionError("motion.not_finite", f"{name}: joint positions contain NaN or infinity.")
    return array


def _leg_length(joints: Array) -> float:  # (frames, 22 or 24, 3)
    """Median length of hip to knee to ankle, mean of both legs, metres."""
    lengths = [
        np.linalg.norm(np.diff(joints[:, [_J[joint] for joint in leg]], axis=1), axis=-1).sum(axis=-1) for leg in _LEGS
    ]
    return float(np.median(np.mean(lengths, axis=0)))


def _usable_leg_length(joints: Array, name: str) -> float:
    length = _leg_length(joints)
    if length < _SHORTEST_LEG_M:
        raise MotionError(
            "motion.no_skeleton",
            f"{name}: the legs are {length:.4f} m long, so the points are not a skeleton in metres.",
            "Export joint positions in metres, in SMPL's joint order.",
        )
    return length


def _world_rotations(targets: Array, rest: Array, offsets: Array) -> Array:
    world = np.tile(np.eye(3), (len(targets), JOINT_COUNT, 1, 1))
    pelvis = _frame(targets, rest, _PELVIS)
    chest = _frame(targets, rest, _CHEST)
    world[:, 0], world[:, _J["spine3"]] = pelvis, chest
    quaternions = matrix_to_quaternion(pelvis), matrix_to_quaternion(chest)
    for joint, end, share in ((_J["spine1"], _J["spine2"], 1 / 3), (_J["spine2"], _J["spine3"], 2 / 3)):
        between = quaternion_to_matrix(slerp(*quaternions, np.full(len(targets), share)))
        world[:, joint] = _swing(between, targets, offsets, joint, end)
    parents = {_J["neck"]: chest, _J["left_collar"]: chest, _J["right_collar"]: chest}
    parents |= {_J["left_hip"]: pelvis, _J["right_hip"]: pelvis}
    swings = _SWINGS + (_HANDS if targets.shape[1] == JOINT_COUNT else ())
    for joint, end in swings:
        base = parents[joint]
        world[:, joint] = _swing(base, targets, offsets, joint, end)
        if joint in _LIMBS:
            world[:, joint] = _twisted(world[:, joint], targets, rest, _LIMBS[joint])
        parents[end] = world[:, joint]
    for leaf, turn in parents.items():  # joints without a bone of their own go with the bone before them
        if leaf not in {joint for joint, _ in swings}:
            world[:, leaf] = turn
    for wrist, hand in _HANDS:
        world[:, hand] = world[:, wrist]
    return world


def _frame(targets: Array, rest: Array, triangle: _Triangle) -> Array:
    """Rotations (frames, 3, 3) that best turn the rest triangle's two directions onto the present ones."""
    now, then = triangle.directions(targets), triangle.directions(rest[None])[0]
    u, _, vt = np.linalg.svd(np.einsum("fni,nj->fij", now, then))
    sign = np.ones((len(targets), 3))
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation: Array = (u * sign[:, None, :]) @ vt
    return rotation


def _swing(base: Array, targets: Array, offsets: Array, joint: int, end: int) -> Array:
    """`base` (frames, 3, 3) turned the shortest way so that the bone from `joint` to `end` has its direction."""
    return rotation_between(base @ offsets[end], targets[:, end] - targets[:, joint]) @ base


def _twisted(swung: Array, targets: Array, rest: Array, limb: Limb) -> Array:
    axis = normalised(targets[:, limb.middle] - targets[:, limb.top])
    angles = limb_twists(swung, targets, rest, limb)
    return axis_angle_to_matrix(axis * angles[:, None]) @ swung
