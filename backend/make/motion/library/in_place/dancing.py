"""Dancing: side steps on the beat, and a groove of hips and arms with the feet in place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.hands import HANG, HandPlace, blended
from backend.make.motion.library.in_place.person import person, swayed
from backend.make.motion.library.in_place.score import SHIFT_S, Score, Step, xyz
from backend.make.motion.library.stand import HOME_X_M, HOME_YAW
from backend.make.motion.library.timing import delayed
from backend.make.motion.puppet import Controls, Foot, Hand

Array = npt.NDArray[np.float64]

_BENT = HandPlace((0.22, -0.48, 0.46), (0.9, -0.4, -0.9), 8.0)
_HIGH = HandPlace((0.40, 0.50, 0.36), (1.0, -0.8, -0.2), 10.0)


def side_step_dance(v: Variation) -> Controls:
    """Step to the side, close, step back, close: one move a beat, knees and arms with it."""
    random = v.random("side_step_dance")
    beat = random.uniform(0.46, 0.58)
    wide = (0.20 + 0.10 * v.amplitude) * random.uniform(0.85, 1.1)
    around = 0.8 + 2.0 * SHIFT_S
    bars = max(1, round((v.length(around + 4.0 * beat * int(random.integers(2, 4))) - around) / (4.0 * beat)))
    seconds = 0.8 + 4.0 * beat * bars
    score = Score(seconds, v, SHIFT_S)
    steps: dict[float, list[Step]] = {1.0: [], -1.0: []}
    middle = {0.3: 0.0}
    for bar in range(bars):
        for count, side, shift in ((0, 1.0, 1.0), (1, -1.0, 1.0), (2, -1.0, 0.0), (3, 1.0, 0.0)):
            start = 0.4 + beat * (4 * bar + count)
            to = side * HOME_X_M + wide * shift
            steps[side].append(Step(start, start + 0.72 * beat, to, 0.0, side * HOME_YAW, 0.05, 20.0))
        start = 0.4 + 4.0 * beat * bar
        middle |= {start: 0.0, start + 1.6 * beat: wide, start + 2.0 * beat: wide, start + 3.6 * beat: 0.0}
    sway = score.move(middle)
    phase = (score.time - 0.4) / beat
    on = score.pulse(0.1, seconds - 0.05, 0.4)
    down = on * (0.5 + 0.5 * np.cos(2.0 * np.pi * (phase - 0.75)))
    twist = on * np.sin(np.pi * (phase - 0.2)) * v.amplitude
    return person(
        score,
        pelvis=xyz(sway, -0.02 * on - 0.026 * down * v.amplitude, 0.0),
        hips=xyz(5.0 * twist, 2.0 * on, 2.0 * twist),
        chest=xyz(-11.0 * delayed(twist, 0.04), 3.0 * on + 2.0 * down, -3.0 * twist),
        head=xyz(7.0 * delayed(twist, 0.08), 3.0 * delayed(down, 0.08), 0.0),
        left=_swinging(score, on, delayed(twist, 0.06), down),
        right=_swinging(score, on, -delayed(twist, 0.06), down),
        left_foot=score.foot(1.0, *steps[1.0], knee_out=4.0),
        right_foot=score.foot(-1.0, *steps[-1.0], knee_out=4.0),
    )


def _swinging(score: Score, on: Array, swing: Array, down: Array) -> Hand:
    """A bent arm that swings to the front (above 0) and back with the beat."""
    arm = blended(score.hand({0.0: HANG}), score.hand({0.0: _BENT}), on)
    return swayed(arm, xyz(0.05 * np.abs(swing), 0.10 * swing - 0.04 * down, 0.20 * swing), 8.0 * swing)


def groove_dance(v: Variation) -> Controls:
    """The hips go from side to side and round, the knees take turns, the arms come up and roll; the feet stay."""
    random = v.random("groove_dance")
    beat = random.uniform(0.44, 0.6)
    bars = max(2, round((v.length(1.2 + 4.0 * beat * int(random.integers(2, 5))) - 1.2) / (4.0 * beat)))
    seconds = 1.2 + 4.0 * beat * bars
    score = Score(seconds, v)
    phase = (score.time - 0.6) / beat
    on = score.pulse(0.1, seconds - 0.05, 0.5)
    hip = on * np.sin(np.pi * phase) * v.amplitude
    round_ = on * np.cos(np.pi * phase) * v.amplitude
    bob = on * (0.5 - 0.5 * np.cos(2.0 * np.pi * phase))
    up = score.pulse(1.0 + 4.0 * beat * random.uniform(0.2, 0.8), seconds - 0.5, 0.8)
    roll = on * np.array([np.sin(np.pi * phase + lag) for lag in (0.0, -1.3)])
    hang, bent, high = (score.hand({0.0: place}) for place in (HANG, _BENT, _HIGH))
    none = score.still()

    def arm(wave: Array, other: Array) -> Hand:
        base = blended(blended(hang, bent, on), high, up)
        return swayed(base, xyz(0.10 * other, 0.12 * wave, 0.06 * other) * v.amplitude, 16.0 * other)

    def foot(side: float) -> Foot:
        # the heel comes up while the weight is on the other foot
        heel = 24.0 * np.clip(-side * hip, 0.0, 1.0) ** 1.5
        place = np.tile([side * HOME_X_M, 0.0, 0.0], (score.frames, 1))
        return Foot(place, none + side * HOME_YAW, heel, none + 6.0)

    return person(
        score,
        pelvis=xyz(0.055 * hip, -0.045 * on - 0.018 * bob, 0.020 * round_),
        hips=xyz(7.0 * round_, 3.0 * on, -6.0 * hip),
        chest=xyz(-11.0 * delayed(round_, 0.05), 2.0 * on + 3.0 * bob, 9.0 * delayed(hip, 0.05)),
        head=np.stack(
            [6.0 * delayed(round_, 0.1), 3.0 * delayed(bob, 0.06) - 5.0 * up, -5.0 * delayed(hip, 0.1)], axis=1
        ),
        left=arm(roll[0], roll[1]),
        right=arm(-roll[0], -roll[1]),
        left_foot=foot(1.0),
        right_foot=foot(-1.0),
    )


ACTIONS = (
    Action(
        "side_step_dance",
        (
            "a person dances with side steps",
            "a person dances from side to side",
            "someone does a two-step dance",
            "a person steps to the side and back to the music",
            "a dancer steps left and right on the beat",
            "a person dances by stepping side to side and swinging the arms",
        ),
        ("somebody does a step-touch to a song", "a woman dances sideways to and fro", "a man shuffles to disco"),
        side_step_dance,
        loops=True,
        feet="stepping",
        free_arms=False,
    ),
    Action(
        "groove_dance",
        (
            "a person dances on the spot",
            "a person dances",
            "someone swings the hips and dances",
            "a person grooves to the music",
            "a dancer moves hips and arms in place",
            "a person dances with raised arms and swaying hips",
        ),
        ("somebody sways to the rhythm", "a woman is dancing at a party", "a clubber shakes the hips"),
        groove_dance,
        loops=True,
        free_arms=False,
    ),
)  # fmt: skip
