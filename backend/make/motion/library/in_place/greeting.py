"""Greetings and signs of the hands: wave, wave with both, bow, salute, point."""

from __future__ import annotations

import numpy as np

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.hands import BESIDE_HEAD, HANG, HandPlace
from backend.make.motion.library.in_place.person import hanging, lifted, person, swayed
from backend.make.motion.library.in_place.score import Score, xyz
from backend.make.motion.library.timing import delayed
from backend.make.motion.puppet import Controls

_RAISE_S = 0.75
_HIGH = HandPlace((0.48, 0.74, 0.14), (1.0, -0.7, -0.4))
_BROW = HandPlace((0.12, 0.34, 0.34), (1.0, -0.25, 0.15), 4.0)
_WIDE = HandPlace((0.42, -0.62, 0.32), (0.9, -0.2, -0.8))


def wave(v: Variation) -> Controls:
    """The weight goes to the other leg, one arm comes up and waves, the head tilts, the arm comes down."""
    random = v.random("wave")
    period, swings = random.uniform(0.40, 0.55), int(random.integers(2, 6))
    down = _RAISE_S + period * swings + 0.15
    score = Score(down + 1.0, v)
    up = lifted(BESIDE_HEAD, (random.uniform(-0.06, 0.06), random.uniform(-0.22, 0.12), random.uniform(-0.05, 0.15)))
    swing = v.amplitude * score.pulse(_RAISE_S - 0.15, down + 0.1, 0.25) * score.beat(period, _RAISE_S)
    raised = score.move({0.0: 0.0, _RAISE_S: 1.0, down: 1.0, down + 0.8: 0.0})
    passing = lifted(HANG, (0.12, 0.30, 0.40))
    right = score.hand({0.05: HANG, 0.35: passing, _RAISE_S: up, down: up, down + 0.45: passing, down + 0.9: HANG})
    sideways = xyz(-0.15 * swing, -0.04 * np.abs(swing), 0.0)
    return person(
        score,
        pelvis=xyz(0.035 * raised, -0.004 * raised, 0.0),
        hips=xyz(-2.0 * raised, 0.0, 1.5 * raised),
        chest=xyz(-2.0 * raised, -2.0 * raised, -3.0 * raised - 1.4 * swing),
        head=xyz(2.0 * raised, -2.0 * raised, 6.0 * raised + 1.2 * swing),
        right=swayed(right, sideways, -24.0 * swing),
    )


def wave_both(v: Variation) -> Controls:
    """Both arms go up and cross the air to and fro, as if to a ship; the knees give a little."""
    random = v.random("wave_both")
    period, swings = random.uniform(0.55, 0.75), int(random.integers(2, 5))
    down = _RAISE_S + 0.1 + period * swings
    score = Score(down + 1.1, v)
    swing = v.amplitude * score.pulse(_RAISE_S - 0.2, down + 0.2, 0.3) * score.beat(period, _RAISE_S)
    up = score.pulse(0.0, down + 1.0, 0.7)
    passing = HandPlace((0.72, -0.30, 0.42), (0.8, -0.6, -0.6))
    keys = {0.0: HANG, 0.4: passing, _RAISE_S + 0.1: _HIGH, down: _HIGH, down + 0.45: passing, down + 1.0: HANG}
    sideways = xyz(0.20 * swing, -0.10 * swing, 0.0)
    return person(
        score,
        pelvis=xyz(0.0, -0.012 * up * (1.0 + score.beat(0.5 * period)), 0.0),
        chest=xyz(0.0, -4.0 * up, 0.0),
        head=xyz(0.0, -5.0 * up, 0.0),
        left=swayed(score.hand(keys), sideways, 20.0 * swing),
        right=swayed(score.hand(keys, 0.05), sideways, 20.0 * swing),
    )


def bow(v: Variation) -> Controls:
    """The hips go back, back and head fold forwards, stay, and come up again."""
    random = v.random("bow")
    hold, depth = random.uniform(0.3, 1.2), v.amplitude * random.uniform(34.0, 52.0)
    score = Score(hold + 3.0, v)
    bent = score.move({0.15: 0.0, 1.25: 1.0, 1.25 + hold: 1.0, 2.6 + hold: 0.0})
    hand = hanging(score, 0.55 * depth * delayed(bent, 0.06))
    return person(
        score,
        pelvis=xyz(0.0, -0.015 * bent, -0.05 * bent),
        hips=xyz(0.0, 0.62 * depth * bent, 0.0),
        chest=xyz(0.0, 0.45 * depth * bent, 0.0),
        head=xyz(0.0, 12.0 * bent, 0.0),
        left=hand,
        right=hand,
    )


