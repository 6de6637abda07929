"""Games, music and magic: a golf swing, an air guitar, a spell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.hands import HANG, HandPlace
from backend.make.motion.library.in_place.person import gripped, lifted, person, swayed, taken_up
from backend.make.motion.library.in_place.score import Score, Step, xyz
from backend.make.motion.library.timing import delayed
from backend.make.motion.puppet import Controls, Hand

Array = npt.NDArray[np.float64]

_NECK_OF_GUITAR = HandPlace((0.40, -0.28, 0.56), (0.5, -1.0, -0.2), 22.0)
_STRINGS = HandPlace((-0.14, -0.60, 0.48), (1.0, -0.1, -0.7), 20.0)
_GATHER = HandPlace((-0.16, -0.38, 0.52), (1.0, -0.3, -0.5), -10.0)
_CAST = HandPlace((-0.06, 0.12, 0.93), (0.8, -0.9, -0.2), -35.0)


def golf(v: Variation) -> Controls:
    """Addresses the ball, waggles, turns back with the club, and swings through to a high finish."""
    random = v.random("golf")
    aim, hold = random.uniform(0.3, 1.0), random.uniform(0.5, 1.2)
    back, hit = 1.2 + aim + 0.85, 1.2 + aim + 0.85 + 0.42
    finish = hit + 0.42
    end = finish + hold
    score = Score(end + 1.7, v)
    far = 0.7 + 0.3 * v.amplitude
    low = (0.0, -0.80, 0.46)
    centre = {0.9: low, back - 0.85: low, back - 0.4: (-0.34, -0.46, 0.56), back: (-0.34 * far, 0.26 * far, 0.46),
              back + 0.08: (-0.34 * far, 0.27 * far, 0.46), hit: (0.0, -0.80, 0.50), hit + 0.2: (0.32, -0.30, 0.58),
              finish: (0.36 * far, 0.34 * far, 0.38), end: (0.34 * far, 0.28 * far, 0.40),
              end + 0.8: low}  # fmt: skip
    yaw = score.move({back - 0.8: 0.0, back: -36.0, back + 0.06: -37.0, hit: 4.0, finish: 44.0, end: 42.0,
                      end + 0.9: 0.0}) * far  # fmt: skip
    stoop = score.move({0.3: 0.0, 1.0: 1.0, hit: 1.0, finish: 0.25, end: 0.2, end + 0.9: 0.0})
    waggle = score.pulse(0.9, back - 0.8, 0.2) * score.beat(0.7) * 1.5
    weight = score.move({0.9: 0.0, back: -0.03, hit: 0.02, finish: 0.05, end: 0.045, end + 1.0: 0.0})
    hands = gripped(score, centre, gap=(-0.03, -0.10, 0.05), elbow=(0.9, -0.6, -0.4))
    left, right = taken_up(score, hands, 0.95, end + 0.35)
    up = score.move({hit - 0.1: 0.0, finish: 1.0, end: 1.0, end + 0.6: 0.0})
    heel = score.foot(-1.0)
    pitch = 24.0 * up
    return person(
        score,
        pelvis=xyz(weight, -0.05 * stoop, -0.03 * stoop),
        hips=xyz(0.42 * yaw, 17.0 * stoop, 0.0),
        chest=xyz(1.0 * delayed(yaw, 0.03) + waggle, 16.0 * stoop, 3.0 * up),
        head=xyz(-1.1 * yaw + 40.0 * far * up, 4.0 * stoop, 0.0),
        left=left,
        right=right,
        right_foot=type(heel)(heel.place, heel.yaw, pitch, heel.knee_out),
    )


def guitar(v: Variation) -> Controls:
    """One hand on the neck moves up and down the frets, the other one strums; body and head keep time."""
    random = v.random("guitar")
    beat = random.uniform(0.42, 0.62)
    seconds = v.length(random.uniform(4.5, 7.5))
    score = Score(seconds, v)
    end = seconds - 1.1
    playing = score.pulse(0.7, end + 0.2, 0.3)
    strum = playing * v.amplitude * score.beat(beat, 0.8)
    fret = playing * 0.5 * (score.beat(random.uniform(2.2, 3.4)) + score.beat(random.uniform(1.3, 1.9)))
    groove = playing * (0.5 - 0.5 * np.cos(2.0 * np.pi * (score.time - 0.8) / beat))
    sway = playing * score.beat(4.0 * beat, 0.8) * v.amplitude
    passing = HandPlace((0.16, -0.62, 0.46), (0.9, -0.4, -0.8))
    return person(
        score,
        pelvis=xyz(0.025 * sway, -0.03 * playing - 0.014 * groove, 0.0),
        hips=xyz(3.0 * sway, 2.0 * playing, 1.0 * sway),
        chest=xyz(-2.0 * sway, 4.0 * playing + 1.5 * groove, 1.5 * sway),
        head=xyz(12.0 * playing, 8.0 * playing + 6.0 * delayed(groove, 0.06), 0.0),
        left=swayed(score.hand({0.1: HANG, 0.45: passing, 0.9: _NECK_OF_GUITAR, end: _NECK_OF_GUITAR,
                                end + 0.45: passing, end + 0.95: HANG}),
                    xyz(0.09 * fret, 0.05 * fret, -0.01 * fret)),
        right=swayed(score.hand({0.1: HANG, 0.45: passing, 0.9: _STRINGS, end: _STRINGS, end + 0.45: passing,
                                 end + 0.95: HANG}),
                     xyz(0.03 * strum, -0.10 * strum, 0.01 * strum), 14.0 * delayed(strum, 0.05)),
    )  # fmt: skip


def cast_spell(v: Variation) -> Controls:
    """The hands circle before the chest and gather something, draw back, and throw it out; the fingers tremble."""
    random = v.random("cast_spell")
    circles, period, hold = int(random.integers(1, 4)), random.uniform(0.7, 1.0), random.uniform(0.6, 1.3)
    high = random.uniform(0.0, 0.35)
    out = 1.0 + circles * period + 0.55
    end = out + hold
    score = Score(end + 1.6, v)
    cast = HandPlace((-0.06, high, float(np.sqrt(0.93**2 - high**2))), _CAST.elbow, _CAST.flex)
    drawn = lifted(_GATHER, (0.16, 0.02, -0.14))
    keys = {0.15: HANG, 0.9: _GATHER, out - 0.55: _GATHER, out - 0.28: drawn, out: cast, end: cast,
            end + 0.5: HandPlace((0.45, -0.50, 0.50), (0.8, -0.5, -0.8)), end + 1.2: HANG}  # fmt: skip
    turn = 2.0 * np.pi * np.clip(score.time - 0.9, 0.0, circles * period) / period
    circling = score.pulse(0.8, out - 0.5, 0.25)[:, None] * v.amplitude
    circle = xyz(0.13 * (1.0 - np.cos(turn)), 0.13 * np.sin(turn), 0.06 * (1.0 - np.cos(turn))) * circling
    tremble = 0.012 * score.pulse(out, end + 0.1, 0.15) * score.beat(0.23)
    counter = xyz(circle[:, 0], -circle[:, 1], circle[:, 2])
    shake = xyz(tremble, -tremble, 0.0)
    crouch = score.move({0.2: 0.0, out - 0.3: 1.0, out: 0.45, end: 0.4, end + 0.9: 0.0})
    burst = score.move({out - 0.5: 0.0, out - 0.28: -0.5, out + 0.05: 1.0, end: 0.9, end + 0.8: 0.0})

    def arm(offset: Array, late: float) -> Hand:
        return swayed(score.hand(keys, late), delayed(offset, late) + shake)

    return person(
        score,
        pelvis=xyz(0.0, -0.07 * crouch, 0.05 * burst),
        hips=xyz(0.0, 4.0 * crouch + 2.0 * burst, 0.0),
        chest=xyz(0.0, 6.0 * crouch + 4.0 * burst, 0.0),
        head=xyz(0.0, 3.0 * crouch - 8.0 * np.clip(burst, 0.0, 1.0) * (0.5 + high), 0.0),
        left=arm(circle, 0.03),
        right=arm(counter, 0.05),
        left_foot=score.out_and_home(
            1.0, Step(out - 0.35, out + 0.02, 0.13, 0.26, 5.0), Step(end + 0.5, end + 1.0, 0, 0, 0)
        ),
    )


ACTIONS = (
    Action(
        "golf",
        (
            "a person swings a golf club",
            "a person plays golf",
            "a golfer takes a swing",
            "someone hits a golf ball",
            "a person does a golf swing",
            "a man tees off",
        ),
        ("a golfer drives the ball down the fairway", "somebody practises golf shots", "a woman strikes a golf ball"),
        golf,
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "guitar",
        (
            "a person plays the guitar",
            "a person plays air guitar",
            "someone strums a guitar",
            "a rock musician plays an electric guitar",
            "a person pretends to play the guitar",
            "a guitarist plays a solo",
        ),
        ("a band member jams on his guitar", "somebody picks the strings", "a bard strums a lute"),
        guitar,
        loops=True,
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "cast_spell",
        (
            "a person casts a spell",
            "a wizard casts a spell",
            "someone conjures a fireball",
            "a mage throws magic with both hands",
            "a person does magic with the hands",
            "a sorcerer gathers energy and releases it",
        ),
        ("a witch hexes her enemy", "somebody summons a spirit", "a magician shoots lightning from his palms"),
        cast_spell,
        feet="stepping",
        free_arms=False,
        close_hands=True,
    ),
)  # fmt: skip
