"""Smooth: rotations averaged on the sphere of rotations, places in space, feet put back to where they stood.

A frame's new rotation is R exp(sum w_k log(R^T R_k)) over the frames around it. The weights are twice a Gaussian less
that Gaussian twice over, which leaves a turn with constant, growing or shrinking speed as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from ...rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ..contacts import contacts_in, firmly, foot_contacts, runs
from ..model import SMPLMotion
from ..quality import motion_joints
from .easing import local_lines
from .feet import Array, ball_places, with_feet_moved
from .repairs import Ground, Repair

_WIDEST_S: Final = 0.15  # the Gaussian's deviation at full strength
_IN_THE_AIR: Final = 0.6  # of it, for a foot that swings: it must leave the floor as suddenly as before
_HELD_S: Final = 0.25  # that of the straight lines along which a foot that stands may creep, if it did before


def smooth_motion(motion: SMPLMotion, rest_joints: Array, strength: float, ground: Ground) -> SMPLMotion:
    # rest_joints (24, 3) metres
    """The motion with less tremble. The first and the last frame stay, and feet stand where they stood."""
    del ground
    kernel = _kernel(strength * _WIDEST_S * motion.fps)
    if len(kernel) < 2:
        return motion
    matrices = axis_angle_to_matrix(motion.poses)
    turns = np.zeros_like(motion.poses)
    inverse = np.swapaxes(matrices, -1, -2)
    for step, weight in enumerate(kernel[1:], start=1):
        here = slice(step, motion.frame_count - step)  # frames with a neighbour on both sides
        if motion.frame_count <= 2 * step:
            break
        for other in (slice(2 * step, None), slice(None, motion.frame_count - 2 * step)):
            turns[here] += weight * matrix_to_axis_angle(inverse[here] @ matrices[other])
    turns /= _counted(kernel, motion.frame_count)[:, None, None]
    poses = matrix_to_axis_angle(matrices @ axis_angle_to_matrix(turns))
    smooth = replace(motion, poses=poses, root=_smooth_way(motion.root, kernel))
    return _with_feet_kept(motion, smooth, rest_joints, _kernel(_IN_THE_AIR * strength * _WIDEST_S * motion.fps))


def _kernel(deviation: float) -> Array:
    """The weights of the frame itself and of those after it, which those before it share; in frames."""
    reach = int(np.ceil(3.0 * deviation))
    gaussian = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(deviation, 1e-9)) ** 2)
    gaussian /= gaussian.sum()
    twice = np.convolve(gaussian, gaussian)
    whole = -twice
    whole[reach : reach + len(gaussian)] += 2.0 * gaussian
    return np.asarray(whole[2 * reach :])


def _counted(kernel: Array, frames: int) -> Array:
    """The sum of the weights that each frame (frames,) has neighbours for; the ends have fewer."""
    sums = kernel[0] + 2.0 * np.concatenate([[0.0], np.cumsum(kernel[1:])])
    room = np.minimum(np.arange(frames), np.arange(frames)[::-1])
    return np.asarray(sums[np.minimum(room, len(kernel) - 1)])


def _smooth_way(way: Array, kernel: Array) -> Array:  # (frames, 3)
    """Places weighted like rotations; the ends stay."""
    moved = np.zeros_like(way)
    for step, weight in enumerate(kernel[1:], start=1):
        if len(way) <= 2 * step:
            break
        here = slice(step, len(way) - step)
        moved[here] += weight * (way[2 * step :] + way[: len(way) - 2 * step] - 2.0 * way[here])
    return way + moved / _counted(kernel, len(way))[:, None]


def _with_feet_kept(motion: SMPLMotion, smooth: SMPLMotion, rest_joints: Array, kernel: Array) -> SMPLMotion:
    """The smooth motion with its feet on the ways that they had, each contact and each step smoothed by itself.

    So a foot leaves the floor as suddenly as before, and does not creep while it stands.
    """
    balls = ball_places(motion, rest_joints)
    standing = firmly(foot_contacts(motion_joints(motion, rest_joints), motion.fps), motion.fps)
    wanted = balls.copy()
    for foot in (0, 1):
        for first, last in runs(~standing[:, foot]):
            step = slice(max(first - 1, 0), last + 2)  # with the frames between which it is in the air
            wanted[step, foot] = _smooth_way(balls[step, foot], kernel)
    for contact in contacts_in(standing):
        wanted[contact.frames, contact.foot] = local_lines(balls[contact.frames, contact.foot], _HELD_S * motion.fps)
    return with_feet_moved(smooth, rest_joints, wanted - ball_places(smooth, rest_joints))


SMOOTH: Final = Repair(
    "smooth_motion",
    "Smooth",
    "Remove jitter from the motion, and keep planted feet where they are",
    0.4,
    smooth_motion,
)
