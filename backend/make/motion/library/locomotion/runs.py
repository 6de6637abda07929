"""Running, jogging, and jogging on the spot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.gait import (
    Gait,
    Path,
    alternating,
    bounced,
    eased_travel,
    flights,
    walked,
    with_height,
)
from backend.make.motion.library.locomotion.walks import REST_S, START_S, personal, steps_in, timed
from backend.make.motion.puppet import Controls

_RUN = Gait(
    0.74, 0.34, 0.06, 4.0, ahead_m=-0.14, lift_m=0.10, strike=-4.0, push=64.0, sway_m=0.010, yaw=9.0, roll=3.0,
    lean=13.0, arm_swing=34.0, arm_bend=84.0, arm_bend_forward=14.0, arm_out=10.0, arms_inwards=16.0,
    bob_m=0.0, kick_up=0.20,
)  # fmt: skip
_JOG = replace(
    _RUN, stride_s=0.78, stance=0.42, lift_m=0.085, yaw=7.0, lean=7.0, arm_swing=26.0, kick_up=0.12, push=48.0
)


def _run(variation: Variation, gait: Gait, pace: float, own_s: float, ramp_s: float) -> Controls:
    # Who runs faster makes longer steps, hardly quicker ones.
    gait = replace(gait, stride_s=gait.stride_s * float(np.sqrt(variation.speed)))
    steps = steps_in(variation.length(own_s), gait, 6)
    times = timed(variation, gait, steps)
    gone = eased_travel(times, START_S - 0.1, times[-1] - REST_S - 0.1, pace, ramp_s)
    path = Path(times, np.stack([0.0 * gone, gone], axis=1), 0.0 * times)
    swings = alternating(gait, START_S, steps, float(variation.random("first foot").choice([-1.0, 1.0])))
    return with_height(walked(path, gait, swings), bounced(times, flights(times, swings), -0.03, 0.06, variation.speed))


def run(variation: Variation) -> Controls:
    """Runs straight on at about 3 m/s."""
    random = variation.random("run")
    return _run(
        variation, personal(_RUN, random), 3.0 * variation.amplitude * float(random.uniform(0.85, 1.1)), 3.6, 1.0
    )


def jog(variation: Variation) -> Controls:
    """Jogs at about 2 m/s."""
    random = variation.random("jog")
    return _run(
        variation, personal(_JOG, random), 1.9 * variation.amplitude * float(random.uniform(0.85, 1.1)), 4.0, 0.8
    )


def jog_in_place(variation: Variation) -> Controls:
    """Jogs on the spot."""
    random = variation.random("jog in place")
    gait = replace(personal(_JOG, random), kick_up=0.22 * variation.amplitude, lean=2.0, strike=8.0, ahead_m=-0.04)
    return _run(variation, gait, 0.0, 4.0, 0.8)


ACTIONS = (
    Action(
        "run",
        (
            "a person runs", "someone runs forward", "a man is running fast", "a woman sprints",
            "the person runs ahead", "running", "a knight runs into battle", "a person dashes off",
        ),
        ("a person races along", "someone rushes ahead at full speed"),
        run,
        loops=True,
        feet="airborne",
    ),
    Action(
        "jog",
        (
            "a person jogs", "someone jogs along", "a man goes jogging", "a woman runs slowly",
            "the person jogs forward", "jogging at an easy pace", "a person trots along",
        ),
        ("a person goes for a light run", "someone runs at a gentle pace"),
        jog,
        loops=True,
        feet="airborne",
    ),
    Action(
        "jog_in_place",
        (
            "a person jogs in place", "someone runs on the spot", "a man is running in place",
            "a woman jogs on the spot", "the person runs without moving forward", "jogging in place to warm up",
        ),
        ("a person runs while staying where they are", "someone warms up by jogging on the spot"),
        jog_in_place,
        loops=True,
        feet="airborne",
    ),
)  # fmt: skip
