"""Linear blend skinning one vertex at a time, as the SMPL paper writes it: slow and plain, to test the fast one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from shared.body import Body

Array = NDArray[np.float64]


def rodrigues(axis_angle: Array) -> Array:
    """Rotation matrix (3, 3) of an axis-angle vector (3,) (Loper et al. 2015, equation 1)."""
    angle = math.sqrt(sum(float(value) ** 2 for value in axis_angle))
    if angle == 0.0:
        return np.eye(3)
    x, y, z = (float(value) / angle for value in axis_angle)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turned: NDArray[np.float64] = np.eye(3) + math.sin(angle) * cross + (1.0 - math.cos(angle)) * cross @ cross
    return turned


def posed_joints(body: Body, pose: Array, betas: Array) -> list[tuple[Array, Array, Array]]:
    """For each joint: world rotation (3, 3), world place (3,), rest place (3,)."""
    shaped = body.v_template.astype(np.float64) + body.shapedirs.astype(np.float64) @ betas
    found: list[tuple[Array, Array, Array]] = []
    for joint in range(24):
        rest = sum(body.joint_regressor[joint, v] * shaped[v] for v in np.flatnonzero(body.joint_regressor[joint]))
        own = rodrigues(pose[joint])
        if body.parents[joint] < 0:
            found.append((own, rest, rest))
        else:
            turn, place, parent_rest = found[body.parents[joint]]
            found.append((turn @ own, place + turn @ (rest - parent_rest), rest))
    return found


def posed_vertex(body: Body, pose: Array, betas: Array, transl: Array, vertex: int) -> Array:
    """One vertex (3,) in metres of a pose (24, 3), betas (10,) and translation (3,)."""
    place = body.v_template[vertex].astype(np.float64)
    for beta in range(10):
        place = place + betas[beta] * body.shapedirs[vertex, :, beta]
    feature = 0
    for joint in range(1, 24):
        away = rodrigues(pose[joint]) - np.eye(3)
        for row in range(3):
            for column in range(3):
                place = place + away[row, column] * body.posedirs[vertex, :, feature]
                feature += 1
    moved = np.zeros(3)
    for joint, (turn, joint_place, rest) in enumerate(posed_joints(body, pose, betas)):
        moved += body.weights[vertex, joint] * (turn @ (place - rest) + joint_place)
    return moved + transl
