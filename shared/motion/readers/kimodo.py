"""Kimodo's .npz (NVIDIA, 2026): turns and places of the joints of SOMA's skeleton, or of SMPL-X's body.

77 joints of SOMA, 30 of it in older files and examples, 22 of SMPL-X. Y up, metres, 30 frames a second without saying
so. Turns are counted from a T pose. Its other file, `*_amass.npz`, is read as AMASS's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...errors import MotionError
from ..reading.clip import Ask, Bones, Clip, Reader, Take, require_sample
from ..reading.fields import Fields, with_axes
from ..skeleton import BODY_JOINT_COUNT, JOINT_NAMES, PARENTS

Array = npt.NDArray[np.float64]

_JOINTS: Final = "posed_joints"
_WORLD: Final = "global_rot_mats"
_LOCAL: Final = "local_rot_mats"
# SOMA's joint for each of SMPL's; the neck of two bones turns with its lower one.
_SOMA: Final = (
    "Hips", "LeftLeg", "RightLeg", "Spine1", "LeftShin", "RightShin", "Spine2", "LeftFoot", "RightFoot", "Chest",
    "LeftToeBase", "RightToeBase", "Neck1", "LeftShoulder", "RightShoulder", "Head", "LeftArm", "RightArm",
    "LeftForeArm", "RightForeArm", "LeftHand", "RightHand",
)  # fmt: skip
# The joints that lead to those, each with the one before it.
_CHAIN: Final = {
    "Hips": None, "Spine1": "Hips", "Spine2": "Spine1", "Chest": "Spine2", "Neck1": "Chest", "Neck2": "Neck1",
    "Head": "Neck2", "LeftShoulder": "Chest", "LeftArm": "LeftShoulder", "LeftForeArm": "LeftArm",
    "LeftHand": "LeftForeArm", "RightShoulder": "Chest", "RightArm": "RightShoulder", "RightForeArm": "RightArm",
    "RightHand": "RightForeArm", "LeftLeg": "Hips", "LeftShin": "LeftLeg", "LeftFoot": "LeftShin",
    "LeftToeBase": "LeftFoot", "RightLeg": "Hips", "RightShin": "RightLeg", "RightFoot": "RightShin",
    "RightToeBase": "RightFoot",
}  # fmt: skip
_G1_JOINT_COUNT: Final = 34
_ROTATION_ERROR: Final = 0.01  # float32 matrices of a network are this close to rotations


@dataclass(frozen=True, slots=True)
class _Skeleton:
    """Where a skeleton's joints stand in the file."""

    name: str
    index: dict[str, int]
    parents: dict[str, str | None]
    smpl: tuple[str, ...]  # its joint for each of SMPL's 22
    same_rest: bool


def _soma(left_arm: int, right_arm: int, left_leg: int, right_leg: int) -> _Skeleton:
    """SOMA's joints in a file's order: each limb's follow one another; what lies between are fingers and the face."""
    starts = {"LeftShoulder": left_arm, "RightShoulder": right_arm, "LeftLeg": left_leg, "RightLeg": right_leg}
    index, here = {}, -1
    for name in _CHAIN:
        here = starts.get(name, here + 1)
        index[name] = here
    return _Skeleton("SOMA", index, dict(_CHAIN), _SOMA, same_rest=False)


_SMPLX: Final = _Skeleton(
    "SMPL-X",
    {name: number for number, name in enumerate(JOINT_NAMES[:BODY_JOINT_COUNT])},
    {
        name: None if parent < 0 else JOINT_NAMES[parent]
        for name, parent in zip(JOINT_NAMES[:BODY_JOINT_COUNT], PARENTS[:BODY_JOINT_COUNT], strict=True)
    },
    JOINT_NAMES[:BODY_JOINT_COUNT],
    same_rest=True,
)
# SOMA's 77 joints, which GEM-X moves as well: the joint for each of SMPL's, the chain to those, and their numbers.
SOMA_JOINTS, SOMA_PARENTS = _SOMA, _CHAIN
SOMA_PLACES: Final = _soma(11, 39, 67, 72).index
_SKELETONS: Final = {77: _soma(11, 39, 67, 72), 30: _soma(10, 16, 22, 26), BODY_JOINT_COUNT: _SMPLX}


def read_kimodo(fields: Fields, ask: Ask) -> Clip:
    """The clip. Raises MotionError for a skeleton that is no person's, and for matrices that do not turn."""
    require_sample(fields, ask, 1)
    joints = with_axes(fields.array(_JOINTS), 3)
    skeleton = _skeleton(fields, joints)
    joints = fields.numbers(_JOINTS, (None, joints.shape[1], 3))
    turns = _turns(fields, skeleton, joints.shape[:2])
    order = [skeleton.index[name] for name in skeleton.smpl]
    note = f"Skeleton in the file: {skeleton.name}, {joints.shape[1]} joints; hands and face were left out."
    return Clip(Bones(turns, joints[:, order], same_rest=skeleton.same_rest), notes=(note,))


def kimodo_takes(fields: Fields) -> tuple[Take, ...]:
    """The one take."""
    joints = with_axes(fields.array(_JOINTS), 3)
    return (Take(frames=len(joints)),)


def _skeleton(fields: Fields, joints: Array) -> _Skeleton:
    count = joints.shape[1] if joints.ndim == 3 else 0
    if count == _G1_JOINT_COUNT:
        raise MotionError(
            "motion.robot",
            f"{fields.name} moves the Unitree G1 robot, whose {count} joints are not a person's.",
            "Generate the motion with a SOMA or SMPL-X model.",
        )
    if count not in _SKELETONS:
        known = ", ".join(map(str, _SKELETONS))
        what = f"has shape {joints.shape}, not (frames, joints, 3) with {known} joints"
        raise fields.fault("motion.wrong_shape", _JOINTS, what, "Save the motion again as Kimodo's .npz.")
    return _SKELETONS[count]


def _turns(fields: Fields, skeleton: _Skeleton, shape: tuple[int, ...]) -> Array:  # shape: frames, joints
    """The turns of SMPL's 22 bones in the world, (frames, 22, 3, 3); from those beside the parent's where need be."""
    key = _WORLD if _WORLD in fields else _LOCAL
    matrices = fields.numbers(key, (*shape, 3, 3))
    world: dict[str, Array] = {}
    for name, parent in skeleton.parents.items():
        turn = matrices[:, skeleton.index[name]]
        world[name] = turn if key == _WORLD or parent is None else world[parent] @ turn
    turns = np.stack([world[name] for name in skeleton.smpl], axis=1)
    error = np.abs(turns @ np.swapaxes(turns, -1, -2) - np.eye(3)).max()
    if error > _ROTATION_ERROR or np.linalg.det(turns).min() < 0.0:
        raise fields.fault("motion.not_rotations", key, "has matrices that are not rotations", "Save the motion again.")
    return turns


KIMODO: Final = Reader(
    name="Kimodo",
    suffixes=(".npz",),
    up="y",
    fps=30.0,
    entries=(_JOINTS, _WORLD, _LOCAL),
    needless=("root_positions", "smooth_root_pos", "foot_contacts", "global_root_heading"),
    is_mine=lambda fields: _JOINTS in fields and (_WORLD in fields or _LOCAL in fields),
    read=read_kimodo,
    takes=kimodo_takes,
    unit_m=None,
)
