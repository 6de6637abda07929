"""From features to joint positions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import MotionError
from ..skeleton import BODY_JOINT_COUNT
from .facing import turn_about_y
from .layout import FEATURE_COUNT, HEIGHT, PLACES, STEP, TURN

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RootPath:
    """Where the root is in every frame and how far each frame is turned to face +Z."""

    places: Array  # (..., frames, 3) metres
    turns: Array  # (..., frames) radians


def decode(features: npt.ArrayLike) -> Array:  # (..., frames, 263), not normalised
    """Joint positions (..., frames, 22, 3) metres, Y up; the root starts above the origin.

    Raises MotionError for another number of features or values that are not finite.
    """
    values = checked_features(features)
    root = root_path(values)
    places = values[..., PLACES].reshape(*values.shape[:-1], BODY_JOINT_COUNT - 1, 3)
    others = turn_about_y(-root.turns[..., None], places)
    others[..., [0, 2]] += root.places[..., None, [0, 2]]
    return np.concatenate([root.places[..., None, :], others], axis=-2)


def root_path(values: Array) -> RootPath:  # (..., frames, 263)
    """The root's path: its turns and steps added up from frame to frame."""
    turns = np.zeros(values.shape[:-1])
    turns[..., 1:] = 2.0 * np.cumsum(values[..., :-1, TURN], axis=-1)
    steps = np.zeros((*values.shape[:-1], 3))
    steps[..., 1:, [0, 2]] = values[..., :-1, STEP]
    places = np.cumsum(turn_about_y(-turns, steps), axis=-2)
    places[..., 1] = values[..., HEIGHT]
    return RootPath(places, turns)


def checked_features(features: npt.ArrayLike) -> Array:
    """The features as float64. Raises MotionError for a wrong shape and for NaN."""
    values = np.asarray(features, dtype=np.float64)
    if values.ndim < 2 or values.shape[-1] != FEATURE_COUNT or values.shape[-2] == 0:
        raise MotionError(
            "motion.features", f"HumanML3D's features have the shape (frames, {FEATURE_COUNT}), not {values.shape}."
        )
    if not np.isfinite(values).all():
        raise MotionError("motion.not_finite", "HumanML3D's features contain NaN or infinity.")
    return values
