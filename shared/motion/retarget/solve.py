"""A moving skeleton with a bone map as SMPL's motion: rotations transferred, scale and floor solved, feet planted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...errors import MotionError
from ...rotations import matrix_to_axis_angle, rotation_between
from ..model import SMPLMotion
from ..skeleton import JOINT_COUNT, JOINT_INDEX, JOINT_NAMES, bone_offsets, local_rotations
from .bone_map import BoneMap
from .places import Mapped, joint_places, mapped, size_of
from .planting import plant
from .rest_by_motion import with_rest_by_motion
from .rest_pose import by_rest, standing_frame
from .shares import bone_shares, turned_by
from .skeleton import SkeletonMotion, nearest_rotations

Array = npt.NDArray[np.float64]

_J: Final = JOINT_INDEX
_SIDES: Final = ("left", "right")
_HIPS: Final = [_J["left_hip"], _J["right_hip"]]
_FEET: Final = [_J["left_foot"], _J["right_foot"]]
_SWUNG: Final = tuple(
    (_J[f"{side}_{joint}"], _J[f"{side}_{end}"])
    for side in _SIDES
    for joint, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
)
# A joint without a bone turns as the mean of these; those without a bone of their own before it are left out.
_FOLLOWS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("spine3", ("spine2", "spine1", "pelvis")),
    ("spine1", ("pelvis", "spine2", "spine3")),
    ("spine2", ("spine1", "spine3")),
    ("head", ("neck", "spine3")),
    ("neck", ("spine3", "head")),
    *((f"{side}_{joint}", (before,)) for side in _SIDES for joint, before in (
        ("collar", "spine3"), ("wrist", f"{side}_elbow"), ("hand", f"{side}_wrist"), ("foot", f"{side}_ankle"),
    )),
)  # fmt: skip
_BOTH: Final = ("spine1", "spine2", "neck")  # the mean of two; others follow the first that is there
_SHORTEST_LEG: Final = 1e-6
_METRES: Final = (0.5, 2.0)  # scales of people of all sizes in metres
_OTHER_FLOOR: Final = 0.15  # of a leg: feet that never come nearer to height 0 stand on a floor elsewhere


@dataclass(frozen=True, slots=True, eq=False)
class Retargeted:
    """The motion, and the source's joints as they were to be met."""

    motion: SMPLMotion
    targets: Array  # (frames, 24, 3) metres
    scale: float


def retarget(
    source_motion: SkeletonMotion,  # Y up
    bone_map: BoneMap,
    rest_joints: npt.ArrayLike,  # (24, 3) metres
    *,
    betas: npt.ArrayLike | None = None,  # (10,) the shape of `rest_joints`
    anchor: tuple[float, float] = (0.0, 0.0),  # metres, x and z of the place that stays where it is when scaled
) -> Retargeted:
    """The skeleton's motion on a body with these joints.

    Raises MotionError where the map does not fit, or the skeleton has no legs.
    """
    offsets, rest = bone_offsets(rest_joints), np.asarray(rest_joints, dtype=np.float64)
    source = mapped(source_motion, bone_map)
    places = joint_places(source)
    frame = standing_frame(source)
    scale = _scale(source, frame, offsets)
    said = _said(source, bone_map, scale, frame is not None)
    world = _world(source, frame, places, rest)
    targets = _scaled(places, scale, anchor)
    _estimate_balls(source, targets, world, offsets)
    pelvis = targets[:, _HIPS].mean(axis=1) - world[:, 0] @ offsets[_HIPS].mean(axis=0)
    pelvis, away_m = plant(world, offsets, pelvis, targets, source_motion.fps)
    motion = SMPLMotion(
        matrix_to_axis_angle(local_rotations(world)),
        pelvis - offsets[0],
        np.zeros(10) if betas is None else np.asarray(betas, dtype=np.float64),
        source_motion.fps,
        source=source_motion.name,
        notes=said[0],
        warnings=said[1],
        feet_residual_cm=100.0 * away_m,
    )
    return Retargeted(motion, targets, scale)


