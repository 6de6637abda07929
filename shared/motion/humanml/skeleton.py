"""The data set's one skeleton: directions of the bones at rest, their lengths, and how a motion is moved onto it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ...rotations import normalised, rotation_between
from ..skeleton import BODY_JOINT_COUNT, JOINT_INDEX, PARENTS

Array = npt.NDArray[np.float64]

BODY_PARENTS: Final = PARENTS[:BODY_JOINT_COUNT]
_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_LEFT, _RIGHT, _UP, _DOWN, _FRONT = _X, (-1.0, 0.0, 0.0), _Y, (0.0, -1.0, 0.0), _Z
# The bone that ends in each joint, at rest. Its rotation is that of the joint it ends in.
REST_DIRECTIONS: Final[Array] = np.array(
    [
        (0.0, 0.0, 0.0), _LEFT, _RIGHT, _UP, _DOWN, _DOWN, _UP, _DOWN, _DOWN, _UP, _FRONT, _FRONT, _UP, _LEFT, _RIGHT,
        _FRONT, _DOWN, _DOWN, _DOWN, _DOWN, _DOWN, _DOWN,
    ]
)  # fmt: skip
# Metres, measured on the data set's clips, which all have the bones of its clip 000021.
BONE_LENGTHS_M: Final[Array] = np.array(
    [
        0.0, 0.1030740, 0.1098835, 0.1315683, 0.3936233, 0.3901882, 0.1431903, 0.4324335, 0.4256438, 0.0573647,
        0.1433816, 0.1494191, 0.2193602, 0.1374869, 0.1433830, 0.1030391, 0.1316141, 0.1229842, 0.2568398, 0.2630920,
        0.2660116, 0.2698759,
    ]
)  # fmt: skip
OFFSETS: Final[Array] = REST_DIRECTIONS * BONE_LENGTHS_M[:, None]
# From joint to joint outwards; each begins with the body's facing, also those that begin at the chest.
CHAINS: Final = (
    (0, 2, 5, 8, 11), (0, 1, 4, 7, 10), (0, 3, 6, 9, 12, 15), (9, 14, 17, 19, 21), (9, 13, 16, 18, 20),
)  # fmt: skip
_MEASURED_LEG: Final = (JOINT_INDEX["right_knee"], JOINT_INDEX["right_ankle"])


def bones(positions: Array) -> Array:  # (..., 22, 3)
    """From each joint's parent to the joint, (..., 22, 3); the root's is zero."""
    ends = positions - positions[..., [max(parent, 0) for parent in BODY_PARENTS], :]
    ends[..., 0, :] = 0.0
    return ends


def leg_scale(positions: Array) -> float:  # (frames, 22, 3)
    """What a motion is multiplied by so that its right leg, in frame 0, has the data set's length; 0 for no leg."""
    lengths = np.linalg.norm(bones(positions[0]), axis=-1)
    leg = float(lengths[list(_MEASURED_LEG)].sum())
    return float(BONE_LENGTHS_M[list(_MEASURED_LEG)].sum()) / leg if leg > 0.0 else 0.0


def on_the_skeleton(positions: Array, scale: float) -> Array:  # (frames, 22, 3) metres
    """The motion with the data set's bone lengths: the root's path scaled, every bone in its own direction."""
    moved = np.empty_like(positions)
    moved[:, 0] = positions[:, 0] * scale
    ways = normalised(bones(positions)) * BONE_LENGTHS_M[:, None]
    for joint in range(1, BODY_JOINT_COUNT):
        moved[:, joint] = moved[:, BODY_PARENTS[joint]] + ways[:, joint]
    return moved


def joint_rotations(positions: Array, facing: Array) -> Array:
    # positions (frames, 22, 3), facing (frames, 3, 3) turns the body to face +Z
    """Rotation of each joint against the one before it in its chain, (frames, 22, 3, 3); the root's is the facing.

    A bone is turned the shortest way from its rest direction, and a chain starts from the facing: so the turn of a bone
    about itself is a convention, not the body's.
    """
    world = rotation_between(np.broadcast_to(REST_DIRECTIONS, positions.shape), bones(positions))
    local = np.empty_like(world)
    local[:, 0] = facing
    for chain in CHAINS:
        before = facing
        for joint in chain[1:]:
            local[:, joint] = np.swapaxes(before, -1, -2) @ world[:, joint]
            before = world[:, joint]
    return local


def positions_of_rotations(local: Array, facing: Array, root: Array) -> Array:
    # local (frames, 22, 3, 3), facing (frames, 3, 3), root (frames, 3) metres
    """The joints that `joint_rotations` came from, on the data set's skeleton: (frames, 22, 3) metres."""
    positions = np.empty((*local.shape[:-2], 3))
    positions[:, 0] = root
    for chain in CHAINS:
        turn = facing
        for before, joint in zip(chain, chain[1:], strict=False):
            turn = turn @ local[:, joint]
            positions[:, joint] = positions[:, before] + turn @ OFFSETS[joint]
    return positions
