"""A posable SMPL skeleton: pelvis, chest and head are turned, hands and feet are put in place, limbs follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.make.motion.curves import smoothstep
from shared.motion.skeleton import JOINT_INDEX, bone_offsets, joint_positions, local_rotations
from shared.rotations import axis_angle_to_matrix, matrix_to_axis_angle, normalised, rotation_between

Array = npt.NDArray[np.float64]

_J = JOINT_INDEX
_LONGEST_REACH = 0.995  # of the limb's length: a limb never locks straight
_SHRUG_DEGREES = 22.0


@dataclass(frozen=True, slots=True, eq=False)
class Foot:
    """One foot over time. Pitch above 0 lifts the heel about the ball, below 0 lifts the toes about the heel."""

    place: Array  # (frames, 3) metres: where the ankle's floor point is while the foot is flat; y lifts the foot
    yaw: Array  # (frames,) degrees, left is above 0
    pitch: Array  # (frames,) degrees
    knee_out: Array  # (frames,) degrees by which the knee points outwards of the foot


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """One hand over time, in the chest's frame: x outwards, y up, z to the front, measured from the shoulder."""

    reach: Array  # (frames, 3) wrist, in arm lengths
    elbow: Array  # (frames, 3) the direction in which the elbow points
    flex: Array  # (frames,) degrees by which the hand bends on from the forearm, in the elbow's plane


@dataclass(frozen=True, slots=True, eq=False)
class Controls:
    """What a clip animates. Turns are (yaw, pitch, roll) degrees: to the left, forwards, to the right."""

    pelvis: Array  # (frames, 3) metres from standing straight above the origin
    pelvis_turn: Array  # (frames, 3)
    chest_turn: Array  # (frames, 3) relative to the pelvis
    head_turn: Array  # (frames, 3) relative to the chest
    left_foot: Foot
    right_foot: Foot
    left_hand: Hand
    right_hand: Hand


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """A clip as SMPL has it; the floor is the height of the toe joints of a flat foot, y = 0."""

    poses: Array  # (frames, 24, 3) axis-angle radians
    pelvis: Array  # (frames, 3) metres, the pelvis joint
    joints: Array  # (frames, 24, 3) metres


def turn_matrix(degrees: Array) -> Array:  # (..., 3) yaw, pitch, roll
    """Rotation matrices (..., 3, 3): roll about Z first, then pitch about X, then yaw about Y."""
    angles = np.radians(degrees)
    yaw, pitch, roll = (
        axis_angle_to_matrix(angles[..., i : i + 1] * axis) for i, axis in enumerate(np.eye(3)[[1, 0, 2]])
    )
    return yaw @ pitch @ roll


def perform(controls: Controls, rest_joints: Array) -> Performance:  # rest_joints (24, 3) metres
    """Poses the skeleton frame by frame (all frames at once)."""
    offsets = bone_offsets(rest_joints)
    floor = float(rest_joints[[_J["left_foot"], _J["right_foot"]], 1].mean())
    frames = len(controls.pelvis)
    world = np.tile(np.eye(3), (frames, 24, 1, 1))
    pelvis = controls.pelvis + np.array([0.0, rest_joints[0, 1] - floor, 0.0])
    _torso(world, controls)
    for side, foot in ((1.0, controls.left_foot), (-1.0, controls.right_foot)):
        _leg(world, pelvis, foot, side, rest_joints, floor)
    for side, hand in ((1.0, controls.left_hand), (-1.0, controls.right_hand)):
        _arm(world, hand, side, offsets)
    joints = joint_positions(world, offsets, pelvis)
    poses = matrix_to_axis_angle(local_rotations(world))
    return Performance(poses, pelvis, joints)


def _torso(world: Array, controls: Controls) -> None:
    world[:, 0] = turn_matrix(controls.pelvis_turn)
    chest = matrix_to_axis_angle(turn_matrix(controls.chest_turn))
    for joint, share in (("spine1", 0.25), ("spine2", 0.6), ("spine3", 1.0)):
        world[:, _J[joint]] = world[:, 0] @ axis_angle_to_matrix(share * chest)
    head = matrix_to_axis_angle(turn_matrix(controls.head_turn))
    for joint, share in (("neck", 0.5), ("head", 1.0)):
        world[:, _J[joint]] = world[:, _J["spine3"]] @ axis_angle_to_matrix(share * head)


def _side(side: float, joint: str) -> int:
    return _J[("left_" if side > 0 else "right_") + joint]


def _middle_joint(top: Array, end: Array, pole: Array, upper: float, lower: float) -> Array:
    """Place (frames, 3) of knee or elbow of a two-bone limb from `top` to `end` that bends towards `pole`."""
    reach = end - top
    length = np.clip(np.linalg.norm(reach, axis=-1, keepdims=True), 1e-6, _LONGEST_REACH * (upper + lower))
    length = np.maximum(length, abs(upper - lower) + 0.02)
    along = normalised(reach)
    side = normalised(pole - np.sum(pole * along, axis=-1, keepdims=True) * along)
    cosine = (upper**2 + length**2 - lower**2) / (2.0 * upper * length)
    height = upper * np.sqrt(np.maximum(1.0 - cosine**2, 0.0))
    return np.asarray(top + upper * cosine * along + height * side, dtype=np.float64)


