"""Which recorded clips are good enough: the library's figures, with the bounds of real people and of retargeting."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.action import Action
from backend.make.motion.library.check import JITTER_M_PER_S3, Plausibility, measured
from backend.make.motion.library.table import BY_ACTION
from backend.make.motion.recorded.pieces import TRAVELLING, Piece
from shared.motion.skeleton import JOINT_INDEX
from shared.rotations import normalised

Array = npt.NDArray[np.float64]

_JITTER: Final = 1.5  # times the library's: people move less smoothly than rules
_KNEE_DEGREES: Final = (-10.0, 165.0)  # a leg that is turned out shows some of its bend as backward
_ELBOW_DEGREES: Final = 160.0
_FLAT_M: Final = 0.09  # a foot that points so far ahead has a direction
_STANDS_M: Final = 0.03  # height of the ball of a foot that stands
UPRIGHT: Final = (*TRAVELLING, "walk_curve")  # actions whose trunk stays upright
_LEAN_DEGREES: Final = 35.0
_NECK_DEGREES: Final = 60.0  # the body at rest has some 20
_FLOOR_CM: Final = {"stand": 1.0, "seated": 3.5, "kneeling": 3.5, "floor": 3.5}  # by the pose at start or end


def recorded_faults(piece: Piece) -> list[str]:
    """The figures that are out of bounds, by name; none where the clip can be trained on."""
    figures = measured(piece.joints, piece.motion.poses, _foot_from_hips(piece.joints))
    found = [name for name, bound in _bounds(BY_ACTION[piece.request.action]).items() if _of(figures, name) > bound]
    if figures.knee_degrees[0] < _KNEE_DEGREES[0] or figures.knee_degrees[1] > _KNEE_DEGREES[1]:
        found.append("knee_degrees")
    if figures.elbow_degrees[1] > _ELBOW_DEGREES:
        found.append("elbow_degrees")
    if piece.request.action in UPRIGHT and _lean(piece.joints) > _LEAN_DEGREES:
        found.append("lean")
    if _neck_bend(piece.joints) > _NECK_DEGREES:
        found.append("neck_bend")
    return found


def _of(figures: Plausibility, name: str) -> float:
    return float(getattr(figures, name))


def _bounds(action: Action) -> dict[str, float]:
    return {
        "slide_cm_per_s": 4.0,
        "floor_cm": max(_FLOOR_CM[action.start], _FLOOR_CM[action.end]),
        "arms_in_body_cm": 5.0 if action.close_hands else 3.5,
        "legs_in_legs_cm": 4.5,
        "off_balance_cm": 6.0 if action.start == action.end == "stand" else np.inf,
        "jitter_m_per_s3": _JITTER * JITTER_M_PER_S3[action.feet],
        "foot_from_hips": 90.0,
        "quickest_turn": 90.0,
    }


def _lean(joints: Array) -> float:  # (frames, 24, 3) metres
    """Greatest angle between trunk and up, degrees."""
    trunk = joints[:, JOINT_INDEX["neck"]] - joints[:, JOINT_INDEX["pelvis"]]
    return float(np.degrees(np.arctan2(np.hypot(trunk[:, 0], trunk[:, 2]), trunk[:, 1])).max())


def _neck_bend(joints: Array) -> float:  # (frames, 24, 3) metres
    """Greatest angle between head and trunk, degrees."""
    head = normalised(joints[:, JOINT_INDEX["head"]] - joints[:, JOINT_INDEX["neck"]])
    trunk = normalised(joints[:, JOINT_INDEX["neck"]] - joints[:, JOINT_INDEX["pelvis"]])
    return float(np.degrees(np.arccos(np.clip(np.sum(head * trunk, axis=-1), -1.0, 1.0))).max())


def _foot_from_hips(joints: Array) -> float:  # (frames, 24, 3) metres
    """Greatest angle between where a foot that stands points and where the hips do, degrees."""
    left = joints[:, JOINT_INDEX["left_hip"]] - joints[:, JOINT_INDEX["right_hip"]]
    hips = np.arctan2(-left[:, 2], left[:, 0])
    angles = [0.0]
    for side in ("left", "right"):
        foot = joints[:, JOINT_INDEX[f"{side}_foot"]] - joints[:, JOINT_INDEX[f"{side}_ankle"]]
        stands = joints[:, JOINT_INDEX[f"{side}_foot"], 1] < _STANDS_M
        flat = stands & (np.hypot(foot[:, 0], foot[:, 2]) > _FLAT_M)
        gap = np.arctan2(foot[:, 0], foot[:, 2]) - hips
        angles += np.abs(np.degrees(np.arctan2(np.sin(gap), np.cos(gap))))[flat].tolist()
    return max(angles)
