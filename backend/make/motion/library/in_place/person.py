"""A whole person on the spot: what an action does not say is a relaxed stand at home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.clip import rest_joints
from backend.make.motion.library.hands import HANG, HandPlace, blended, hand_at
from backend.make.motion.library.in_place.balance import Support, balanced
from backend.make.motion.library.in_place.score import Score, Vector, xyz
from backend.make.motion.library.stand import STAND_DROP_M, home_foot
from backend.make.motion.library.styles import BY_NAME, Style
from backend.make.motion.puppet import Controls, Foot, Hand

Array = npt.NDArray[np.float64]

SHOULDER = 0.354  # arm lengths from the middle of the chest to a shoulder


def person(
    score: Score,
    *,
    pelvis: Array | None = None,
    hips: Array | None = None,
    chest: Array | None = None,
    head: Array | None = None,
    left: Hand | None = None,
    right: Hand | None = None,
    left_foot: Foot | None = None,
    right_foot: Foot | None = None,
    support: Support = Support(),  # noqa: B008 - frozen
) -> Controls:
    """Controls of an action. `pelvis` (frames, 3) metres from a relaxed stand; turns (frames, 3) degrees."""
    none = score.still((0.0, 0.0, 0.0))
    hanging = score.hand({0.0: HANG})
    controls = Controls(
        pelvis=(none if pelvis is None else pelvis) + np.array([0.0, STAND_DROP_M, 0.0]),
        pelvis_turn=(none if hips is None else hips) + np.array([0.0, 1.0, 0.0]),
        chest_turn=(none if chest is None else chest) + np.array([0.0, 1.5, 0.0]),
        head_turn=(none if head is None else head) + np.array([0.0, -1.0, 0.0]),
        left_foot=home_foot(1.0, score.frames) if left_foot is None else left_foot,
        right_foot=home_foot(-1.0, score.frames) if right_foot is None else right_foot,
        left_hand=hanging if left is None else left,
        right_hand=hanging if right is None else right,
    )
    return balanced(controls, rest_joints(), support)


def hanging(score: Score, lean: Array | float) -> Hand:
    """An arm that hangs down although the chest leans forwards by `lean` degrees, (frames,)."""
    angle = np.radians(score.still() + lean)

    def plumb(direction: Vector) -> Array:
        x, y, z = direction
        down, front = y * np.cos(angle) + z * np.sin(angle), z * np.cos(angle) - y * np.sin(angle)
        return xyz(np.full(score.frames, x), down, front)

    return Hand(plumb(HANG.reach), plumb(HANG.elbow), score.still(HANG.flex))


def swayed(hand: Hand, reach: Array, flex: Array | float = 0.0) -> Hand:
    """The hand with something added to its reach, (frames, 3) arm lengths, and to its bend, degrees."""
    return Hand(hand.reach + reach, hand.elbow, hand.flex + flex)


def gripped(
    score: Score,
    keys: Mapping[float, Vector],
    gap: Vector | Mapping[float, Vector] = (0.0, 0.0, 0.0),
    elbow: Vector = (0.8, -0.9, -0.2),
    flex: float = 0.0,
) -> tuple[Hand, Hand]:
    """Left and right hand on one thing, whose place is keyed from the middle between the shoulders.

    Keys are (to the left, up, forwards) in arm lengths, turning with the chest; `gap` leads from left to right hand.
    """
    centre, half = score.move(keys), 0.5 * (score.move(gap) if isinstance(gap, Mapping) else np.asarray(gap))
    pole, bend = score.still(elbow), score.still(flex)
    left = centre - half - [SHOULDER, 0.0, 0.0]
    right = (centre + half) * [-1.0, 1.0, 1.0] - [SHOULDER, 0.0, 0.0]
    return Hand(left, pole, bend), Hand(right, pole, bend)


def aimed(controls: Controls, side: float, target: Array | Vector, weight: Array, style: str) -> Controls:
    # target (frames, 3) or (3,) metres in the world, weight (frames,) 0..1; side 1 left, -1 right
    """The same motion with one wrist taken to a place in the world, as far as `weight` says.

    A style bends and lowers the body later; what is known of that is allowed for.
    """
    hand = controls.left_hand if side > 0 else controls.right_hand
    points = np.broadcast_to(np.asarray(target, dtype=np.float64), hand.reach.shape)
    there = hand_at(_in_posture(controls, BY_NAME[style]), side, points, hand, rest_joints())
    moved = replace(hand, reach=hand.reach + weight[:, None] * (there.reach - hand.reach))
    return replace(controls, left_hand=moved) if side > 0 else replace(controls, right_hand=moved)


def _in_posture(controls: Controls, style: Style) -> Controls:
    """The controls with the steady part of a style."""
    pitch = np.array([0.0, 1.0, 0.0])
    return replace(
        controls,
        pelvis=controls.pelvis - style.drop_m * pitch,
        pelvis_turn=controls.pelvis_turn + style.pelvis_pitch * pitch,
        chest_turn=controls.chest_turn + style.chest_pitch * pitch,
    )


def lifted(place: HandPlace, by: Vector, flex: float = 0.0) -> HandPlace:
    """A place of the hand near another one."""
    x, y, z = (a + b for a, b in zip(place.reach, by, strict=True))
    return HandPlace((x, y, z), place.elbow, place.flex + flex)


def taken_up(
    score: Score, hands: tuple[Hand, Hand], start: float, end: float, ease_s: float = 0.6
) -> tuple[Hand, Hand]:
    """Both hands come from hanging to what they do between `start` and `end`, seconds, and hang again after it.

    On the way they pass before the body, not through it.
    """
    share = score.pulse(start - ease_s, end + ease_s, ease_s)
    away = np.sin(np.pi * share)[:, None] * np.array([0.14, 0.0, 0.10])
    hanging = score.hand({0.0: HANG})
    left, right = (blended(hanging, hand, share) for hand in hands)
    return swayed(left, away), swayed(right, away)
