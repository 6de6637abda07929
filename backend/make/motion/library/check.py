"""How plausible a clip is: sliding feet, jitter, floor, joint limits, arms in the body, balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.action import Action
from backend.make.motion.library.capsules import LEG_PAIRS, arm_pairs, depth_m
from backend.make.motion.library.clip import LibraryClip
from backend.make.motion.library.timing import FPS
from shared.motion.skeleton import JOINT_INDEX
from shared.rotations import axis_angle_to_matrix, rotation_angle

Array = npt.NDArray[np.float64]

_SIDES: Final = ("left", "right")
_CONTACT_M: Final = 0.03
_PROPS: Final = ("left_wrist", "right_wrist", "left_knee", "right_knee")
_PROP_M: Final = 0.16  # height of a wrist or knee that bears weight
_STILL_M_PER_S: Final = 0.06
# Share of the body's mass at each joint, after the segments of Winter, "Biomechanics and Motor Control", table 4.1.
_MASS: Final = {
    "pelvis": 0.14, "spine1": 0.07, "spine2": 0.07, "spine3": 0.216, "head": 0.081, "left_hip": 0.05,
    "right_hip": 0.05, "left_knee": 0.075, "right_knee": 0.075, "left_ankle": 0.03, "right_ankle": 0.03,
    "left_foot": 0.007, "right_foot": 0.007, "left_shoulder": 0.014, "right_shoulder": 0.014, "left_elbow": 0.022,
    "right_elbow": 0.022, "left_wrist": 0.015, "right_wrist": 0.015,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plausibility:
    """The figures of one clip; the first five are 0 where nothing is wrong."""

    slide_cm_per_s: float  # mean horizontal speed of a foot's ball while it is at most 3 cm above the floor
    floor_cm: float  # deepest joint below the floor
    arms_in_body_cm: float  # deepest overlap of a forearm or hand with trunk, head or thigh
    legs_in_legs_cm: float
    off_balance_cm: float  # farthest that the centre of mass of a still body is outside the feet
    jitter_m_per_s3: float  # mean jerk of the joints
    fastest_m_per_s: float  # the fastest joint
    knee_degrees: tuple[float, float]  # least and most bend, below 0 backward
    elbow_degrees: tuple[float, float]
    foot_from_hips: float  # greatest angle between where a foot points and where the hips do, degrees
    quickest_turn: float  # greatest turn of a joint from one frame to the next, degrees


JITTER_M_PER_S3: Final = {"planted": 200.0, "stepping": 200.0, "airborne": 310.0}  # the sample walk has 100


def faults(figures: Plausibility, action: Action) -> list[str]:
    """Which figures of a clip are out of their bounds, in words; none where it is plausible."""
    bounds = {
        "slide_cm_per_s": 2.0,
        "floor_cm": 0.5,
        "arms_in_body_cm": 5.0 if action.close_hands else 2.5,
        "legs_in_legs_cm": 3.5,
        "off_balance_cm": 3.0 if action.start == action.end == "stand" else np.inf,
        "jitter_m_per_s3": JITTER_M_PER_S3[action.feet],
        "foot_from_hips": 75.0,
        "quickest_turn": 90.0,
    }
    wrong = [f"{name} {getattr(figures, name):.2f}" for name, bound in bounds.items() if getattr(figures, name) > bound]
    if not -1.0 <= figures.knee_degrees[0] <= figures.knee_degrees[1] <= 165.0:
        wrong.append(f"knees {figures.knee_degrees}")
    if figures.elbow_degrees[1] > 160.0:
        wrong.append(f"elbows {figures.elbow_degrees}")
    return wrong


def plausibility(clip: LibraryClip) -> Plausibility:
    """Measures a clip of the library."""
    return measured(clip.joints24, clip.motion.poses, _foot_from_hips(clip))


def measured(joints: Array, poses: Array, foot_from_hips: float) -> Plausibility:
    # joints (frames, 24, 3) metres, poses (frames, 24, 3) axis-angle, the angle in degrees
    """Measures any clip at 20 frames a second whose floor is y = 0."""
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * FPS
    jerk = np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1) * FPS**3
    arms = max(float(depth_m(joints, arm_pairs(side)).max()) for side in ("left", "right"))
    knees = [_forward(joints, side) * _bend(joints, f"{side}_hip", f"{side}_knee", f"{side}_ankle") for side in _SIDES]
    elbows = [_bend(joints, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist") for side in _SIDES]
    return Plausibility(
        slide_cm_per_s=_slide(joints),
        floor_cm=100.0 * max(0.0, -float(joints[..., 1].min())),
        arms_in_body_cm=100.0 * arms,
        legs_in_legs_cm=100.0 * float(depth_m(joints, LEG_PAIRS).max()),
        off_balance_cm=_off_balance(joints, speed),
        jitter_m_per_s3=float(jerk.mean()),
        fastest_m_per_s=float(speed.max()),
        knee_degrees=(min(float(k.min()) for k in knees), max(float(k.max()) for k in knees)),
        elbow_degrees=(min(float(e.min()) for e in elbows), max(float(e.max()) for e in elbows)),
        foot_from_hips=foot_from_hips,
        quickest_turn=_quickest_turn(poses),
    )


def _slide(joints: Array) -> float:
    balls = joints[:, [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]]
    speed = np.linalg.norm(np.diff(balls[..., [0, 2]], axis=0), axis=-1) * FPS
    contact = np.maximum(balls[1:, :, 1], balls[:-1, :, 1]) <= _CONTACT_M
    return float(100.0 * speed[contact].mean()) if contact.any() else 0.0


def _bend(joints: Array, top: str, middle: str, end: str) -> Array:
    upper = joints[:, JOINT_INDEX[middle]] - joints[:, JOINT_INDEX[top]]
    lower = joints[:, JOINT_INDEX[end]] - joints[:, JOINT_INDEX[middle]]
    cosine = np.sum(upper * lower, axis=-1) / (np.linalg.norm(upper, axis=-1) * np.linalg.norm(lower, axis=-1))
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))), dtype=np.float64)


def _forward(joints: Array, side: str) -> Array:
    """1 where a knee bends forwards, -1 where it bends backwards, (frames,)."""
    hip, knee, ankle = (joints[:, JOINT_INDEX[f"{side}_{part}"]] for part in ("hip", "knee", "ankle"))
    left = joints[:, JOINT_INDEX["left_hip"]] - joints[:, JOINT_INDEX["right_hip"]]
    hinge = np.cross(knee - hip, ankle - knee)
    return np.where(np.sum(hinge * left, axis=-1) >= 0.0, 1.0, -1.0)


def _foot_from_hips(clip: LibraryClip) -> float:
    hips = clip.controls.pelvis_turn[:, 0]
    feet = (clip.controls.left_foot.yaw, clip.controls.right_foot.yaw)
    return max(float(np.abs(foot - hips).max()) for foot in feet)


def _quickest_turn(poses: Array) -> float:
    turns = axis_angle_to_matrix(poses)
    return float(np.degrees(rotation_angle(turns[1:], turns[:-1])).max())


def centre_of_mass(joints: Array) -> Array:  # (frames, 24, 3) metres
    """The body's centre of mass, (frames, 3) metres."""
    shares = np.array(list(_MASS.values()))
    places = joints[:, [JOINT_INDEX[name] for name in _MASS]]
    return np.asarray(np.einsum("fjc,j->fc", places, shares / shares.sum()), dtype=np.float64)


def _off_balance(joints: Array, speed: Array) -> float:
    """Distance of the centre of mass from the line between the middles of the two feet, less half a foot's length.

    A body that also leans on a hand or a knee is not asked.
    """
    leaning = joints[:-1, [JOINT_INDEX[name] for name in _PROPS], 1].min(axis=1) < _PROP_M
    still = (speed.max(axis=1) < _STILL_M_PER_S) & ~leaning
    if not still.any():
        return 0.0
    middles = [
        0.5 * (joints[:-1, JOINT_INDEX[f"{side}_ankle"]] + joints[:-1, JOINT_INDEX[f"{side}_foot"]])[:, [0, 2]]
        for side in ("left", "right")
    ]
    centre = centre_of_mass(joints)[:-1, [0, 2]]
    along = middles[1] - middles[0]
    share = np.sum((centre - middles[0]) * along, axis=1) / np.maximum(np.sum(along**2, axis=1), 1e-9)
    nearest = middles[0] + np.clip(share, 0.0, 1.0)[:, None] * along
    outside = np.linalg.norm(centre - nearest, axis=1) - 0.12
    return 100.0 * max(0.0, float(outside[still].max()))
