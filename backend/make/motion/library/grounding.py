"""What keeps a pose possible: hips low enough for both feet to reach their places, arms out of the body."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d

from backend.make.motion.curves import smoothstep
from backend.make.motion.library.capsules import LEG_PAIRS, arm_pairs, depth_m
from backend.make.motion.puppet import Controls, Foot, Hand, Performance, perform, turn_matrix
from shared.motion.skeleton import JOINT_INDEX

Array = npt.NDArray[np.float64]

_REACH = 0.985  # of the leg's length
_SOFT = 0.93  # ... from which on a leg in the air resists being stretched
_IN_AIR_M = 0.05
_LIFT_SLACK = 2.0  # a foot in the air may be out of reach, and then trails on a straight leg
_FREE_M = 0.01  # from this height on it is hardly held back at all
_FREE_SLACK = 30.0
_HALF_WINDOW = 3  # frames over which a correction is spread to both sides
_ROUNDS = 4
_TOUCH_M = 0.002
_KNEE_DEGREES = 250.0  # a metre of depth
_PUSH = 2.2  # arm lengths a metre of depth


def within_reach(controls: Controls, rest_joints: Array) -> Controls:
    """The same with the hips lowered, smoothly, wherever a planted foot would be out of its leg's reach."""
    legs = [_Leg.of(controls, side, rest_joints) for side in ("left", "right")]
    excess = np.maximum(0.0, np.max([controls.pelvis[:, 1] - leg.highest_pelvis() for leg in legs], axis=0))
    pelvis = controls.pelvis.copy()
    pelvis[:, 1] -= _spread(excess)
    controls = replace(controls, pelvis=pelvis)
    left, right = (_Leg.of(controls, side, rest_joints).drawn_in() for side in ("left", "right"))
    return replace(controls, left_foot=left, right_foot=right)


@dataclass(frozen=True, slots=True, eq=False)
class _Leg:
    """A leg over time, from the hip to where its foot puts the ankle."""

    foot: Foot
    pelvis_m: Array  # (frames,) height, as controls have it
    hip: Array  # (frames, 3) metres
    ankle: Array  # (frames, 3) metres
    length_m: float

    @classmethod
    def of(cls, controls: Controls, side: str, rest: Array) -> _Leg:
        foot: Foot = getattr(controls, f"{side}_foot")
        hip, knee, ankle, toe = (rest[JOINT_INDEX[f"{side}_{part}"]] for part in ("hip", "knee", "ankle", "foot"))
        floor = float(rest[[JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]], 1].mean())
        offset = np.einsum("fij,j->fi", turn_matrix(controls.pelvis_turn), hip - rest[0])
        hips = controls.pelvis + np.array([0.0, rest[0, 1] - floor, 0.0]) + offset
        length = float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))
        return cls(foot, controls.pelvis[:, 1], hips, _ankle(foot, ankle[1] - floor, toe[2] - ankle[2]), length)

    def highest_pelvis(self) -> Array:
        """How high the pelvis may be, (frames,) metres, for the foot to come to its place."""
        lift = np.maximum(self.foot.place[:, 1], 0.0)
        moving = np.clip(np.linalg.norm(np.gradient(self.foot.place, axis=0), axis=1) / 0.02, 0.0, 1.0)
        slack = moving * (_LIFT_SLACK * lift + _FREE_SLACK * np.maximum(lift - _FREE_M, 0.0))
        beside = np.sum((self.hip - self.ankle)[:, [0, 2]] ** 2, axis=1)
        highest = self.ankle[:, 1] + np.sqrt(np.maximum((_REACH * self.length_m + slack) ** 2 - beside, 0.04))
        return np.asarray(highest - (self.hip[:, 1] - self.pelvis_m), dtype=np.float64)

    def drawn_in(self) -> Foot:
        """The foot, nearer to the hip wherever it is in the air and the leg would snap straight."""
        line = self.ankle - self.hip
        far = np.linalg.norm(line, axis=1)
        start, room = _SOFT * self.length_m, (_REACH - _SOFT) * self.length_m
        over = np.maximum(far - start, 0.0)
        shorter = over - room * (1.0 - np.exp(-over / room))
        share = smoothstep(self.foot.place[:, 1] / _IN_AIR_M) * shorter / far
        return replace(self.foot, place=self.foot.place - share[:, None] * line)


def clear_of_body(controls: Controls, rest_joints: Array) -> tuple[Controls, Performance]:
    """The same with hands moved outwards and knees apart, smoothly, wherever limbs overlap; and its pose."""
    performance = perform(controls, rest_joints)
    for _ in range(_ROUNDS):
        joints = performance.joints
        depths = [depth_m(joints, arm_pairs(side)) for side in ("left", "right")]
        legs = depth_m(joints, LEG_PAIRS)
        if max(float(depth.max()) for depth in (*depths, legs)) < _TOUCH_M:
            break
        left, right = (
            _pushed(hand, _spread(depth))
            for hand, depth in zip((controls.left_hand, controls.right_hand), depths, strict=True)
        )
        knees = [_apart(foot, _spread(legs)) for foot in (controls.left_foot, controls.right_foot)]
        controls = replace(controls, left_hand=left, right_hand=right, left_foot=knees[0], right_foot=knees[1])
        performance = perform(controls, rest_joints)
    return controls, performance


def _apart(foot: Foot, depth: Array) -> Foot:
    return replace(foot, knee_out=np.minimum(foot.knee_out + _KNEE_DEGREES * depth, 35.0))


def _pushed(hand: Hand, depth: Array) -> Hand:
    push = _PUSH * depth[:, None]
    crossing = np.clip(-hand.reach[:, :1] / 0.2, 0.0, 1.0)  # a hand before the chest goes forwards, not outwards
    back = np.sign(hand.reach[:, 2:] + 0.02)
    low_ahead = np.clip((hand.reach[:, 2:] - 0.25) / 0.2, 0.0, 1.0) * (hand.reach[:, 1:2] < 0.0)  # over a raised thigh
    offset = np.concatenate([(1.0 - crossing) * push, low_ahead * push, (0.35 + crossing) * back * push], axis=1)
    return replace(hand, reach=hand.reach + offset, elbow=hand.elbow + np.array([1.0, 0.0, 0.0]) * push)


def _spread(needed: Array) -> Array:
    """A smooth curve that is nowhere below `needed`."""
    size = 2 * _HALF_WINDOW + 1
    widest = maximum_filter1d(np.pad(needed, _HALF_WINDOW, mode="edge"), size, mode="nearest")
    window = np.hanning(size + 2)[1:-1]
    return np.asarray(np.convolve(widest, window / window.sum(), mode="valid"), dtype=np.float64)


def _ankle(foot: Foot, height_m: float, ball_m: float) -> Array:
    """Where the ankle joint is put, (frames, 3) metres, as `perform` does it."""
    zero = np.zeros_like(foot.yaw)
    pivot = np.where((foot.pitch > 0.0)[:, None], [0.0, 0.0, ball_m], [0.0, 0.0, -0.06])
    tilt = turn_matrix(np.stack([zero, foot.pitch, zero], axis=1))
    local = pivot + np.einsum("fij,fj->fi", tilt, np.array([0.0, height_m, 0.0]) - pivot)
    yaw = turn_matrix(np.stack([foot.yaw, zero, zero], axis=1))
    return np.asarray(foot.place + np.einsum("fij,fj->fi", yaw, local), dtype=np.float64)