def _limb(
    world: Array, chain: tuple[int, int, int], points: tuple[Array, Array, Array], rest: tuple[Array, Array, Array]
) -> None:
    """Turns the two bones of a limb onto three points; `rest` is upper bone, lower bone, direction of the bend."""
    top, middle, _end = chain
    upper, lower = normalised(points[1] - points[0]), normalised(points[2] - points[1])
    hinge = normalised(np.cross(upper, lower))
    rest_upper = normalised(rest[0])
    rest_hinge = normalised(np.cross(rest_upper, rest[2]))
    now = np.stack([upper, hinge, np.cross(upper, hinge)], axis=-1)
    then = np.stack([rest_upper, rest_hinge, np.cross(rest_upper, rest_hinge)], axis=-1)
    world[:, top] = now @ then.T
    world[:, middle] = rotation_between(world[:, top] @ rest[1], lower) @ world[:, top]


def _leg(world: Array, pelvis: Array, foot: Foot, side: float, rest: Array, floor: float) -> None:
    hip, knee, ankle, toe = (_side(side, name) for name in ("hip", "knee", "ankle", "foot"))
    yaw = turn_matrix(np.stack([foot.yaw, 0 * foot.yaw, 0 * foot.yaw], axis=-1))
    tilt = turn_matrix(np.stack([0 * foot.yaw, foot.pitch, 0 * foot.yaw], axis=-1))
    height = np.array([0.0, rest[ankle, 1] - floor, 0.0])
    ball = np.array([0.0, 0.0, rest[toe, 2] - rest[ankle, 2]])
    heel = np.array([0.0, 0.0, -0.06])
    pivot = np.where((foot.pitch > 0.0)[:, None], ball, heel)
    ankle_place = foot.place + _turned(yaw, pivot + _turned(tilt, height - pivot))
    top = pelvis + world[:, 0] @ (rest[hip] - rest[0])
    out = turn_matrix(np.stack([foot.yaw + side * foot.knee_out, 0 * foot.yaw, 0 * foot.yaw], axis=-1))
    upper, lower = rest[knee] - rest[hip], rest[ankle] - rest[knee]
    lengths = float(np.linalg.norm(upper)), float(np.linalg.norm(lower))
    middle = _middle_joint(top, ankle_place, out[..., 2], *lengths)
    end = middle + lengths[1] * normalised(ankle_place - middle)
    _limb(world, (hip, knee, ankle), (top, middle, end), (upper, lower, np.array([0.0, 0.0, -1.0])))
    world[:, ankle] = yaw @ tilt
    lifted = smoothstep(foot.place[:, 1] / 0.06)  # toes lie flat on the floor and go with the foot in the air
    bend = np.where(foot.pitch > 0.0, lifted, 1.0) * foot.pitch
    world[:, toe] = yaw @ turn_matrix(np.stack([0 * bend, bend, 0 * bend], axis=-1))


def _arm(world: Array, hand: Hand, side: float, offsets: Array) -> None:
    collar, shoulder, elbow, wrist = (_side(side, name) for name in ("collar", "shoulder", "elbow", "wrist"))
    chest = world[:, _J["spine3"]]
    mirror = np.array([side, 1.0, 1.0])
    raised = smoothstep((hand.reach[:, 1] + 0.5) / 1.4)  # a raised arm takes the shoulder with it
    shrug = side * _SHRUG_DEGREES * raised
    world[:, collar] = chest @ turn_matrix(np.stack([0 * shrug, 0 * shrug, shrug], axis=-1))
    upper, lower = offsets[elbow], offsets[wrist]
    lengths = float(np.linalg.norm(upper)), float(np.linalg.norm(lower))
    top = np.zeros((len(world), 3))
    target = _turned(chest, hand.reach * mirror * sum(lengths))
    middle = _middle_joint(top, target, _turned(chest, hand.elbow * mirror), *lengths)
    end = middle + lengths[1] * normalised(target - middle)
    _limb(world, (shoulder, elbow, wrist), (top, middle, end), (upper, lower, np.array([0.0, 0.0, 1.0])))
    hinge = np.cross(normalised(upper), np.array([0.0, 0.0, 1.0]))
    bend = axis_angle_to_matrix(np.radians(hand.flex)[:, None] * hinge)
    world[:, wrist] = world[:, elbow] @ bend
    world[:, _side(side, "hand")] = world[:, wrist]


def _turned(matrix: Array, vector: Array) -> Array:
    return np.asarray(np.einsum("...ij,...j->...i", matrix, vector), dtype=np.float64)