def _scale(source: Mapped, frame: Array | None, offsets: Array) -> float:
    """What the source's places are multiplied by so that its hips are as high above the balls of the feet as SMPL's."""
    size = size_of(source)
    theirs = ours = 0.0
    for side in _SIDES:
        hip, knee, ankle, foot = (_J[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle", "foot"))
        leg = [source.rest(joint) for joint in (hip, knee, ankle)]
        theirs += float(np.linalg.norm(np.diff(leg, axis=0), axis=-1).sum())
        ours += float(np.linalg.norm(offsets[knee]) + np.linalg.norm(offsets[ankle]))
        if frame is not None and foot in source.bones:
            theirs += float((leg[-1] - source.rest(foot)) @ frame[:, 1])
            ours -= float(offsets[foot][1])
    if theirs * size < _SHORTEST_LEG:
        raise MotionError(
            "motion.no_skeleton",
            f"{source.motion.name}: the legs have no length, so its bones are not a skeleton.",
            "Choose other bones for hips, knees and ankles.",
        )
    return ours / (theirs * size)


def _world(source: Mapped, frame: Array | None, places: Array, rest: Array) -> Array:
    """The joints' rotations in the world, (frames, 24, 3, 3)."""
    offsets = bone_offsets(rest)
    shares = bone_shares(source, offsets)
    if frame is None:
        source = with_rest_by_motion(source, shares, places, rest)
        rests = np.tile(np.eye(3), (JOINT_COUNT, 1, 1))
    else:
        rests = by_rest(source, frame, offsets)
    world = np.full((len(places), JOINT_COUNT, 3, 3), np.nan)
    for joint, own in shares.items():
        world[:, joint] = turned_by(source, own) @ rests[joint]
    for joint, end in _SWUNG:
        if joint in source.bones and end in source.bones:
            bone = world[:, joint] @ offsets[end]
            world[:, joint] = rotation_between(bone, places[:, end] - places[:, joint]) @ world[:, joint]
    _follow(world, set(shares))
    return world


def _follow(world: Array, there: set[int]) -> None:
    """Turns the joints that have no bone of their own."""
    for name, others in _FOLLOWS:
        if _J[name] not in there:
            known = [_J[other] for other in others if _J[other] in there][: 2 if name in _BOTH else 1]
            world[:, _J[name]] = nearest_rotations(world[:, known].mean(axis=1))
            there.add(_J[name])


def _scaled(places: Array, scale: float, anchor: tuple[float, float]) -> Array:
    """The places in metres of the body.

    Of a source in metres the anchor stays, and so does a floor that is not at height 0. Another unit tells nothing of
    where things stand: there all is scaled about the origin.
    """
    fixed = np.zeros(3)
    if _METRES[0] < scale < _METRES[1]:
        lowest = float(places[:, _FEET, 1].min())
        leg = float(np.median(np.linalg.norm(places[:, _J["left_hip"]] - places[:, _J["left_ankle"]], axis=-1)))
        fixed = np.array([anchor[0], lowest if abs(lowest) > _OTHER_FLOOR * leg else 0.0, anchor[1]])
    return np.asarray(fixed + scale * (places - fixed))


def _estimate_balls(source: Mapped, targets: Array, world: Array, offsets: Array) -> None:
    """Without a toe bone the ball of the foot is where it is on our foot."""
    for side in _SIDES:
        ankle, foot = _J[f"{side}_ankle"], _J[f"{side}_foot"]
        if foot not in source.bones:
            targets[:, foot] = targets[:, ankle] + world[:, ankle] @ offsets[foot]


def _said(source: Mapped, bone_map: BoneMap, scale: float, stands: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Notes and warnings, one sentence each."""
    notes = [f"Bones: {bone_map.label}, {len(bone_map.bones)} of {JOINT_COUNT} joints. Scaled by {scale:.4g}."]
    without = [name for name in JOINT_NAMES if _J[name] not in source.bones]
    if without:
        notes.append(f"No bone for {', '.join(without)}: these joints move with their neighbours.")
    if stands:
        return tuple(notes), ()
    turned = (
        "The rest pose is not a plain standing pose, so the bones' orientation was estimated from the whole motion."
    )
    return tuple(notes), (turned,)
