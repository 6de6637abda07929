"""What the head says: look around, nod, shake the head."""

from __future__ import annotations

import numpy as np

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.in_place.person import person
from backend.make.motion.library.in_place.score import Score, xyz
from backend.make.motion.library.timing import delayed
from backend.make.motion.puppet import Controls


def look_around(v: Variation) -> Controls:
    """The head turns far to one side and to the other; the chest follows late and the weight goes with it."""
    random = v.random("look_around")
    first = float(random.choice([-1.0, 1.0]))
    keys: dict[float, float] = {0.1: 0.0}
    time, side = 0.1, first
    for _ in range(int(random.integers(2, 4))):
        time += random.uniform(0.65, 0.9)
        keys[time] = side
        time += random.uniform(0.3, 0.8)
        keys[time] = side * random.uniform(0.9, 1.05)
        side = -side
    keys[time + 0.8] = 0.0
    score = Score(time + 1.1, v)
    turn = score.move(keys) * v.amplitude
    body = delayed(turn, 0.12)
    return person(
        score,
        pelvis=xyz(0.02 * body, 0.0, 0.0),
        hips=xyz(5.0 * body, 0.0, 0.0),
        chest=xyz(16.0 * body, 0.0, 0.0),
        head=xyz(44.0 * turn, -4.0 * np.abs(turn) + 3.0 * score.beat(1.9), 2.0 * turn),
    )


def nod(v: Variation) -> Controls:
    """The head goes down and up a few times, the first time the deepest; the chest takes a share."""
    random = v.random("nod")
    period, times = random.uniform(0.45, 0.7), int(random.integers(2, 5))
    seconds = 0.6 + period * times + 0.7
    score = Score(seconds, v)
    cycle = (score.time - 0.35) / period
    size = score.pulse(0.3, 0.35 + period * times, 0.25) * (1.0 - 0.35 * np.clip(cycle / times, 0.0, 1.0))
    dip = v.amplitude * size * (0.5 - 0.5 * np.cos(2.0 * np.pi * cycle) - 0.15)
    return person(
        score,
        pelvis=xyz(0.0, -0.004 * dip, 0.0),
        chest=xyz(0.0, 4.0 * delayed(dip, 0.04), 0.0),
        head=xyz(0.0, 26.0 * dip, 1.5 * dip),
    )


def shake_head(v: Variation) -> Controls:
    """The head turns from side to side about an upright axis, fading away; the chin is a little down."""
    random = v.random("shake_head")
    period, times = random.uniform(0.5, 0.75), int(random.integers(2, 5))
    seconds = 0.5 + period * times + 0.7
    score = Score(seconds, v)
    end = 0.3 + period * times
    size = score.pulse(0.2, end + 0.25, 0.3) * (1.0 - 0.3 * score.time / seconds)
    turn = v.amplitude * size * score.beat(period, 0.3)
    return person(
        score,
        chest=xyz(-3.0 * delayed(turn, 0.05), 0.0, 0.0),
        head=xyz(30.0 * turn, 6.0 * size, 2.0 * turn),
    )


ACTIONS = (
    Action(
        "look_around",
        (
            "a person looks around",
            "a person looks left and right",
            "someone turns the head to both sides to look around",
            "a person looks over the shoulders",
            "a person searches the surroundings with the eyes",
            "a lost person looks around",
        ),
        ("someone glances in all directions", "a guard scans the area", "a tourist takes in the surroundings"),
        look_around,
    ),
    Action(
        "nod",
        (
            "a person nods",
            "a person nods the head",
            "someone nods in agreement",
            "a person says yes with the head",
            "a man nods a few times",
            "a person moves the head up and down",
        ),
        ("someone agrees with a nod", "a woman nods yes", "a listener is nodding along"),
        nod,
    ),
    Action(
        "shake_head",
        (
            "a person shakes the head",
            "a person says no with the head",
            "someone shakes their head in disagreement",
            "a person turns the head from side to side to say no",
            "a man shakes his head in disbelief",
            "a disappointed person shakes the head",
        ),
        ("someone refuses with a shake of the head", "a woman gestures no with her head", "a judge shakes his head"),
        shake_head,
    ),
)  # fmt: skip
