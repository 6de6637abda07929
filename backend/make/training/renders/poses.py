"""Plausible random poses, named by the action that a prompt would use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

FloatArray = NDArray[np.float32]

PELVIS, HIPS, KNEES, ANKLES = 0, (1, 2), (4, 5), (7, 8)
SPINE, NECK, HEAD, COLLARS, SHOULDERS, ELBOWS, WRISTS = (3, 6, 9), 12, 15, (13, 14), (16, 17), (18, 19), (20, 21)


@dataclass(frozen=True, slots=True)
class Pose:
    """A pose without its heading."""

    rotations: FloatArray  # (24, 3) axis-angle, radians
    lift_m: float  # height of the lowest point above the ground


def _arm(pose: FloatArray, side: int, drop: float, forward: float, bend: float, twist: float = 0.0) -> None:
    """Side 0 is left. `drop` 0 is the T-pose, 1.3 hangs, -1.3 points up; `forward` swings to the front."""
    sign = 1.0 if side == 0 else -1.0
    shoulder = (
        Rotation.from_rotvec([0, -sign * forward, 0])
        * Rotation.from_rotvec([0, 0, -sign * drop])
        * Rotation.from_rotvec([twist, 0, 0])
    )
    pose[SHOULDERS[side]] = shoulder.as_rotvec()
    pose[ELBOWS[side]] = (0, -sign * bend, 0)


def _leg(pose: FloatArray, side: int, lift: float, open_: float, bend: float) -> None:
    """`lift` raises the thigh to the front, `open_` to the outside, `bend` folds the knee (radians)."""
    sign = 1.0 if side == 0 else -1.0
    hip = Rotation.from_rotvec([0, 0, sign * open_]) * Rotation.from_rotvec([-lift, 0, 0])
    pose[HIPS[side]] = hip.as_rotvec()
    pose[KNEES[side]] = (bend, 0, 0)
    pose[ANKLES[side]] = (-0.3 * bend + 0.3 * lift, 0, 0)


def _trunk(pose: FloatArray, rng: Generator, bend: float = 0.0, amount: float = 1.0) -> None:
    lean, side, turn = bend, rng.normal(0, 0.10) * amount, rng.normal(0, 0.18) * amount
    for joint in SPINE:
        pose[joint] = (lean / 3, turn / 3, side / 3)
    pose[NECK] = (rng.normal(0, 0.08), rng.normal(0, 0.15), 0)
    pose[HEAD] = (rng.normal(0, 0.10) - 0.4 * bend, rng.normal(0, 0.2), rng.normal(0, 0.08))
    for joint in WRISTS:
        pose[joint] = rng.normal(0, 0.15, 3)


def _arms_idle(pose: FloatArray, rng: Generator) -> None:
    for side in (0, 1):
        _arm(pose, side, rng.uniform(0.9, 1.35), rng.normal(0, 0.2), rng.uniform(0.05, 0.6))


def _stand(rng: Generator) -> Pose:
    pose = np.zeros((24, 3), np.float32)
    _trunk(pose, rng)
    _arms_idle(pose, rng)
    for side in (0, 1):
        _leg(pose, side, rng.normal(0, 0.06), rng.uniform(0.0, 0.2), abs(rng.normal(0, 0.08)))
    return Pose(pose, 0.0)


def _stride(rng: Generator, swing: float, knee: float, elbow: float, lean: float, lift: float) -> Pose:
    pose = np.zeros((24, 3), np.float32)
    _trunk(pose, rng, lean, 0.6)
    phase = rng.uniform(0, 2 * np.pi)
    for side in (0, 1):
        wave = np.sin(phase + side * np.pi)
        back = max(0.0, np.cos(phase + side * np.pi))
        _leg(pose, side, swing * wave + 0.1, rng.uniform(0, 0.06), 0.12 + knee * back)
        _arm(pose, side, rng.uniform(1.05, 1.3), -swing * wave * 0.9, elbow + 0.2 * rng.random())
    return Pose(pose, lift * rng.random())


def _walk(rng: Generator) -> Pose:
    return _stride(rng, rng.uniform(0.3, 0.55), 0.8, 0.2, 0.05, 0.0)


def _run(rng: Generator) -> Pose:
    return _stride(rng, rng.uniform(0.6, 0.95), 1.5, 1.3, 0.25, 0.12)


def _free_arms(pose: FloatArray, rng: Generator) -> None:
    for side in (0, 1):
        kind = rng.integers(4)
        if kind == 0:
            _arm(pose, side, rng.uniform(-1.3, -0.5), rng.normal(0, 0.3), rng.uniform(0, 1.0))
        elif kind == 1:
            _arm(pose, side, rng.uniform(-0.3, 0.3), rng.normal(0.1, 0.3), rng.uniform(0, 1.2), rng.normal(0, 0.6))
        elif kind == 2:
            _arm(pose, side, rng.uniform(0.0, 0.5), rng.uniform(0.8, 1.4), rng.uniform(0, 1.2))
        else:
            _arm(pose, side, rng.uniform(0.5, 1.3), rng.normal(0, 0.3), rng.uniform(0, 1.9), rng.normal(0, 0.5))


def _jump(rng: Generator) -> Pose:
    pose = np.zeros((24, 3), np.float32)
    _trunk(pose, rng, rng.uniform(-0.1, 0.3))
    _free_arms(pose, rng)
    tuck, open_ = rng.uniform(-0.1, 1.1), rng.uniform(0.05, 0.6)
    for side in (0, 1):
        lift = tuck + rng.normal(0, 0.15)
        _leg(pose, side, lift, open_, max(0.0, lift * 1.3 + rng.uniform(0, 0.5)))
    return Pose(pose, rng.uniform(0.05, 0.5))


def _squat(rng: Generator) -> Pose:
    pose = np.zeros((24, 3), np.float32)
    depth = rng.uniform(0.5, 1.5)
    _trunk(pose, rng, depth * 0.3)
    for side in (0, 1):
        _leg(pose, side, depth, rng.uniform(0.1, 0.5), depth * 1.5)
        _arm(pose, side, rng.uniform(0.0, 0.9), rng.uniform(0.6, 1.5), rng.uniform(0, 1.0))
    return Pose(pose, 0.0)


def _dance(rng: Generator) -> Pose:
    pose = np.zeros((24, 3), np.float32)
    _trunk(pose, rng, rng.normal(0, 0.15), 1.8)
    _free_arms(pose, rng)
    for side in (0, 1):
        lift = rng.uniform(-0.3, 0.6)
        _leg(pose, side, lift, rng.uniform(0, 0.45), max(0.0, lift + rng.uniform(0, 0.6)))
    return Pose(pose, 0.0)


def _wave(rng: Generator) -> Pose:
    standing = _stand(rng)
    side = int(rng.integers(2))
    _arm(
        standing.rotations,
        side,
        rng.uniform(-1.1, 0.1),
        rng.uniform(-0.2, 0.5),
        rng.uniform(0.3, 1.7),
        -1.3 * rng.random(),
    )
    return standing


def _kick(rng: Generator) -> Pose:
    pose = np.zeros((24, 3), np.float32)
    _trunk(pose, rng, rng.uniform(-0.3, 0.1))
    _free_arms(pose, rng)
    side = int(rng.integers(2))
    _leg(pose, side, rng.uniform(0.6, 1.6), rng.uniform(0, 0.5), rng.uniform(0, 0.8))
    _leg(pose, 1 - side, 0.0, 0.05, rng.uniform(0.05, 0.3))
    return Pose(pose, 0.0)


ACTIONS: dict[str, tuple[Callable[[Generator], Pose], float]] = {
    "standing": (_stand, 0.12),
    "walking": (_walk, 0.18),
    "running": (_run, 0.13),
    "jumping": (_jump, 0.13),
    "squatting": (_squat, 0.07),
    "dancing": (_dance, 0.20),
    "waving": (_wave, 0.11),
    "kicking": (_kick, 0.06),
}


def random_action(rng: Generator) -> str:
    """One of ACTIONS, by its weight."""
    weights = np.array([weight for _, weight in ACTIONS.values()])
    return str(rng.choice(list(ACTIONS), p=weights / weights.sum()))


def random_pose(rng: Generator, action: str) -> Pose:
    """A pose of `action`, one of ACTIONS."""
    return ACTIONS[action][0](rng)
