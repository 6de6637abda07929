"""Feet that are moved: the legs follow, and the pelvis where a leg would not reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ...rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ..contacts import BALLS, Mask
from ..leg_reach import LEGS, reach
from ..model import SMPLMotion
from ..quality import motion_joints
from ..skeleton import bone_offsets, global_rotations, joint_positions, local_rotations
from .easing import eased, without_tremble

Array = npt.NDArray[np.float64]

_FADE_S: Final = 0.15  # over which a change comes and goes
_TREMBLE_S: Final = 0.1  # a change that is over sooner is tremble: it ends with its contact and is not faded out
_FARTHEST: Final = 0.99  # of a leg's length: beyond it the knee would turn fast for a small way of the foot
_ROUNDS: Final = 4  # each leaves the square of what the one before has left
_TURNED: Final = 1e-9


def feet_eased(wanted: Array, held: Mask, fps: float) -> Array:  # (frames, 2, n) metres, (frames, 2)
    """Each foot's way: exactly as wanted in the frames that are held, with a fade before and after them."""
    moves = np.zeros_like(wanted)
    for foot in range(wanted.shape[1]):
        steady = without_tremble(wanted[:, foot], held[:, foot], _TREMBLE_S * fps)
        moves[:, foot] = eased(steady, held[:, foot], _FADE_S * fps)
        moves[held[:, foot], foot] = wanted[held[:, foot], foot]
    return moves


def ball_places(motion: SMPLMotion, rest_joints: Array) -> Array:  # (24, 3) metres
    """Where the balls of the feet are, (frames, 2, 3) metres: left, right."""
    return motion_joints(motion, rest_joints)[:, BALLS]


def with_feet_moved(motion: SMPLMotion, rest_joints: Array, moves: Array) -> SMPLMotion:
    # rest_joints (24, 3) metres, moves (frames, 2, 3) metres
    """The motion with each foot moved, its rotation in the world kept; frames without a move are unchanged.

    A leg is stretched no further than it is in the motion, or to 99 % of its length: where the foot would still not be
    reached the pelvis gives way, eased in and out.
    """
    offsets = bone_offsets(rest_joints)
    world = global_rotations(axis_angle_to_matrix(motion.poses))
    joints = joint_positions(world, offsets, motion.root + offsets[0])
    given = _pelvis_gives_way(joints, offsets, moves, motion.fps)
    poses = motion.poses.copy()
    for foot, leg in enumerate(LEGS):
        changed = np.any(moves[:, foot] != 0.0, axis=-1) | np.any(given != 0.0, axis=-1)
        if not changed.any():
            continue
        targets = joints[changed].copy()
        targets[:, leg.foot] += moves[changed, foot]
        turned = world[changed].copy()
        reach(turned, offsets, joints[changed, leg.hip] + given[changed], targets, leg)
        local = matrix_to_axis_angle(local_rotations(turned))
        for joint in (leg.hip, leg.knee, leg.ankle):
            poses[changed, joint] = local[:, joint]
    return replace(motion, poses=poses, root=motion.root + given)


def _pelvis_gives_way(joints: Array, offsets: Array, moves: Array, fps: float) -> Array:
    """How the pelvis moves, (frames, 3) metres, so that both legs reach their feet."""
    given = np.zeros((len(joints), 3))
    for _ in range(_ROUNDS):
        wanted = np.zeros_like(given)
        for foot, leg in enumerate(LEGS):
            length = float(np.linalg.norm(offsets[leg.knee]) + np.linalg.norm(offsets[leg.ankle]))
            before = np.linalg.norm(joints[:, leg.ankle] - joints[:, leg.hip], axis=-1)
            line = joints[:, leg.ankle] + moves[:, foot] - joints[:, leg.hip] - given
            now = np.linalg.norm(line, axis=-1)
            moved = np.any(moves[:, foot] != 0.0, axis=-1) | np.any(given != 0.0, axis=-1)
            over = np.where(moved, now - np.maximum(before, _FARTHEST * length), 0.0)
            wanted += np.where(over > _TURNED, over / np.maximum(now, _TURNED), 0.0)[:, None] * line
        held = np.any(wanted != 0.0, axis=-1)
        if not held.any():
            break
        given = given + eased(wanted, held, _FADE_S * fps)
    return given
