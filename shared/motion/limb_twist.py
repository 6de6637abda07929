"""The turn of an upper arm or thigh about itself, from the plane in which the limb bends.

In each frame the bend gives an angle with a weight that vanishes as the limb straightens. The angles are smoothed as
complex numbers exp(i angle), so that nothing needs unwrapping: minimise over z_t

    sum w_t |z_t - exp(i a_t)|^2 + SMOOTH sum |z_(t+1) - z_t|^2 + REST sum |z_t - 1|^2,

a tridiagonal linear system; the twist is the argument of z_t. Directions of bones are not touched by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..rotations import normalised

Array = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]

_SMOOTH: Final = 0.5
_REST: Final = 0.02
_FOOT_WEIGHT: Final = 0.15
_STRAIGHT_SINE: Final = 0.15  # below about 9 degrees of bend the plane is noise,
_BENT_SINE: Final = 0.5  # above 30 degrees it is trusted fully


@dataclass(frozen=True, slots=True)
class Limb:
    """An arm or a leg: three joints, the toe where there is one, and the rest direction towards which it bends."""

    top: int
    middle: int
    end: int
    toe: int | None
    bends_towards: tuple[float, float, float]


def limb_twists(swung: Array, positions: Array, rest: Array, limb: Limb) -> Array:
    # swung (frames, 3, 3), positions (frames, joints, 3) metres, rest (joints, 3) metres
    """Angles (frames,) radians by which the swung upper bone must still turn about itself."""
    axis = normalised(positions[:, limb.middle] - positions[:, limb.top])
    lower = normalised(positions[:, limb.end] - positions[:, limb.middle])
    rest_axis = normalised(rest[limb.middle] - rest[limb.top])
    hinge_rest = swung @ normalised(np.cross(rest_axis, np.array(limb.bends_towards)))
    hinge = np.cross(axis, lower)
    amount = np.clip((np.linalg.norm(hinge, axis=-1) - _STRAIGHT_SINE) / (_BENT_SINE - _STRAIGHT_SINE), 0.0, 1.0)
    bend_weight = amount * amount * (3.0 - 2.0 * amount)
    weight, pull = bend_weight, bend_weight * _turn(hinge_rest, hinge, axis)
    if limb.toe is not None:  # a straight leg turns with its foot
        foot = np.cross(normalised(positions[:, limb.toe] - positions[:, limb.end]), axis)
        foot_rest = swung @ np.cross(normalised(rest[limb.toe] - rest[limb.end]), rest_axis)
        foot_weight = _FOOT_WEIGHT * np.linalg.norm(foot, axis=-1)
        weight, pull = weight + foot_weight, pull + foot_weight * _turn(foot_rest, foot, axis)
    return np.angle(_smoothed(weight, pull))


def _turn(source: Array, target: Array, axis: Array) -> ComplexArray:
    """exp(i angle) of the turn about `axis` from `source` to `target`; 1 where `target` vanishes."""
    real = np.sum(source * target, axis=-1)
    imaginary = np.sum(np.cross(source, target) * axis, axis=-1)
    turn = real + 1j * imaginary
    size = np.abs(turn)
    return np.where(size > 1e-9, turn / np.maximum(size, 1e-9), 1.0)


def _smoothed(weight: Array, pull: ComplexArray) -> ComplexArray:
    """Solves the tridiagonal system of the module's text by elimination (Thomas' algorithm)."""
    frames = len(weight)
    neighbours = np.full(frames, 2.0)
    neighbours[0] -= 1.0
    neighbours[-1] -= 1.0
    diagonal = weight + _REST + _SMOOTH * neighbours
    value = pull + _REST
    for frame in range(1, frames):
        factor = _SMOOTH / diagonal[frame - 1]
        diagonal[frame] -= factor * _SMOOTH
        value[frame] += factor * value[frame - 1]
    for frame in range(frames - 1, -1, -1):
        following = _SMOOTH * value[frame + 1] if frame + 1 < frames else 0.0
        value[frame] = (value[frame] + following) / diagonal[frame]
    return value
