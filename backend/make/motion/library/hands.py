"""Arms: places of the hand by name, arms from angles, hands along keys with follow-through, hands put on a point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.timing import delayed, flowing, rested
from backend.make.motion.puppet import Controls, Hand, turn_matrix
from shared.motion.skeleton import JOINT_INDEX
from shared.rotations import axis_angle_to_matrix, matrix_to_axis_angle, normalised

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HandPlace:
    """A place of the wrist from the shoulder (outwards, up, front; arm lengths), and where the elbow points."""

    reach: tuple[float, float, float]
    elbow: tuple[float, float, float]
    flex: float = 5.0


HANG: Final = HandPlace((0.17, -0.955, 0.08), (0.6, 0.0, -1.0))
ON_HIP: Final = HandPlace((0.12, -0.71, 0.12), (1.0, 0.1, -0.45), 22.0)
FRONT: Final = HandPlace((0.02, -0.05, 0.92), (0.6, -1.0, 0.0))
CHEST: Final = HandPlace((-0.10, -0.32, 0.52), (1.0, -0.8, -0.2), 10.0)
BELLY: Final = HandPlace((-0.02, -0.58, 0.46), (1.0, -0.3, -0.8), 10.0)
SIDE: Final = HandPlace((0.94, 0.0, 0.12), (0.2, -0.9, -0.5))
OVERHEAD: Final = HandPlace((0.22, 0.93, 0.12), (0.9, -0.2, -0.4))
BESIDE_HEAD: Final = HandPlace((0.50, 0.56, 0.20), (1.0, -0.9, -0.3))
FACE: Final = HandPlace((-0.22, 0.20, 0.52), (0.9, -1.0, 0.0), 15.0)
GUARD: Final = HandPlace((-0.04, 0.0, 0.50), (0.7, -1.0, -0.1))


def held(place: HandPlace, frames: int) -> Hand:
    """A hand that stays in a place."""
    return Hand(np.tile(place.reach, (frames, 1)), np.tile(place.elbow, (frames, 1)), np.full(frames, place.flex))


def along(times: Array, places: Mapping[float, HandPlace], *, flow: bool = False, follow_through: float = 1.0) -> Hand:
    """A hand that goes through places at times (seconds): resting at each, or swinging through them with `flow`.

    The hand bends late, against the speed of the wrist: `follow_through` 1 is a relaxed hand, 0 a stiff one.
    """
    curve = flowing if flow else rested
    reach = curve(times, {time: place.reach for time, place in places.items()})
    elbow = rested(times, {time: place.elbow for time, place in places.items()})
    flex = rested(times, {time: place.flex for time, place in places.items()})
    speed = np.gradient(reach[:, 1] + 0.5 * reach[:, 2])
    return Hand(reach, elbow, flex + follow_through * np.clip(90.0 * delayed(speed, 0.1), -25.0, 25.0))


def swung(forward: npt.ArrayLike, bend: npt.ArrayLike, out: npt.ArrayLike = 8.0, inwards: npt.ArrayLike = 0.0) -> Hand:
    """A hand from the arm's angles (degrees, (frames,) or numbers of which one is an array): the upper arm `forward`
    of hanging and `out` from the side, the elbow bent by `bend`, the forearm turned `inwards`."""
    forward, bend, out, inwards = np.broadcast_arrays(*(np.radians(v) for v in (forward, bend, out, inwards)))
    bend = np.maximum(bend, np.radians(8.0))
    upper = _direction(forward, out)
    fore = _direction(forward + bend, out - inwards)
    middle = forward + 0.5 * bend
    back = -np.stack([0.0 * middle, np.sin(middle), np.cos(middle)], axis=-1)
    pole = back + np.stack([0.45 + np.sin(inwards), 0.0 * middle, 0.0 * middle], axis=-1)
    return Hand(0.53 * upper + 0.47 * fore, pole, 4.0 + 0.08 * np.degrees(bend))


def _direction(forward: Array, out: Array) -> Array:
    return np.stack([np.sin(out), -np.cos(forward) * np.cos(out), np.sin(forward) * np.cos(out)], axis=-1)


def blended(first: Hand, second: Hand, share: npt.ArrayLike) -> Hand:
    """From one hand's movement to another's; share (frames,) or a number, 0 is the first."""
    s = np.broadcast_to(np.asarray(share, dtype=np.float64), first.flex.shape)
    mix = s[:, None]
    return Hand(
        first.reach + mix * (second.reach - first.reach),
        first.elbow + mix * (second.elbow - first.elbow),
        first.flex + s * (second.flex - first.flex),
    )


def moved(hand: Hand, offset: npt.ArrayLike) -> Hand:  # (3,) or (frames, 3) arm lengths
    """The same hand elsewhere."""
    return replace(hand, reach=hand.reach + np.asarray(offset, dtype=np.float64))


def chest_frames(controls: Controls, rest_joints: Array) -> tuple[Array, Array]:
    """The chest's rotation (frames, 3, 3) and the place of spine3 (frames, 3), metres, as `perform` will pose them."""
    floor = float(rest_joints[[JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]], 1].mean())
    place = controls.pelvis + np.array([0.0, rest_joints[0, 1] - floor, 0.0])
    world = turn_matrix(controls.pelvis_turn)
    chest = matrix_to_axis_angle(turn_matrix(controls.chest_turn))
    spine = [JOINT_INDEX[name] for name in ("pelvis", "spine1", "spine2", "spine3")]
    turned = world
    for parent, joint, share in zip(spine, spine[1:], (0.25, 0.6, 1.0), strict=False):
        place = place + np.einsum("fij,j->fi", turned, rest_joints[joint] - rest_joints[parent])
        turned = world @ axis_angle_to_matrix(share * chest)
    return turned, place


def hand_at(controls: Controls, side: float, points: Array, hand: Hand, rest_joints: Array) -> Hand:
    """The hand with its wrist on world points (frames, 3) metres, as far as the arm reaches; side 1 left, -1 right."""
    chest, spine3 = chest_frames(controls, rest_joints)
    name = "left" if side > 0 else "right"
    collar, shoulder, elbow, wrist = (
        rest_joints[JOINT_INDEX[f"{name}_{part}"]] for part in ("collar", "shoulder", "elbow", "wrist")
    )
    top = spine3 + np.einsum("fij,j->fi", chest, shoulder - rest_joints[JOINT_INDEX["spine3"]])
    length = float(np.linalg.norm(elbow - shoulder) + np.linalg.norm(wrist - elbow))
    local = np.einsum("fji,fj->fi", chest, points - top) / length
    far = np.linalg.norm(local, axis=-1, keepdims=True)
    local = np.where(far > 0.99, 0.99 * normalised(local), local)
    return replace(hand, reach=local * np.array([side, 1.0, 1.0]))
