"""Slow, obvious twins of shared.motion's rotations: one rotation at a time, straight from the definitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def matrix_from_axis_angle(vector: NDArray[Any]) -> NDArray[Any]:
    """The matrix exponential of the cross-product matrix, summed as its power series."""
    x, y, z = vector
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    total, term = np.eye(3), np.eye(3)
    for order in range(1, 60):
        term = term @ cross / order
        total = total + term
    return total


def slerp(start: NDArray[Any], end: NDArray[Any], amount: float) -> NDArray[Any]:
    """Turns `start` by a share of the rotation that leads to `end`: q = start (start^-1 end)^amount, the short way."""
    inverse = start * np.array([1.0, -1.0, -1.0, -1.0])
    difference = product(inverse, end)
    if difference[0] < 0.0:
        difference = -difference
    length = math.sqrt(sum(part * part for part in difference[1:]))
    if length == 0.0:
        return start
    half = math.atan2(length, difference[0]) * amount
    power = np.array([math.cos(half), *(math.sin(half) * difference[1:] / length)])
    return product(start, power)


def product(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Hamilton's product, written out."""
    return np.array(
        [
            a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
            a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
            a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
            a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
        ]
    )


def matrix_from_rot6d_rows(values: NDArray[Any]) -> NDArray[Any]:
    """Gram-Schmidt on two rows, component by component."""
    first = values[:3] / math.sqrt(sum(v * v for v in values[:3]))
    along = sum(a * b for a, b in zip(first, values[3:], strict=True))
    second = values[3:] - along * first
    second = second / math.sqrt(sum(v * v for v in second))
    third = [
        first[1] * second[2] - first[2] * second[1],
        first[2] * second[0] - first[0] * second[2],
        first[0] * second[1] - first[1] * second[0],
    ]
    return np.array([first, second, third])


def forward_kinematics(
    poses: NDArray[Any], root: NDArray[Any], rest: NDArray[Any], parents: tuple[int, ...]
) -> NDArray[Any]:
    """Joints of one frame: each joint's chain is walked from the pelvis. poses (24, 3), root (3,), rest (24, 3)."""
    joints = np.zeros((24, 3))
    for joint in range(24):
        chain = [joint]
        while parents[chain[0]] >= 0:
            chain.insert(0, parents[chain[0]])
        point, turn = rest[0] + root, matrix_from_axis_angle(poses[0])
        for before, now in zip(chain, chain[1:], strict=False):
            point = point + turn @ (rest[now] - rest[before])
            turn = turn @ matrix_from_axis_angle(poses[now])
        joints[joint] = point
    return joints
