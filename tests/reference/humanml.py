"""HumanML3D's features one number at a time, through quaternions and chains as the data set's program has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.rotations import product

Quaternion = NDArray[Any]

CHAINS = ([0, 2, 5, 8, 11], [0, 1, 4, 7, 10], [0, 3, 6, 9, 12, 15], [9, 14, 17, 19, 21], [9, 13, 16, 18, 20])
L_HIP, R_HIP, L_SHOULDER, R_SHOULDER = 1, 2, 16, 17


def between(source: NDArray[Any], target: NDArray[Any]) -> Quaternion:
    """The shortest rotation of one direction onto another."""
    w = math.sqrt(float(source @ source) * float(target @ target)) + float(source @ target)
    q = np.array([w, *np.cross(source, target)])
    result: Quaternion = q / np.linalg.norm(q)
    return result


def inverse(q: Quaternion) -> Quaternion:
    result: Quaternion = q * np.array([1.0, -1.0, -1.0, -1.0])
    return result


def turned(q: Quaternion, vector: NDArray[Any]) -> NDArray[Any]:
    return product(product(q, np.array([0.0, *vector])), inverse(q))[1:]


def columns(q: Quaternion) -> list[float]:
    """The first two columns of the matrix: where X and Y go."""
    return [*turned(q, np.array([1.0, 0.0, 0.0])), *turned(q, np.array([0.0, 1.0, 0.0]))]


def root_turns(positions: NDArray[Any]) -> list[Quaternion]:
    """The turn of every frame to +Z; the forward directions are blurred by a sum over all frames around."""
    forwards = []
    for pose in positions:
        # As in the data set, which takes left and right of the hips for each other.
        across = pose[L_HIP] - pose[R_HIP] + pose[R_SHOULDER] - pose[L_SHOULDER]
        forwards.append(np.cross([0.0, 1.0, 0.0], across / np.linalg.norm(across)))
    last = len(forwards) - 1
    turns = []
    for frame in range(len(forwards)):
        total, weights = np.zeros(3), 0.0
        for offset in range(-80, 81):
            weight = math.exp(-0.5 * (offset / 20.0) ** 2)
            total += weight * forwards[min(max(frame + offset, 0), last)]
            weights += weight
        blurred = total / weights
        turns.append(between(blurred / np.linalg.norm(blurred), np.array([0.0, 0.0, 1.0])))
    turns[0] = np.array([1.0, 0.0, 0.0, 0.0])
    return turns


def features(positions: NDArray[Any], rest_directions: NDArray[Any]) -> NDArray[Any]:
    # positions (frames, 22, 3) in place, rest_directions (22, 3)
    """The features (frames - 1, 263)."""
    turns = root_turns(positions)
    rows = []
    for t in range(len(positions) - 1):
        now, then, q = positions[t], positions[t + 1], turns[t]
        row = [math.asin(product(turns[t + 1], inverse(q))[2])]
        step = turned(turns[t + 1], then[0] - now[0])
        row += [step[0], step[2], now[0][1]]
        below = np.array([now[0][0], 0.0, now[0][2]])
        for joint in range(1, 22):
            row += list(turned(q, now[joint] - below))
        local: dict[int, Quaternion] = {}
        for chain in CHAINS:
            before = q
            for parent, joint in zip(chain, chain[1:], strict=False):
                bone = now[joint] - now[parent]
                world = between(rest_directions[joint], bone / np.linalg.norm(bone))
                local[joint] = product(inverse(before), world)
                before = product(before, local[joint])
        for joint in range(1, 22):
            row += columns(local[joint])
        for joint in range(22):
            row += list(turned(q, then[joint] - now[joint]))
        for joint in (7, 10, 8, 11):
            row.append(float(sum((then[joint] - now[joint]) ** 2) < 0.002))
        rows.append(row)
    return np.array(rows)


def positions_from_rotations(values: NDArray[Any], offsets: NDArray[Any]) -> NDArray[Any]:
    # values (frames, 263), offsets (22, 3) metres at rest
    """Forward kinematics from the features' rotations, root path included: (frames, 22, 3)."""
    angle, place, frames = 0.0, np.zeros(3), []
    for t, row in enumerate(values):
        if t > 0:
            angle += values[t - 1][0]
        back = np.array([math.cos(angle), 0.0, -math.sin(angle), 0.0])
        if t > 0:
            place = place + turned(back, np.array([values[t - 1][1], 0.0, values[t - 1][2]]))
        joints = np.zeros((22, 3))
        joints[0] = [place[0], row[3], place[2]]
        for chain in CHAINS:
            turn = np.array([[math.cos(2 * angle), 0, math.sin(2 * angle)], [0, 1, 0],
                             [-math.sin(2 * angle), 0, math.cos(2 * angle)]])  # fmt: skip
            for parent, joint in zip(chain, chain[1:], strict=False):
                six = row[67 + 6 * (joint - 1) : 73 + 6 * (joint - 1)]
                turn = turn @ np.stack([six[:3], six[3:], np.cross(six[:3], six[3:])], axis=1)
                joints[joint] = joints[parent] + turn @ offsets[joint]
        frames.append(joints)
    return np.array(frames)
