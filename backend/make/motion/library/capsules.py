"""The body as capsules about its bones: how deep an arm is in the trunk, or a leg in the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.motion.skeleton import JOINT_INDEX

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Capsule:
    """A limb: the bone from one joint to the next, from `start` of it on, with a radius in metres."""

    first: str
    last: str
    radius_m: float
    start: float = 0.0


_HEAD: Final = Capsule("neck", "head", 0.085, 0.6)
_TRUNK: Final = (
    Capsule("left_hip", "left_collar", 0.085),
    Capsule("right_hip", "right_collar", 0.085),
    Capsule("spine1", "spine3", 0.105),
)


def arm_pairs(side: str) -> tuple[tuple[Capsule, Capsule], ...]:
    """What an arm must stay out of: forearm and hand against trunk, head and both thighs."""
    arm = (Capsule(f"{side}_elbow", f"{side}_wrist", 0.034, 0.15), Capsule(f"{side}_wrist", f"{side}_hand", 0.032))
    body = (*_TRUNK, _HEAD, *(Capsule(f"{s}_hip", f"{s}_knee", 0.068) for s in ("left", "right")))
    return tuple((limb, part) for limb in arm for part in body)


LEG_PAIRS: Final = tuple(
    (first, second)
    for first in (Capsule("left_knee", "left_ankle", 0.042), Capsule("left_ankle", "left_foot", 0.036))
    for second in (Capsule("right_knee", "right_ankle", 0.042), Capsule("right_ankle", "right_foot", 0.036))
) + ((Capsule("left_hip", "left_knee", 0.06, 0.5), Capsule("right_hip", "right_knee", 0.06, 0.5)),)


def depth_m(joints: Array, pairs: tuple[tuple[Capsule, Capsule], ...]) -> Array:  # (frames, 24, 3) metres
    """How deep the deepest of the pairs overlap in every frame, (frames,) metres, 0 where none does."""
    deepest = np.zeros(len(joints))
    for first, second in pairs:
        gap = _distance(*_ends(joints, first), *_ends(joints, second)) - first.radius_m - second.radius_m
        deepest = np.maximum(deepest, -gap)
    return deepest


def _ends(joints: Array, capsule: Capsule) -> tuple[Array, Array]:
    a, b = joints[:, JOINT_INDEX[capsule.first]], joints[:, JOINT_INDEX[capsule.last]]
    return a + capsule.start * (b - a), b


def _distance(p0: Array, p1: Array, q0: Array, q1: Array) -> Array:
    """Shortest distance of two line pieces, (frames,) (Ericson, "Real-Time Collision Detection", 2005, 5.1.9)."""
    d1, d2, r = p1 - p0, q1 - q0, p0 - q0
    a, e, f = (np.sum(x * y, axis=-1) for x, y in ((d1, d1), (d2, d2), (d2, r)))
    c, b = np.sum(d1 * r, axis=-1), np.sum(d1 * d2, axis=-1)
    denominator = a * e - b * b
    s = np.where(denominator > 1e-12, np.clip((b * f - c * e) / np.maximum(denominator, 1e-12), 0.0, 1.0), 0.0)
    t = (b * s + f) / e
    s = np.clip(np.where(t < 0.0, -c / a, np.where(t > 1.0, (b - c) / a, s)), 0.0, 1.0)
    t = np.clip(t, 0.0, 1.0)
    return np.asarray(np.linalg.norm(r + s[:, None] * d1 - t[:, None] * d2, axis=-1), dtype=np.float64)
