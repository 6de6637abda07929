"""Plant Feet: a foot that stands stays where it stands."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..contacts import contacts_in, firmly, foot_contacts
from ..model import SMPLMotion
from ..quality import motion_joints
from .feet import Array, ball_places, feet_eased, with_feet_moved
from .repairs import Ground, Repair


def plant_feet(motion: SMPLMotion, rest_joints: Array, strength: float, ground: Ground) -> SMPLMotion:
    # rest_joints (24, 3) metres
    """The motion whose feet keep one place while they stand: the middle of their way, so that legs change least.

    In the first and the last moment of a contact, while the foot comes and goes, it is let go already.
    """
    del ground  # the height at which a foot stands is kept
    balls = ball_places(motion, rest_joints)
    standing = firmly(foot_contacts(motion_joints(motion, rest_joints), motion.fps), motion.fps)
    wanted = np.zeros_like(balls)
    for contact in contacts_in(standing):
        way = balls[contact.frames, contact.foot]
        wanted[contact.frames, contact.foot] = np.median(way, axis=0) - way
    return with_feet_moved(motion, rest_joints, feet_eased(strength * wanted, standing, motion.fps))


PLANT_FEET: Final = Repair(
    "plant_feet", "Plant Feet", "Hold planted feet in place, and let the legs follow", 1.0, plant_feet
)
