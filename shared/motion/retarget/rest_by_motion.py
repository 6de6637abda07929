"""The T-pose of a skeleton whose rest pose says nothing, found from the whole motion.

Each bone keeps one rotation C for the whole clip between its own axes and SMPL's: W = R C. Where W is known roughly in
many frames, C is the rotation nearest to the weighted sum of R^T W. What is known of W:

- trunk, neck and head are upright and face where hips or shoulders face, in the frames in which the body stands;
- thighs, shins, upper arms and forearms are those that are fitted to the joints' places;
- hands are turned as the forearm is, and feet that touch the floor are flat.

Of a skeleton with SMPL's own proportions the places alone tell the trunk as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ...rotations import axis_angle_to_matrix, normalised
from ..fitting import fit_positions
from ..skeleton import BODY_JOINT_COUNT, JOINT_INDEX, PARENTS, global_rotations
from .places import Mapped
from .planting import contacts
from .shares import Share
from .skeleton import nearest_rotations

Array = npt.NDArray[np.float64]

_J: Final = JOINT_INDEX
_UP: Final = np.array([0.0, 1.0, 0.0])
_STRICT: Final = 40  # power of the cosine between trunk and up: 20 degrees off count a tenth of upright ones
_LITTLE: Final = 1e-6
_SAME_M: Final = 0.005
_TRUNK: Final = ("spine1", "spine2", "spine3", "neck", "head", "left_collar", "right_collar")


def with_rest_by_motion(
    source: Mapped, shares: Mapping[int, tuple[Share, ...]], places: Array, rest_joints: Array
) -> Mapped:
    # places (frames, 24, 3) in the world, rest_joints (24, 3) metres
    """The source with rest rotations in which its bones are in SMPL's T-pose, in SMPL's axes.

    Raises MotionError as `fit_positions`.
    """
    known = _known(source, places, rest_joints)
    turns = source.skeleton.rotations.copy()
    done: set[int] = set()
    for joint in (0, *sorted(set(shares) - {0})):  # the pelvis has a share in the spine, but is its own
        world, weights = known[joint]
        for bone, _ in shares[joint]:
            if bone not in done:
                done.add(bone)
                turns[bone] = _constant(source.motion.rotations[:, bone], world, weights).T
    motion = replace(source.motion, skeleton=replace(source.skeleton, rotations=turns))
    return Mapped(motion, source.bones)


def _constant(rotations: Array, world: Array, weights: Array) -> Array:
    """The rotation (3, 3) that takes the bone's axes to SMPL's."""
    weights = weights if weights.sum() > _LITTLE else np.ones(len(weights))
    return nearest_rotations(np.einsum("f,fji,fjk->ik", weights / weights.sum(), rotations, world))


def _known(source: Mapped, places: Array, rest_joints: Array) -> dict[int, tuple[Array, Array]]:
    """Each joint's rotation in the world as far as it is known, (frames, 3, 3), and how much each frame counts."""
    hands = all(_J[f"{side}_hand"] in source.bones for side in ("left", "right"))
    shown = places if hands else places[:, :BODY_JOINT_COUNT]
    fit = fit_positions(shown, rest_joints, name=source.motion.name)
    fitted = global_rotations(axis_angle_to_matrix(fit.poses))
    every = np.ones(len(places))
    found = {joint: (fitted[:, joint], every) for joint in range(fitted.shape[1])}
    if not _has_our_build(source, places, rest_joints, fit.scale):
        found |= _upright(places)
    for side in ("left", "right"):
        found[_J[f"{side}_hand"]] = found[_J[f"{side}_wrist"]]
        ankle, foot = places[:, _J[f"{side}_ankle"]], places[:, _J[f"{side}_foot"]]
        flat = _flat(foot - ankle, rest_joints[_J[f"{side}_foot"]] - rest_joints[_J[f"{side}_ankle"]])
        planted = contacts(foot * fit.scale, source.motion.fps) & contacts(ankle * fit.scale, source.motion.fps)
        found[_J[f"{side}_ankle"]] = found[_J[f"{side}_foot"]] = flat, planted.astype(np.float64)
    return found


def _has_our_build(source: Mapped, places: Array, rest_joints: Array, scale: float) -> bool:
    """Whether all bones are as long as the body's, after scaling."""
    bones = [
        (joint, PARENTS[joint]) for joint in source.bones if PARENTS[joint] in source.bones and joint < BODY_JOINT_COUNT
    ]
    theirs = np.array([np.median(np.linalg.norm(places[:, a] - places[:, b], axis=-1)) for a, b in bones]) * scale
    ours = np.array([np.linalg.norm(rest_joints[a] - rest_joints[b]) for a, b in bones])
    return bool(np.abs(theirs - ours).max() < _SAME_M)


def _upright(places: Array) -> dict[int, tuple[Array, Array]]:
    """Trunk, neck and head as those of somebody who stands, by how upright the trunk is in each frame."""
    trunk = normalised(places[:, _J["neck"]] - places[:, _J["pelvis"]])
    weights = np.maximum(trunk @ _UP, 0.0) ** _STRICT
    chest = _facing(places[:, _J["left_shoulder"]] - places[:, _J["right_shoulder"]])
    hips = _facing(places[:, _J["left_hip"]] - places[:, _J["right_hip"]])
    return {0: (hips, weights), **{_J[name]: (chest, weights) for name in _TRUNK}}


def _facing(left: Array) -> Array:  # (frames, 3)
    """Upright rotations (frames, 3, 3) that have their left there."""
    level = normalised(left - (left @ _UP)[:, None] * _UP)
    return np.stack([level, np.broadcast_to(_UP, level.shape), np.cross(level, _UP)], axis=-1)


def _flat(points: Array, own: Array) -> Array:  # (frames, 3), (3,)
    """Rotations about the up axis, (frames, 3, 3), that turn `own` to where the feet point."""
    angle = np.arctan2(points[:, 0], points[:, 2]) - np.arctan2(own[0], own[2])
    return axis_angle_to_matrix(angle[:, None] * _UP)
