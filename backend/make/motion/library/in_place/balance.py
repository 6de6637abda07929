"""Puts the weight over the feet that carry it, before one of them leaves the floor."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from backend.make.motion.library.check import centre_of_mass
from backend.make.motion.library.timing import FPS
from backend.make.motion.puppet import Controls, Foot, perform

Array = npt.NDArray[np.float64]

_LIFTED_M = 0.012  # above this a foot carries nothing
_HEEL_M, _TOE_M = -0.01, 0.10  # from the ankle's floor point: how far back and forward the weight may be
_EARLY_FRAMES = 0.20 * FPS  # by so much the weight has moved before a foot leaves the floor
_MARGIN = 0.75  # how far from the middle of the feet, 1 at the outer foot, the weight may be
_ROUNDS = 2  # the second one makes up for what the limbs did in the first


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """How the feet carry the body."""

    carried: Array | float = 1.0  # (frames,) 0 where something else carries it: a chair, the floor, the air


def balanced(controls: Controls, rest_joints: Array, support: Support) -> Controls:
    """The same motion with the pelvis moved so that the centre of mass is over the carrying feet."""
    carried = np.broadcast_to(np.asarray(support.carried, dtype=np.float64), (len(controls.pelvis),))
    low, high = _limits(controls)
    for _ in range(_ROUNDS):
        centre = centre_of_mass(perform(controls, rest_joints).joints)
        shift = carried[:, None] * (np.clip(centre, low, high) - centre) * [1.0, 0.0, 1.0]
        shift = gaussian_filter1d(shift, 0.5 * _EARLY_FRAMES, axis=0, mode="nearest")
        controls = replace(controls, pelvis=controls.pelvis + shift)
    return controls


def _limits(controls: Controls) -> tuple[Array, Array]:
    """Where the centre of mass may be, (frames, 3) lowest and highest; height is free."""
    feet = (controls.left_foot, controls.right_foot)
    carry = np.stack([_carries(foot) for foot in feet])  # (2, frames) 0..1
    place = np.stack([foot.place for foot in feet])  # (2, frames, 3)
    share = (carry / np.maximum(carry.sum(axis=0), 1e-3))[..., None]
    middle = np.sum(share * place, axis=0)
    both = np.minimum(carry[0], carry[1])[:, None]  # 1 while both carry, 0 while one does
    span = _MARGIN * both * 0.5 * np.abs(place[0] - place[1])
    return middle - span - [0.02, 9.0, -_HEEL_M], middle + span + [0.02, 9.0, _TOE_M]


def _carries(foot: Foot) -> Array:
    """1 while the foot carries weight; falls to 0 before the foot leaves the floor."""
    down = (foot.place[:, 1] < _LIFTED_M).astype(np.float64)
    early = minimum_filter1d(down, 2 * int(round(_EARLY_FRAMES)) + 1, mode="nearest")
    return np.asarray(gaussian_filter1d(early, 0.6 * _EARLY_FRAMES, mode="nearest"), dtype=np.float64)
