"""A chair: sitting down on it, sitting there, standing up from it. The chair itself is not drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.hands import HandPlace, blended
from backend.make.motion.library.in_place.balance import Support
from backend.make.motion.library.in_place.person import aimed, hanging, person, swayed
from backend.make.motion.library.in_place.score import Score, xyz
from backend.make.motion.library.stand import home_foot
from backend.make.motion.library.timing import delayed
from backend.make.motion.puppet import Controls, Foot

Array = npt.NDArray[np.float64]

_SEAT_M: Final = -0.345  # the pelvis on the chair, below a relaxed stand
_BACK_M: Final = -0.40  # and behind it
_ON_THIGH: Final = HandPlace((0.02, -0.72, 0.42), (0.9, 0.1, -0.8), 10.0)
_THIGH_POINT: Final = (0.160, 0.67, -0.10)  # metres: where the left wrist rests, a little behind the knee


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """How far on the way to the chair a person is, (frames,) each."""

    down: Array  # 0 standing, 1 at the height of the seat
    back: Array  # the same for the way backwards
    lean: Array  # degrees of bending forwards
    hands: Array  # 0 hanging, 1 on the thighs


def _controls(score: Score, v: Variation, way: _Way, head: Array, sway: Array) -> Controls:
    seat = _SEAT_M + v.random("chair").uniform(-0.015, 0.015)
    seated = np.clip(way.down, 0.0, 1.0) * np.clip(way.back, 0.0, 1.0)
    hang = hanging(score, 0.9 * way.lean)
    thigh = score.hand({0.0: _ON_THIGH})
    arm = swayed(blended(hang, thigh, way.hands), np.sin(np.pi * way.hands)[:, None] * np.array([0.02, 0.0, 0.16]))
    feet = [home_foot(side, score.frames) for side in (1.0, -1.0)]
    left_foot, right_foot = (Foot(foot.place, foot.yaw, foot.pitch, 4.0 * way.down) for foot in feet)
    controls = person(
        score,
        pelvis=xyz(sway, seat * way.down, _BACK_M * way.back),
        hips=xyz(0.0, 0.60 * way.lean - 6.0 * seated, 20.0 * sway),
        chest=xyz(0.0, 0.40 * way.lean + 6.0 * seated, -30.0 * sway),
        head=head + xyz(0.0, -0.55 * way.lean, 0.0),
        left=arm,
        right=arm,
        left_foot=left_foot,
        right_foot=right_foot,
        support=Support(carried=np.square(np.clip(1.0 - 1.6 * way.back, 0.0, 1.0))),
    )
    x, y, z = _THIGH_POINT
    rest = np.clip((way.hands - 0.5) / 0.5, 0.0, 1.0) * seated
    controls = aimed(controls, 1.0, (x, y + seat - _SEAT_M, z), rest, v.style)
    return aimed(controls, -1.0, (-x, y + seat - _SEAT_M, z), rest, v.style)


def sit_down(v: Variation) -> Controls:
    """Glances at the seat, folds at the hips, lowers backwards onto it, then leans back and lays down the hands."""
    random = v.random("sit_down")
    score = Score(3.0, v)
    glance = random.choice([-1.0, 1.0]) * random.uniform(10.0, 35.0)
    lean = random.uniform(34.0, 44.0)
    way = _Way(
        down=score.move({0.45: 0.0, 1.65: 0.97, 1.78: 1.02, 1.95: 1.0}),
        back=score.move({0.40: 0.0, 1.70: 1.0}),
        lean=score.move({0.30: 0.0, 1.30: lean, 1.70: 0.75 * lean, 2.45: 2.0}),
        hands=score.move({0.9: 0.0, 2.1: 1.0}),
    )
    turn, none = score.move({0.0: 0.0, 0.35: glance, 0.75: glance, 1.3: 0.0}), score.still()
    return _controls(score, v, way, xyz(turn, 0.2 * np.abs(turn), 0.0), none)


def sit(v: Variation) -> Controls:
    """Sits, breathes, shifts the weight from one side to the other and looks here and there."""
    random = v.random("sit")
    score = Score(v.length(random.uniform(4.0, 7.0)), v)
    one = score.still(1.0)
    look = _wandering(score, random, 1.6) * 18.0 * v.amplitude
    nod = _wandering(score, random, 2.2) * 6.0
    sway = 0.012 * v.amplitude * _wandering(score, random, 2.6)
    way = _Way(down=one, back=one, lean=2.0 + 2.5 * _wandering(score, random, 2.0), hands=one)
    return _controls(score, v, way, xyz(look, 2.0 + nod, score.still()), sway)


def stand_up(v: Variation) -> Controls:
    """Leans forward until the weight is over the feet, pushes off the thighs, and rises to a stand."""
    random = v.random("stand_up")
    score = Score(2.6, v)
    lean = random.uniform(40.0, 50.0)
    leaning = score.move({0.15: 2.0, 0.95: lean, 1.25: 0.9 * lean, 2.0: -1.0, 2.35: 0.0})
    way = _Way(
        down=score.move({0.70: 1.0, 1.90: -0.02, 2.25: 0.0}),
        back=score.move({0.45: 1.0, 0.9: 0.84, 1.80: 0.0}),
        lean=leaning,
        hands=score.move({0.55: 1.0, 1.45: 0.0}),
    )
    none = score.still()
    return _controls(score, v, way, xyz(0.0, 5.0 * delayed(leaning, 0.1) / lean, 0.0), none)


def _wandering(score: Score, random: np.random.Generator, pause_s: float) -> Array:
    """(frames,) -1..1 that goes from one random value to the next and rests there; 0 at both ends."""
    keys: dict[float, float] = {0.0: 0.0}
    time = random.uniform(0.3, 0.6)
    while time + 0.9 < score.seconds - 0.9:
        keys[time] = keys[max(keys)]
        keys[time + 0.8] = random.uniform(-1.0, 1.0)
        time += 0.8 + pause_s * random.uniform(0.5, 1.3)
    last = max(keys)
    keys[max(last + 0.05, score.seconds - 0.8)] = keys[last]
    keys[max(last + 0.5, score.seconds)] = 0.0
    return score.move(keys)


ACTIONS = (
    Action(
        "sit_down",
        (
            "a person sits down",
            "a person sits down on a chair",
            "someone takes a seat",
            "a person lowers themselves onto a chair",
            "a man sits down on a bench",
            "a tired person sits down",
        ),
        ("somebody settles into a chair", "a woman has a seat", "a guest takes his place on the sofa"),
        sit_down,
        end="seated",
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "sit",
        (
            "a person sits",
            "a person is sitting on a chair",
            "someone sits and waits",
            "a person sits still with the hands on the thighs",
            "a seated person looks about",
            "a man is seated on a bench",
        ),
        ("somebody rests in an armchair", "a woman stays in her seat", "a patient waits on a chair"),
        sit,
        loops=True,
        start="seated",
        end="seated",
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "stand_up",
        (
            "a person stands up",
            "a person stands up from a chair",
            "someone gets up from a seat",
            "a person rises from a chair",
            "a seated person gets to their feet",
            "a man gets up from the bench",
        ),
        ("somebody leaves the chair", "a woman rises to her feet", "a student gets up from her seat"),
        stand_up,
        start="seated",
        free_arms=False,
        close_hands=True,
    ),
)
