"""Down to the floor and up again: kneel on one knee and rise, lie down on the back and get up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from backend.make.motion.library.action import ALL_STYLES, Action, Variation
from backend.make.motion.library.hands import HandPlace, blended
from backend.make.motion.library.in_place.balance import Support
from backend.make.motion.library.in_place.person import aimed, hanging, person, swayed
from backend.make.motion.library.in_place.score import SHIFT_S, Score, Step, xyz
from backend.make.motion.library.stand import HOME_X_M, HOME_YAW
from backend.make.motion.puppet import Controls, Foot

Array = npt.NDArray[np.float64]

_ON_KNEE: Final = HandPlace((-0.10, -0.60, 0.58), (1.0, 0.0, -0.7), 10.0)
_KNEE_POINT: Final = (0.12, 0.67, 0.02)  # metres: where the left wrist rests, above the front thigh
# Kneeling and rising are not mirrored: one begins with the knee on the floor that the other ends with.
_KNEELING_STYLES: Final = tuple(style for style in ALL_STYLES if style != "sneaky")  # its crouch is too low for it
_FLAT_STYLES: Final = ("neutral", "robot")  # the others sink a lying body into the floor

# A body from a stand (0) over a crouch (1) and sitting on the floor (2) to lying (3) with straight legs (4).
_DROP_M: Final = {0.0: 0.0, 1.0: -0.44, 2.0: -0.765, 3.0: -0.775, 4.0: -0.775}
_BACK_M: Final = {0.0: 0.0, 1.0: -0.13, 2.0: -0.42, 3.0: -0.45, 4.0: -0.45}
_HIPS: Final = {0.0: 0.0, 1.0: 26.0, 1.6: 5.0, 2.0: -22.0, 3.0: -86.0, 4.0: -90.0}
_CHEST: Final = {0.0: 0.0, 1.0: 24.0, 2.0: 22.0, 2.6: 26.0, 3.0: 2.0, 4.0: 0.0}
_HEAD: Final = {0.0: 0.0, 1.0: -14.0, 2.0: 2.0, 2.5: 14.0, 3.0: 0.0, 4.0: 0.0}
_FEET_M: Final = {0.0: 0.0, 2.0: 0.0, 2.7: 0.02, 4.0: 0.38}
_TOES_UP: Final = {0.0: 0.0, 2.4: 0.0, 4.0: -58.0}
_HANDS_DOWN: Final = {0.0: 0.0, 1.1: 0.0, 1.7: 1.0, 2.3: 1.0, 2.9: 0.0, 4.0: 0.0}


def kneel(v: Variation) -> Controls:
    """Shifts the weight, steps back with one foot, and lowers that knee to the floor; stays, upright, on one knee."""
    random = v.random("kneel")
    score = Score(2.4 + random.uniform(0.4, 1.2), v, SHIFT_S)
    down = score.move({0.75: 0.0, 1.05: 0.10, 1.9: 1.0})
    rear = score.foot(-1.0, Step(0.2, 0.8, -HOME_X_M, -0.58, -4.0, 0.06, 20.0))
    pitch = rear.pitch + score.move({0.3: 0.0, 0.8: 38.0, 1.9: 74.0})
    return _kneeling(score, v, down, replace(rear, pitch=pitch), score.pulse(0.0, 9.0, 1.9))


def rise_from_knee(v: Variation) -> Controls:
    """Leans over the front foot, pushes up with both legs, and brings the rear foot forwards to a stand."""
    score = Score(2.4, v, SHIFT_S)
    down = score.move({0.25: 1.0, 1.25: 0.10, 1.6: 0.0})
    start = score.foot(-1.0, Step(-2.0, -1.9, -HOME_X_M, -0.58, -4.0), Step(1.3, 1.95, -HOME_X_M, 0.0, -HOME_YAW))
    pitch = np.clip(start.pitch + score.move({0.25: 74.0, 1.3: 40.0, 1.9: 0.0}), 0.0, 75.0)
    return _kneeling(score, v, down, replace(start, pitch=pitch), score.move({0.6: 1.0, 2.2: 0.0}))


def _kneeling(score: Score, v: Variation, down: Array, rear: Foot, bowed: Array) -> Controls:
    """A body on its way to one knee: `down` (frames,) 0 standing, 1 with the knee on the floor."""
    lean = 26.0 * v.amplitude * np.sin(np.pi * np.clip(down, 0.0, 1.0)) + 5.0 * down
    weight = np.clip(1.25 * down, 0.0, 1.0)
    round_thigh = np.sin(np.pi * weight)[:, None] * np.array([0.05, 0.24, 0.10])
    hang = hanging(score, 0.7 * lean)
    front = score.foot(1.0)
    controls = person(
        score,
        pelvis=xyz(0.02 * down, -0.395 * down, -0.13 * np.clip(1.4 * down, 0.0, 1.0)),
        hips=xyz(-4.0 * down, 0.5 * lean, 0.0),
        chest=xyz(4.0 * down, 0.5 * lean, 0.0),
        head=xyz(0.0, 8.0 * bowed - 0.4 * lean, 0.0),
        left=swayed(blended(hang, score.hand({0.0: _ON_KNEE}), weight), round_thigh),
        right=hang,
        left_foot=replace(front, knee_out=6.0 * down),
        right_foot=rear,
        support=Support(carried=np.clip(1.0 - 2.5 * down, 0.0, 1.0)),
    )
    return aimed(controls, 1.0, _KNEE_POINT, np.clip(2.0 * weight - 1.0, 0.0, 1.0), v.style)


def lie_down(v: Variation) -> Controls:
    """Crouches, sits back onto the hands, rolls down the back and stretches the legs out; stays on the back."""
    random = v.random("lie_down")
    score = Score(4.6 + random.uniform(0.0, 1.0), v)
    return _lying(score, v, score.move({0.2: 0.0, 1.25: 1.0, 2.1: 2.0, 3.2: 3.0, 4.1: 4.0}))


def get_up(v: Variation) -> Controls:
    """Draws the legs in, rolls up with the hands behind, swings over the feet into a crouch, and stands up."""
    score = Score(4.4, v)
    return _lying(score, v, score.move({0.2: 4.0, 1.1: 3.0, 2.0: 2.0, 2.8: 1.0, 4.0: 0.0}))


def _lying(score: Score, v: Variation, stage: Array) -> Controls:
    """A body on its way to the floor; `stage` (frames,) as in the tables above."""
    hips, chest, out = _at(stage, _HIPS), _at(stage, _CHEST), _at(stage, _FEET_M)
    lying = np.clip(stage - 2.0, 0.0, 1.0)
    beside = score.hand({0.0: HandPlace((0.26, -0.91, 0.16), (1.0, 0.1, 0.3), 4.0)})
    beside = swayed(beside, xyz(0.0, 0.0, -0.12 * np.clip(stage - 3.0, 0.0, 1.0)))
    arm = blended(hanging(score, np.clip(hips + chest, -20.0, 60.0)), beside, lying)
    down = np.clip(stage, 0.0, 1.0)

    def foot(side: float) -> Foot:
        lift = 0.03 * np.sin(np.pi * np.clip((stage - 2.4) / 1.6, 0.0, 1.0)) ** 2
        # A leg that lies is bent upwards only if the knee's direction is that of the foot.
        yaw, toes = score.still(side * HOME_YAW), _at(stage, _TOES_UP)
        return Foot(xyz(side * HOME_X_M, lift, out), yaw, toes, -HOME_YAW * down)

    controls = person(
        score,
        pelvis=xyz(0.0, _at(stage, _DROP_M), _at(stage, _BACK_M)),
        hips=xyz(0.0, hips, 0.0),
        chest=xyz(0.0, chest, 0.0),
        head=xyz(0.0, _at(stage, _HEAD), 0.0),
        left=arm,
        right=arm,
        left_foot=foot(1.0),
        right_foot=foot(-1.0),
        support=Support(carried=np.clip(1.3 - stage, 0.0, 1.0)),
    )
    for side in (1.0, -1.0):
        controls = aimed(controls, side, (0.26 * side, 0.19, -0.62), _at(stage, _HANDS_DOWN), v.style)
    return controls


def _at(stage: Array, keys: Mapping[float, float]) -> Array:
    return np.asarray(PchipInterpolator(list(keys), list(keys.values()))(stage), dtype=np.float64)


ACTIONS = (
    Action(
        "kneel",
        (
            "a person kneels down",
            "a person kneels on one knee",
            "someone goes down on one knee",
            "a knight kneels before the king",
            "a person lowers one knee to the ground",
            "a man gets down on one knee to propose",
        ),
        ("somebody drops to a knee", "a warrior takes a knee", "a servant kneels in front of his lord"),
        kneel,
        styles=_KNEELING_STYLES,
        mirrors=False,
        feet="stepping",
        end="kneeling",
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "rise_from_knee",
        (
            "a kneeling person stands up",
            "a person rises from one knee",
            "someone gets up from kneeling",
            "a person who kneels rises to their feet",
            "a knight rises from his knee",
            "a person stops kneeling and stands up",
        ),
        ("somebody on one knee straightens up", "a kneeling warrior comes to his feet", "a man gets up off his knee"),
        rise_from_knee,
        styles=_KNEELING_STYLES,
        mirrors=False,
        feet="stepping",
        start="kneeling",
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "lie_down",
        (
            "a person lies down",
            "a person lies down on the floor",
            "someone lies down on the back",
            "a person sits down on the ground and lies back",
            "a tired person lies down to sleep",
            "a man stretches out on the ground",
        ),
        ("somebody goes to bed on the floor", "a woman lays herself down on the grass", "a camper lies on his back"),
        lie_down,
        end="floor",
        free_arms=False,
        styles=_FLAT_STYLES,
        close_hands=True,
    ),
    Action(
        "get_up",
        (
            "a person gets up from the floor",
            "a lying person stands up",
            "someone who lies on the back gets up",
            "a person rises from the ground",
            "a person wakes up on the floor and gets up",
            "a man picks himself up off the ground",
        ),
        ("somebody who lay on the grass stands up", "a fallen fighter gets back on his feet", "a woman rises again"),
        get_up,
        start="floor",
        free_arms=False,
        styles=_FLAT_STYLES,
        close_hands=True,
    ),
)  # fmt: skip
