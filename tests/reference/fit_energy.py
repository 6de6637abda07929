"""The energy of the position fit, term by term and frame by frame (backend.motion.fit.energy)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from backend.motion.fit.energy import HINGES, LIMITS
from backend.motion.fit.settings import FitSettings
from shared.motion.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS

Array = npt.NDArray[np.float64]


def fit_energy(
    rest: Array, rotations: Array, root: Array, delta: Array, aim: Array, planted: Array, floor_m: float,
    settings: FitSettings,
) -> float:  # fmt: skip
    # rest (24, 3), rotations (frames, 24, 3, 3), root (frames, 3), delta (frames, 24, 3), aim (frames, n, 3),
    # planted (frames - 1, 2)
    """The sum of all terms."""
    joints = [100.0 * _placed(rest, rotations[frame], root[frame]) for frame in range(len(root))]
    balls = [[one[JOINT_INDEX["left_foot"]], one[JOINT_INDEX["right_foot"]]] for one in joints]
    frames = range(len(root))
    jerk = [joints[t + 3] - 3 * joints[t + 2] + 3 * joints[t + 1] - joints[t] for t in frames[:-3]]
    turn = [rotations[t + 2] - 2 * rotations[t + 1] + rotations[t] for t in frames[:-2]]
    slides = [
        sum(planted[t, side] * _squared(balls[t + 1][side] - balls[t][side]) for side in (0, 1)) for t in frames[:-1]
    ]
    return (
        settings.joints * _mean([_distances(joints[t], 100.0 * aim[t], settings.robust_cm) for t in frames])
        + settings.jerk * _mean([_squared(one) for one in jerk])
        + settings.turn * _mean([_squared(one) for one in turn])
        + settings.contact * _mean(slides)
        + settings.floor * _mean([sum(max(0.0, 100 * floor_m - ball[1]) ** 2 for ball in balls[t]) for t in frames])
        + settings.hinge * _mean([_off_hinge(rotations[t]) for t in frames])
        + settings.limit * _mean([_beyond(rotations[t]) for t in frames])
        + settings.start * _mean([_squared(delta[t]) for t in frames])
    )


def _placed(rest: Array, local: Array, root: Array) -> Array:
    """Forward kinematics of one frame, joint by joint."""
    world, places = [local[0]], [rest[0] + root]
    for joint in range(1, len(rest)):
        parent = PARENTS[joint]
        places.append(places[parent] + world[parent] @ (rest[joint] - rest[parent]))
        world.append(world[parent] @ local[joint])
    return np.array(places)


def _distances(joints: Array, aim: Array, robust_cm: float) -> float:
    far = [_squared(joints[joint] - aim[joint]) for joint in range(len(aim))]
    return sum(robust_cm**2 * one / (robust_cm**2 + one) for one in far)


def _off_hinge(local: Array) -> float:
    total = 0.0
    for joint, axis, sign in HINGES:
        vector = _sine_vector(local[joint])
        total += sum(vector[other] ** 2 for other in range(3) if other != axis)
        total += min(0.0, sign * vector[axis]) ** 2
    return total


def _beyond(local: Array) -> float:
    total = 0.0
    for joint, name in enumerate(JOINT_NAMES):
        angle = math.atan2(math.sqrt(_squared(_sine_vector(local[joint]))), (np.trace(local[joint]) - 1.0) / 2.0)
        total += max(0.0, angle - LIMITS.get(name, math.pi)) ** 2
    return total


def _sine_vector(turn: Array) -> Array:
    return np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2.0


def _squared(values: Array) -> float:
    return float(np.sum(values * values))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
