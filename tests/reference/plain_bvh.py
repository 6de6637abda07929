"""The slow, obvious twin of the BVH writer: a reader of just its layout, joint by joint and frame by frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlainBvh:
    """What the file says, its joints in its own order."""

    names: list[str]
    offsets: Array  # (joints, 3)
    channels: Array  # (frames, 3 + 3 joints)
    joints: Array  # (frames, joints, 3)
    fps: float


def plain_bvh(text: str) -> PlainBvh:
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    around: list[int] = []
    ending = False
    lines = iter(text.splitlines())
    for line in lines:
        words = line.split()
        if words[0] in ("ROOT", "JOINT"):
            names.append(words[1])
            parents.append(around[-1] if around else -1)
        elif words[0] == "End":
            ending = True
        elif words[0] == "{":
            around.append(len(names) - 1)
        elif words[0] == "}":
            around.pop()
            ending = False
        elif words[0] == "OFFSET" and not ending:
            offsets.append([float(word) for word in words[1:]])
        elif words[0] == "CHANNELS":
            assert words[-3:] == ["Zrotation", "Xrotation", "Yrotation"]
        elif words[0] == "MOTION":
            break
    frames = int(next(lines).split()[1])
    seconds = float(next(lines).split()[2])
    channels = np.array([[float(word) for word in line.split()] for line in lines])
    assert channels.shape == (frames, 3 + 3 * len(names))
    joints = np.array([_joints(row, parents, np.array(offsets)) for row in channels])
    return PlainBvh(names, np.array(offsets), channels, joints, 1 / seconds)


def _joints(row: Array, parents: list[int], offsets: Array) -> Array:
    places, turns = np.zeros((len(parents), 3)), np.zeros((len(parents), 3, 3))
    for joint, parent in enumerate(parents):
        z, x, y = (math.radians(angle) for angle in row[3 + 3 * joint : 6 + 3 * joint])
        own = _turn(2, z) @ _turn(0, x) @ _turn(1, y)
        turns[joint] = own if parent < 0 else turns[parent] @ own
        places[joint] = row[:3] + offsets[joint] if parent < 0 else places[parent] + turns[parent] @ offsets[joint]
    return places


def _turn(axis: int, angle: float) -> Array:
    turn = np.eye(3)
    one, two = (axis + 1) % 3, (axis + 2) % 3
    turn[one, one] = turn[two, two] = math.cos(angle)
    turn[two, one], turn[one, two] = math.sin(angle), -math.sin(angle)
    return turn