def salute(v: Variation) -> Controls:
    """Straightens up, brings the hand to the brow in a bow outwards, holds it, cuts it down."""
    random = v.random("salute")
    hold = random.uniform(0.6, 1.8)
    score = Score(hold + 1.9, v)
    straight = score.pulse(0.0, hold + 1.7, 0.4)
    passing = HandPlace((0.50, -0.35, 0.45), (1.0, -0.4, -0.3))
    cut = HandPlace((0.26, -0.55, 0.55), (1.0, -0.4, -0.5))
    end = 0.75 + hold
    right = score.hand({0.1: HANG, 0.42: passing, 0.75: _BROW, end: _BROW, end + 0.25: cut, end + 0.6: HANG})
    return person(
        score,
        pelvis=xyz(0.0, 0.006 * straight, 0.0),
        chest=xyz(0.0, -5.0 * straight * v.amplitude, 0.0),
        head=xyz(0.0, -2.0 * straight, 0.0),
        left=score.hand(
            {0.1: HANG, 0.5: lifted(HANG, (-0.04, 0.0, -0.05)), end: lifted(HANG, (-0.04, 0.0, -0.05)), end + 0.8: HANG}
        ),  # fmt: skip
        right=right,
    )


def point(v: Variation) -> Controls:
    """Draws the hand up, throws the arm out at something, insists with a small jab, lets it sink."""
    random = v.random("point")
    hold, high, turn = random.uniform(0.6, 1.6), random.uniform(-0.25, 0.45), random.uniform(-30.0, 5.0)
    score = Score(hold + 2.2, v)
    end = 0.85 + hold
    drawn = HandPlace((0.10, -0.45, 0.42), (0.8, -0.5, -0.7), 15.0)
    far = 0.985 * min(1.0, 0.94 + 0.06 * v.amplitude)
    out = HandPlace((0.04, high, float(np.sqrt(far**2 - high**2))), (0.6, -1.0, -0.1), -4.0)
    near = HandPlace((0.06, 0.8 * high, 0.86 * out.reach[2]), (0.6, -1.0, -0.1), 4.0)
    middle = 0.85 + 0.45 * hold
    right = score.hand({0.0: HANG, 0.4: drawn, 0.85: out, middle - 0.12: near, middle + 0.1: out, end: out,
                        end + 0.5: _WIDE, end + 1.1: HANG})  # fmt: skip
    aim = score.move({0.1: 0.0, 0.45: -0.15, 0.9: 1.0, end: 1.0, end + 1.0: 0.0})
    return person(
        score,
        pelvis=xyz(-0.015 * aim, 0.0, 0.02 * aim),
        hips=xyz((0.2 * turn + 6.0) * aim, 1.5 * aim, 0.0),
        chest=xyz((0.45 * turn + 8.0) * aim, 2.0 * aim, 1.5 * aim),
        head=xyz((0.35 * turn - 10.0) * aim, -9.0 * high * aim - 2.0 * aim, 0.0),
        right=right,
    )


ACTIONS = (
    Action(
        "wave",
        (
            "a person waves hello",
            "a person waves with one hand",
            "someone raises an arm and waves",
            "a person waves goodbye",
            "a man waves at somebody",
            "a person greets someone by waving",
            "a person lifts a hand and moves it from side to side",
        ),
        ("a woman says hi with her hand", "someone is waving to a friend", "a figure gives a friendly wave"),
        wave,
        free_arms=False,
    ),
    Action(
        "wave_both",
        (
            "a person waves with both hands",
            "a person waves both arms above the head",
            "someone signals with both arms overhead",
            "a person waves wildly with two hands to get attention",
            "a man swings both raised arms from side to side",
            "a person waves for help with both arms",
        ),
        ("someone flags down a car with both arms", "a woman waves two hands in the air", "a castaway waves at a ship"),
        wave_both,
        free_arms=False,
    ),
    Action(
        "bow",
        (
            "a person bows",
            "a person takes a bow",
            "someone bows politely",
            "a person bends forward at the waist to bow",
            "an actor bows to the audience",
            "a person bows deeply in respect",
        ),
        ("a servant bows before the king", "someone makes a deep bow", "a performer thanks the crowd with a bow"),
        bow,
        free_arms=False,
    ),
    Action(
        "salute",
        (
            "a person salutes",
            "a soldier salutes",
            "someone gives a military salute",
            "a person raises a hand to the forehead in salute",
            "a person stands at attention and salutes",
            "a man salutes an officer",
        ),
        ("a guard greets his commander with a salute", "someone touches the brow like a soldier", "a sailor salutes"),
        salute,
        free_arms=False,
    ),
    Action(
        "point",
        (
            "a person points forward",
            "a person points at something",
            "someone points with an outstretched arm",
            "a person raises an arm and points ahead",
            "a man points a finger at someone",
            "a person shows the way by pointing",
        ),
        ("someone indicates a place far away", "a woman is pointing to the horizon", "a guide points out a building"),
        point,
        free_arms=False,
    ),
)  # fmt: skip
