"""From joint positions to features, as the data set's own program makes them.

1. `put_in_place`: the data set's bone lengths, lowest joint on the floor, root above the origin, frame 0 facing +Z.
2. `features_of`: turns, steps, places, rotations, speeds and contacts; each looks at the next frame, so that a clip has
   one feature row less than frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...errors import MotionError
from ..skeleton import BODY_JOINT_COUNT, JOINT_COUNT
from .facing import first_facing, smooth_facing, turn_about_y, y_rotation
from .layout import CONTACT_JOINTS
from .skeleton import joint_rotations, leg_scale, on_the_skeleton

Array = npt.NDArray[np.float64]

_STILL_M2: Final = 0.002  # a joint that moves less than the root of this in a frame stands


@dataclass(frozen=True, slots=True)
class Placement:
    """How a clip was put into the features' space, so that it can go back to where it was."""

    scale: float = 1.0
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)  # metres, after scaling: what lies at the features' origin
    turn: float = 0.0  # radians about Y

    def back(self, positions: Array) -> Array:  # (..., 3) metres, as decoded
        """Positions where the clip was, (..., 3) metres."""
        back: Array = (turn_about_y(-self.turn, positions) + self.origin) / self.scale
        return back


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A clip's features and where the clip was."""

    features: Array  # (frames - 1, 263), or (frames, 263) of a clip that was continued
    placement: Placement


def encode(positions: npt.ArrayLike, *, continued: bool = False) -> Encoded:  # (frames, 22 or 24, 3) metres, Y up
    """The clip's features, at 20 frames a second.

    `continued` adds a frame behind the last one that goes on as before, so that every frame has its features.
    Raises MotionError for a wrong shape, NaN, fewer than two frames, or a skeleton without legs.
    """
    given = _checked(positions)
    if continued:
        given = np.concatenate([given, 2.0 * given[-1:] - given[-2:-1]])
    placed, placement = put_in_place(given)
    return Encoded(features_of(placed), placement)


def put_in_place(positions: Array) -> tuple[Array, Placement]:  # (frames, 22, 3) metres
    """The clip on the data set's skeleton, floor, origin and facing, and how to go back."""
    scale = leg_scale(positions)
    if scale == 0.0:
        raise MotionError("motion.no_skeleton", "The legs have no length, so the points are not a skeleton.")
    moved = on_the_skeleton(positions, scale)
    origin = np.array([moved[0, 0, 0], moved[..., 1].min(), moved[0, 0, 2]])
    turn = first_facing(moved[0])
    place = Placement(scale, (float(origin[0]), float(origin[1]), float(origin[2])), turn)
    return turn_about_y(turn, moved - origin), place


def features_of(positions: Array) -> Array:  # (frames, 22, 3) metres, put in place
    """The features (frames - 1, 263) of a clip that is in place."""
    turns = smooth_facing(positions)
    facing = y_rotation(turns)
    frames = len(positions) - 1
    ways = np.diff(positions, axis=0)
    steps = turn_about_y(turns[1:], ways[:, 0])[:, [0, 2]]
    # The shorter way round, also where the body turns past its back.
    halves = 0.5 * np.arctan2(np.sin(np.diff(turns)), np.cos(np.diff(turns)))
    from_root = positions - positions[:, :1] * [1.0, 0.0, 1.0]
    places = turn_about_y(turns[:, None], from_root)[:-1, 1:].reshape(frames, -1)
    columns = np.swapaxes(joint_rotations(positions, facing)[:-1, 1:, :, :2], -1, -2).reshape(frames, -1)
    speeds = turn_about_y(turns[:-1, None], ways).reshape(frames, -1)
    still = np.sum(ways[:, CONTACT_JOINTS] ** 2, axis=-1) < _STILL_M2
    heights = positions[:-1, 0, 1:2]
    return np.concatenate([halves[:, None], steps, heights, places, columns, speeds, still], axis=-1)


def _checked(positions: npt.ArrayLike) -> Array:
    array = np.array(positions, dtype=np.float64)
    if array.ndim != 3 or array.shape[1:] not in ((BODY_JOINT_COUNT, 3), (JOINT_COUNT, 3)):
        raise MotionError("motion.wrong_shape", f"Joint positions must be (frames, 22, 3), not {array.shape}.")
    if len(array) < 2:
        raise MotionError(
            "motion.too_short", f"HumanML3D's features need at least 2 frames, but there are {len(array)}."
        )
    if not np.isfinite(array).all():
        raise MotionError("motion.not_finite", "The joint positions contain NaN or infinity.")
    return array[:, :BODY_JOINT_COUNT]
