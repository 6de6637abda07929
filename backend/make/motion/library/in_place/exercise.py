"""Exercise: squats, stretching, jumping jacks, lifting a heavy thing overhead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.hands import HANG, HandPlace
from backend.make.motion.library.in_place.balance import Support
from backend.make.motion.library.in_place.person import aimed, person, swayed
from backend.make.motion.library.in_place.score import Score, xyz
from backend.make.motion.library.stand import HOME_X_M, HOME_YAW
from backend.make.motion.library.timing import delayed, minimum_jerk
from backend.make.motion.puppet import Controls, Foot

_FRONT_ARM = HandPlace((0.06, 0.02, 0.93), (0.7, -1.0, -0.1))
_TOP = HandPlace((-0.10, 0.92, 0.10), (1.0, -0.2, -0.2))
_OVER = HandPlace((0.25, 0.90, 0.12), (1.0, -0.2, -0.3))
_RACK = HandPlace((0.20, 0.02, 0.42), (0.5, -1.0, 0.2), -25.0)
_SPREAD = HandPlace((0.93, 0.0, 0.10), (0.3, -0.8, -0.6))


_GRIP_M = 0.31  # half the distance of the hands on the bar: outside of the knees


def squat(v: Variation) -> Controls:
    """Squats: hips back and down, the chest leans, the arms come up in front; once or a few times."""
    random = v.random("squat")
    period, times = random.uniform(1.7, 2.4), int(random.integers(1, 4))
    keys: dict[float, float] = {0.2: 0.0}
    for turn in range(times):
        start = 0.2 + period * turn
        keys |= {start + 0.45 * period: 1.0, start + 0.55 * period: 1.0, start + period: 0.0}
    score = Score(0.6 + period * times, v)
    depth = score.move(keys) * (0.62 + 0.38 * v.amplitude)
    arms = delayed(depth, 0.06)[:, None]
    hand = score.hand({0.0: HANG})
    front = np.asarray(_FRONT_ARM.reach)
    swing = np.sin(0.5 * np.pi * np.clip(arms, 0.0, 1.0))
    reach = hand.reach + arms * (front - hand.reach) * [1.0, 1.0, 0.0] + swing * (front - hand.reach) * [0.0, 0.0, 1.0]
    arm = replace(hand, reach=reach, elbow=hand.elbow + arms * (np.asarray(_FRONT_ARM.elbow) - hand.elbow))
    lean = 36.0 * depth
    return person(
        score,
        pelvis=xyz(0.0, -0.38 * depth, -0.16 * np.sin(0.5 * np.pi * np.clip(depth, 0.0, 1.1))),
        hips=xyz(0.0, 0.6 * lean, 0.0),
        chest=xyz(0.0, 0.4 * lean, 0.0),
        head=xyz(0.0, -0.7 * lean, 0.0),
        left=arm,
        right=arm,
        left_foot=replace(score.foot(1.0), knee_out=10.0 * depth),
        right_foot=replace(score.foot(-1.0), knee_out=10.0 * depth),
    )


def stretch(v: Variation) -> Controls:
    """Both arms go up, the body grows tall, bends to one side and to the other, and the arms sink out wide."""
    random = v.random("stretch")
    side, hold = float(random.choice([-1.0, 1.0])), random.uniform(0.5, 1.0)
    lean = 14.0 * v.amplitude * side
    first, second = 2.1 + hold, 3.6 + 2.0 * hold
    end = second + 0.8
    score = Score(end + 1.4, v)
    up = score.move({0.2: 0.0, 1.2: 1.0, end: 1.0, end + 1.1: 0.0})
    bend = score.move({1.3: 0.0, 2.1: lean, first: 1.05 * lean, first + 1.5: -lean, second: -1.05 * lean, end: 0.0})
    passing = HandPlace((0.18, -0.35, 0.62), (0.8, -0.8, -0.4))
    keys = {0.15: HANG, 0.65: passing, 1.3: _TOP, end: _TOP, end + 0.55: _SPREAD, end + 1.2: HANG}
    return person(
        score,
        pelvis=xyz(-0.0022 * bend, 0.008 * up, 0.0),
        hips=xyz(0.0, -1.0 * up, 0.25 * bend),
        chest=xyz(0.0, -9.0 * up, 1.15 * delayed(bend, 0.05)),
        head=xyz(0.0, -5.0 * up, 0.35 * delayed(bend, 0.12)),
        left=score.hand(keys, 0.05),
        right=score.hand(keys, 0.05),
    )


def jumping_jacks(v: Variation) -> Controls:
    """Hops that throw the feet apart and together while the arms swing up at the sides and down again."""
    random = v.random("jumping_jacks")
    half = random.uniform(0.50, 0.60) * max(1.0, v.speed / 1.05)  # nobody hops faster
    own = 1.2 + 2.0 * half * int(random.integers(2, 6))
    hops = 2 * max(1, round((v.length(own) - 1.2) / (2.0 * half)))
    seconds = 1.2 + half * hops
    score = Score(seconds, v)
    phase = np.clip((score.time - 0.6) / half, 0.0, hops)
    hop, share = np.floor(phase), phase - np.floor(phase)
    air = np.clip((share - 0.26) / 0.60, 0.0, 1.0)
    ease = minimum_jerk((air - 0.06) / 0.88)
    apart = np.where(hop % 2 == 0, ease, 1.0 - ease) * (phase < hops)
    height = 4.0 * air * (1.0 - air)
    flight_m = 9.81 * (0.60 * half / v.speed) ** 2 / 8.0
    knees = score.pulse(0.2, seconds - 0.1, 0.4) * (0.5 + 0.5 * np.cos(2.0 * np.pi * (share - 0.08)))
    none = score.still()

    def foot(side: float) -> Foot:
        place = xyz(side * (HOME_X_M + (0.12 + 0.06 * v.amplitude) * apart), (flight_m + 0.025) * height, 0.0)
        return Foot(place, none + side * HOME_YAW, 24.0 * height, none + 4.0)

    swing = np.radians(12.0 + 138.0 * min(1.0, v.amplitude) * (0.5 - 0.5 * np.cos(np.pi * phase)))
    reach = 0.93 * xyz(np.sin(swing), -np.cos(swing), 0.08)
    arm = replace(score.hand({0.0: _SPREAD}), reach=reach, elbow=xyz(0.5 - np.sin(swing), -0.4, -1.0))  # fmt: skip
    busy = score.pulse(0.15, seconds, 0.4)[:, None]
    hang = score.hand({0.0: HANG})
    arm = replace(arm, reach=hang.reach + busy * (arm.reach - hang.reach),
                  elbow=hang.elbow + busy * (arm.elbow - hang.elbow))  # fmt: skip
    return person(
        score,
        pelvis=xyz(0.0, -0.05 * knees + flight_m * height - 0.02 * apart, 0.0),
        chest=xyz(0.0, 3.0 * knees, 0.0),
        head=xyz(0.0, -2.0 * knees, 0.0),
        left=arm,
        right=arm,
        left_foot=foot(1.0),
        right_foot=foot(-1.0),
        support=Support(carried=0.0),
    )


def lift(v: Variation) -> Controls:
    """Squats down to a heavy thing, pulls it up to the chest, dips, presses it overhead, and sets it down again."""
    random = v.random("lift")
    hold, load = random.uniform(0.4, 1.0), 0.7 + 0.3 * v.amplitude
    top = 4.1 + hold
    down, end = top + 1.0, top + 2.6
    score = Score(end + 1.5, v)
    depth = score.move({0.2: 0.0, 1.2: 1.0, 1.55: 1.03, 2.5: 0.06, 2.95: 0.04, 3.15: 0.20, 3.5: 0.0, top: 0.0,
                        down - 0.2: 0.12, down + 0.3: 0.1, end - 0.2: 1.0, end: 1.0, end + 1.1: 0.0})  # fmt: skip
    low = score.pulse(0.75, 2.05, 0.35) + score.pulse(down + 0.65, end + 0.55, 0.35)
    low = np.clip(low, 0.0, 1.0)
    front = HandPlace((0.25, -0.72, 0.50), (0.9, -0.2, -0.9))
    keys = {0.2: HANG, 1.1: front, 1.9: front, 2.55: _RACK, 3.2: _RACK, 3.8: _OVER, top: _OVER, down: _RACK,
            down + 0.4: _RACK, down + 0.95: front, end + 0.3: front, end + 1.2: HANG}  # fmt: skip
    strain = score.pulse(3.6, top + 0.1, 0.2) * score.beat(0.24) * 0.004 * load
    lean = 50.0 * depth
    overhead = score.pulse(3.1, down, 0.5)
    controls = person(
        score,
        pelvis=xyz(0.0, -0.36 * depth + strain, -0.16 * depth - 0.02 * overhead),
        hips=xyz(0.0, 0.62 * lean, 0.0),
        chest=xyz(0.0, 0.38 * lean - 7.0 * overhead - 5.0 * score.pulse(2.2, 3.3, 0.4), 0.0),
        head=xyz(0.0, -0.60 * lean + 3.0 * overhead, 0.0),
        left=swayed(score.hand(keys), xyz(0.0, strain, 0.0)),
        right=swayed(score.hand(keys), xyz(0.0, strain, 0.0)),
        left_foot=replace(score.foot(1.0), knee_out=12.0 * depth),
        right_foot=replace(score.foot(-1.0), knee_out=12.0 * depth),
    )
    for side in (1.0, -1.0):
        controls = aimed(controls, side, (_GRIP_M * side, 0.30, 0.24), low, v.style)
    return controls


ACTIONS = (
    Action(
        "squat",
        (
            "a person squats",
            "a person does squats",
            "someone squats down and stands up again",
            "a person does deep squats",
            "a person bends the knees low with the arms out in front",
            "an athlete does squats as a workout",
        ),
        ("somebody exercises with knee bends", "a woman does a few squats", "a man crouches deeply and rises"),
        squat,
        free_arms=False,
    ),
    Action(
        "stretch",
        (
            "a person stretches",
            "a person stretches the arms overhead",
            "someone stretches to both sides",
            "a person reaches up and leans to the side",
            "a person stretches after waking up",
            "a runner stretches the upper body",
        ),
        ("somebody does side bends with raised arms", "a woman loosens up her back", "a sleepy man stretches himself"),
        stretch,
        free_arms=False,
    ),
    Action(
        "jumping_jacks",
        (
            "a person does jumping jacks",
            "a person jumps with arms and legs spread and closed",
            "someone exercises with jumping jacks",
            "a person hops while swinging the arms overhead",
            "a person does star jumps",
            "an athlete warms up with jumping jacks",
        ),
        ("a gymnast is doing side straddle hops", "somebody does star jumps", "a woman hops arms and legs apart"),
        jumping_jacks,
        loops=True,
        feet="airborne",
        free_arms=False,
    ),
    Action(
        "lift",
        (
            "a person lifts a heavy weight overhead",
            "a person picks up something heavy and lifts it over the head",
            "a weightlifter lifts a barbell",
            "someone presses a heavy box overhead",
            "a strong man lifts weights",
            "a person hoists a heavy object above the head",
        ),
        ("an athlete does a clean and press", "somebody raises a rock over their head", "a lifter heaves up a bar"),
        lift,
        free_arms=False,
        close_hands=True,
    ),
)  # fmt: skip
