"""Which of the 263 numbers means what, and the masks that editing uses."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..skeleton import BODY_JOINT_COUNT, JOINT_INDEX

Mask = npt.NDArray[np.bool_]

HUMANML_FPS: Final = 20.0
FEATURE_COUNT: Final = 263
LONGEST_FRAMES: Final = 196  # of the data set's clips: 9.8 seconds
_JOINTS: Final = BODY_JOINT_COUNT

# Half the turn about Y until the next frame, radians.
TURN: Final = 0
# The root's way until the next frame, metres, x and z, as seen from where the body faces.
STEP: Final = slice(1, 3)
# The root's height above the floor, metres.
HEIGHT: Final = 3
# All joints but the root, metres, (21, 3): from the point below the root, turned to face +Z.
PLACES: Final = slice(4, 4 + 3 * (_JOINTS - 1))
# The same joints' rotations, (21, 6): the first two columns of each matrix.
TURNS: Final = slice(PLACES.stop, PLACES.stop + 6 * (_JOINTS - 1))
# The ways of all joints until the next frame, metres, (22, 3), turned to face +Z.
SPEEDS: Final = slice(TURNS.stop, TURNS.stop + 3 * _JOINTS)
# Whether left ankle, left foot, right ankle and right foot stand still.
CONTACTS: Final = slice(SPEEDS.stop, SPEEDS.stop + 4)
# Entries of a results file that keep what a motion was made of: features as the model made them (frames, 263), what
# they are normalised by, and scale, origin and turn of where the clip stands.
KEPT_ENTRIES: Final = ("latentman_features", "latentman_mean", "latentman_std", "latentman_placement")
CONTACT_JOINTS: Final = tuple(JOINT_INDEX[name] for name in ("left_ankle", "left_foot", "right_ankle", "right_foot"))

# What stays when the upper body is made.
LOWER_JOINTS: Final = frozenset(
    JOINT_INDEX[name]
    for name in (
        "pelvis", "left_hip", "right_hip", "left_knee", "right_knee",
        "left_ankle", "right_ankle", "left_foot", "right_foot",
    )
)  # fmt: skip


def joint_mask(joints: frozenset[int]) -> Mask:
    """The features (263,) of these joints; with the pelvis also those of the root, with a foot the contacts."""
    chosen = np.array([joint in joints for joint in range(_JOINTS)])
    mask = np.zeros(FEATURE_COUNT, dtype=bool)
    mask[: PLACES.start] = chosen[0]
    mask[PLACES] = np.repeat(chosen[1:], 3)
    mask[TURNS] = np.repeat(chosen[1:], 6)
    mask[SPEEDS] = np.repeat(chosen, 3)
    mask[CONTACTS] = chosen[list(CONTACT_JOINTS)]
    return mask


LOWER_BODY: Final[Mask] = joint_mask(LOWER_JOINTS)
LOWER_BODY.setflags(write=False)
