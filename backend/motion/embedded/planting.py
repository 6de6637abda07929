"""Keeps planted feet where they are: after sampling, a foot that the model says stands is held in its place.

The ball of the foot goes to where the foot stands, ankle and toes go with it, and the knee bends so that the leg still
has its length. Hips and everything above stay. The features of the legs follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.motion.contacts import spans
from shared.motion.humanml.decode import decode, root_path
from shared.motion.humanml.facing import turn_about_y, y_rotation
from shared.motion.humanml.layout import CONTACTS, PLACES, SPEEDS, TURNS
from shared.motion.humanml.skeleton import joint_rotations
from shared.motion.skeleton import BODY_JOINT_COUNT, JOINT_INDEX
from shared.rotations import normalised

Array = NDArray[np.float64]
Frames = NDArray[np.bool_]

_STANDING: Final = 0.5  # of the contact feature
_LOW_M: Final = 0.06  # a ball that is higher does not stand
_LEAST_FRAMES: Final = 3
_EASE_FRAMES: Final = 4  # in which a foot comes to its place and leaves it
_LONGEST_REACH: Final = 0.998


@dataclass(frozen=True, slots=True)
class _Leg:
    hip: int
    knee: int
    ankle: int
    ball: int
    contact: int  # the column of the ball's contact


def _leg(side: str, contact: int) -> _Leg:
    hip, knee, ankle, ball = (JOINT_INDEX[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "foot"))
    return _Leg(hip, knee, ankle, ball, CONTACTS.start + contact)


_LEGS: Final = (_leg("left", 1), _leg("right", 3))


def planted(features: Array, given: Frames) -> Array:  # (frames, 263) not normalised, (frames,)
    """The features with standing feet held still, (frames, 263); frames that are `given` stay as they are."""
    positions = decode(features)
    moved = positions.copy()
    for leg in _LEGS:
        _hold(moved, _shifts(positions, features, leg, given), leg)
    moved[given] = positions[given]
    return _with_legs(features, moved, given)


def _shifts(positions: Array, features: Array, leg: _Leg, given: Frames) -> Array:
    """By how much the ball must move in every frame, (frames, 3) metres."""
    ball = positions[:, leg.ball]
    stands = (features[:, leg.contact] > _STANDING) & (ball[:, 1] < _LOW_M)
    shifts = np.zeros_like(ball)
    fixed = np.zeros(len(ball), dtype=bool)
    for start, stop in spans(stands):
        if stop - start < _LEAST_FRAMES:
            continue
        known = np.flatnonzero(given[start:stop])
        place = ball[start + known[-1]] if len(known) else np.median(ball[start:stop], axis=0)
        wanted = np.array([place[0], max(place[1], 0.0), place[2]])
        shifts[start:stop] = wanted - ball[start:stop]
        fixed[start:stop] = True
    below = np.maximum(-ball[:, 1] - np.where(fixed, 0.0, shifts[:, 1]), 0.0)
    shifts[~fixed, 1] += below[~fixed]
    return _eased(shifts, fixed)


def _eased(shifts: Array, fixed: Frames) -> Array:
    """The shifts fading out before and behind the frames in which the foot stands."""
    eased = shifts.copy()
    for start, stop in spans(~fixed):
        frames = np.arange(start, stop)
        if start > 0:
            share = np.clip(1.0 - (frames - start + 1.0) / (_EASE_FRAMES + 1.0), 0.0, 1.0)
            eased[start:stop] += _soft(share)[:, None] * shifts[start - 1]
        if stop < len(shifts):
            share = np.clip(1.0 - (stop - frames) / (_EASE_FRAMES + 1.0), 0.0, 1.0)
            eased[start:stop] += _soft(share)[:, None] * shifts[stop]
    return eased


def _soft(share: Array) -> Array:
    return share * share * (3.0 - 2.0 * share)


def _hold(positions: Array, shifts: Array, leg: _Leg) -> None:
    """Move foot and ankle by the shifts (frames, 3), and bend the knee to match; in place."""
    hip, knee, ankle = (positions[:, joint].copy() for joint in (leg.hip, leg.knee, leg.ankle))
    upper = np.linalg.norm(knee - hip, axis=-1, keepdims=True)
    lower = np.linalg.norm(ankle - knee, axis=-1, keepdims=True)
    way = ankle + shifts - hip
    reach = np.linalg.norm(way, axis=-1, keepdims=True)
    length = np.clip(reach, np.abs(upper - lower) + 1e-3, _LONGEST_REACH * (upper + lower))
    # Where the leg is too short for its place, the foot stays behind as far as the leg lacks.
    before = np.linalg.norm(ankle - hip, axis=-1, keepdims=True)
    length = np.where(reach > length, np.maximum(length, np.minimum(before, reach)), length)
    along = way / np.maximum(reach, 1e-9)
    new_ankle = hip + along * length
    pole = knee - hip
    aside = normalised(pole - np.sum(pole * along, axis=-1, keepdims=True) * along)
    cosine = np.clip((upper**2 + length**2 - lower**2) / (2.0 * upper * length), -1.0, 1.0)
    changed = np.linalg.norm(shifts, axis=-1) > 1e-6
    bent = hip + upper * (cosine * along + np.sqrt(1.0 - cosine**2) * aside)
    positions[changed, leg.knee] = bent[changed]
    positions[changed, leg.ball] += (new_ankle - ankle)[changed]
    positions[changed, leg.ankle] = new_ankle[changed]


def _with_legs(features: Array, positions: Array, given: Frames) -> Array:
    """The features with the legs' places, rotations and speeds of these positions, where they are not given."""
    changed = features.copy()
    root = root_path(features)
    from_root = positions - positions[:, :1] * [1.0, 0.0, 1.0]
    places = turn_about_y(root.turns[:, None], from_root)[:, 1:]
    rotations = joint_rotations(positions, y_rotation(root.turns))[:, 1:, :, :2]
    columns = np.swapaxes(rotations, -1, -2).reshape(len(features), BODY_JOINT_COUNT - 1, 6)
    speeds = turn_about_y(root.turns[:-1, None], np.diff(positions, axis=0))
    for joint in (joint for leg in _LEGS for joint in (leg.knee, leg.ankle, leg.ball)):
        changed[:, PLACES.start + 3 * (joint - 1) : PLACES.start + 3 * joint] = places[:, joint - 1]
        changed[:, TURNS.start + 6 * (joint - 1) : TURNS.start + 6 * joint] = columns[:, joint - 1]
        changed[:-1, SPEEDS.start + 3 * joint : SPEEDS.start + 3 * (joint + 1)] = speeds[:, joint]
    changed[given] = features[given]
    return changed
