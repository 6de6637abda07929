"""What a skeleton's rest pose is to SMPL's T-pose: for each joint the rotation between the two.

A person who stands at rest tells it: the trunk is upright in both, the limbs point where they point, and a limb that
is turned down or out has not been turned about itself. A rest pose in which nobody stands (bones along one axis, as in
some BVH files) tells nothing; there the whole motion tells it (`rest_by_motion`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ...rotations import normalised, rotation_between
from ..skeleton import JOINT_COUNT, JOINT_INDEX, PARENTS
from .places import Mapped

Array = npt.NDArray[np.float64]

_J: Final = JOINT_INDEX
_STANDS: Final = 0.7  # cosine between a leg's bone and down
_NEARLY: Final = 0.9  # cosine within which the up axis is an axis of the skeleton's space
_PAIRS: Final = ("knee", "ankle", "shoulder", "elbow")
_UNEVEN: Final = 0.03  # of a leg's length
_FLAT_FOOT: Final = (-0.9, 0.1)  # sines of the slope from ankle to toe of a foot that stands on the floor


def standing_frame(source: Mapped) -> Array | None:
    """The rotation (3, 3) from SMPL's axes (left, up, front) to the skeleton's own space; None if it does not stand."""
    rest = source.rest
    ankles = 0.5 * (rest(_J["left_ankle"]) + rest(_J["right_ankle"]))
    top = (
        rest(_J["head"])
        if _J["head"] in source.bones
        else 0.5 * (rest(_J["left_shoulder"]) + rest(_J["right_shoulder"]))
    )
    up = _snapped(normalised(top - ankles))
    left = sum((rest(_J[f"left_{pair}"]) - rest(_J[f"right_{pair}"]) for pair in ("hip", "shoulder")), np.zeros(3))
    left = normalised(left - (left @ up) * up)
    if not left.any() or not up.any():
        return None
    for side in ("left", "right"):
        joints = [rest(_J[f"{side}_{joint}"]) for joint in ("hip", "knee", "ankle")]
        if any(normalised(end - start) @ up > -_STANDS for start, end in zip(joints, joints[1:], strict=False)):
            return None
    shoulders, hips = (0.5 * (rest(_J[f"left_{pair}"]) + rest(_J[f"right_{pair}"])) for pair in ("shoulder", "hip"))
    frame = np.asarray(np.stack([left, up, np.cross(left, up)], axis=-1))
    return frame if normalised(shoulders - hips) @ up >= _STANDS and _is_even(source, frame) else None


def _is_even(source: Mapped, frame: Array) -> bool:
    """Whether left and right mirror each other, as they do at rest: a file without a skin may have any pose there."""
    rest = source.rest
    middle = 0.5 * (rest(_J["left_hip"]) + rest(_J["right_hip"]))
    pairs = [[(rest(_J[f"{side}_{joint}"]) - middle) @ frame for side in ("left", "right")] for joint in _PAIRS]
    gaps = [np.linalg.norm(left - right * [-1.0, 1.0, 1.0]) for left, right in pairs]
    leg = np.linalg.norm(rest(_J["left_hip"]) - rest(_J["left_ankle"]))
    return bool(np.mean(gaps) < _UNEVEN * leg)


def by_rest(source: Mapped, frame: Array, offsets: Array) -> Array:
    # frame (3, 3) from `standing_frame`, offsets (24, 3) metres
    """Rotations (24, 3, 3) from SMPL's T-pose to the skeleton's rest pose, in the skeleton's own space."""
    found = np.tile(frame, (JOINT_COUNT, 1, 1))
    for side in ("left", "right"):
        arm = [_J[f"{side}_{joint}"] for joint in ("collar", "shoulder", "elbow", "wrist", "hand")]
        leg = [_J[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")]
        for before, joint, end in zip(arm, arm[1:], arm[2:], strict=False):
            found[joint] = _swung(source, found[before], offsets, joint, end)
        found[arm[-1]] = found[arm[-2]]
        for joint, end in zip(leg, leg[1:], strict=False):
            found[joint] = _swung(source, found[PARENTS[joint]], offsets, joint, end)
        ankle, foot = _J[f"{side}_ankle"], _J[f"{side}_foot"]
        found[ankle] = found[foot] = _foot(source, frame, offsets, ankle, foot)
    return found


def _swung(source: Mapped, before: Array, offsets: Array, joint: int, end: int) -> Array:
    """The rotation of the joint before, turned the shortest way until the bone points where it points at rest."""
    if joint not in source.bones or end not in source.bones:
        return before
    points = source.rest(end) - source.rest(joint)
    return np.asarray(rotation_between(before @ offsets[end], points) @ before)


def _foot(source: Mapped, frame: Array, offsets: Array, ankle: int, foot: int) -> Array:
    """Feet stand flat at rest, however high the ankle is: only the turn about the up axis counts."""
    if foot not in source.bones:
        return frame
    up = frame[:, 1]
    points = normalised(source.rest(foot) - source.rest(ankle))
    own = frame @ offsets[foot]
    if not _FLAT_FOOT[0] <= points @ up <= _FLAT_FOOT[1]:
        return np.asarray(rotation_between(own, points) @ frame)
    return np.asarray(rotation_between(own - (own @ up) * up, points - (points @ up) * up) @ frame)


def _snapped(direction: Array) -> Array:
    """The nearest axis, where it is near: people at rest stand upright in their own space."""
    axis = int(np.argmax(np.abs(direction)))
    if abs(direction[axis]) < _NEARLY:
        return direction
    snapped = np.zeros(3)
    snapped[axis] = np.sign(direction[axis])
    return snapped
