"""Put on Floor: feet that stand do so on the floor, and none goes below it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from ..contacts import Mask, contacts_in, firmly, foot_contacts
from ..model import SMPLMotion
from ..quality import motion_joints
from .easing import local_lines, smoothed
from .feet import Array, ball_places, feet_eased, with_feet_moved
from .repairs import Ground, Repair

_SLOW_S: Final = 0.3  # over which the body's height changes from one contact's to the next one's


def put_on_floor(motion: SMPLMotion, rest_joints: Array, strength: float, ground: Ground) -> SMPLMotion:
    # rest_joints (24, 3) metres
    """The motion raised or lowered contact by contact, smoothly in between; legs take up what is left.

    A clip in which no foot stands is moved as a whole, so that its lowest frame touches the floor.
    """
    level = ground.floor_m + ground.sole_m
    standing = firmly(foot_contacts(motion_joints(motion, rest_joints), motion.fps), motion.fps)
    raised = strength * _body_heights(ball_places(motion, rest_joints)[..., 1], standing, level, motion.fps)
    moved = replace(motion, root=motion.root + raised[:, None] * [0.0, 1.0, 0.0])
    heights = ball_places(moved, rest_joints)[..., 1]
    wanted = strength * (level - heights)
    held = standing | (heights < level)
    moves = np.zeros((motion.frame_count, 2, 3))
    moves[..., 1:2] = feet_eased(wanted[..., None], held, motion.fps)
    return with_feet_moved(moved, rest_joints, moves)


def _body_heights(heights: Array, standing: Mask, level: float, fps: float) -> Array:  # (frames, 2), (frames, 2)
    """By how much the body is raised, (frames,) metres: in a contact as much as its foot, tremble left out."""
    contacts = contacts_in(standing)
    if not contacts:
        return np.full(len(heights), level - heights.min())
    wanted, counted = np.zeros(len(heights)), np.zeros(len(heights))
    for contact in contacts:
        way = heights[contact.frames, contact.foot, None]
        wanted[contact.frames] += level - local_lines(way, _SLOW_S * fps)[:, 0]
        counted[contact.frames] += 1.0
    known = np.flatnonzero(counted)
    between = np.interp(np.arange(len(heights)), known, wanted[known] / counted[known])
    return smoothed(between[:, None], np.full(len(heights), 1.0 / max(_SLOW_S * fps, 1.0) ** 4))[:, 0]


PUT_ON_FLOOR: Final = Repair(
    "put_on_floor", "Put on Floor", "Raise or lower the body so that planted feet stand on the floor", 1.0, put_on_floor
)
