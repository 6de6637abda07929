"""Walking forward, backward, to the side, in a curve, and turning on the spot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.gait import Gait, Path, alternating, eased_travel, walked
from backend.make.motion.library.timing import action_times
from backend.make.motion.puppet import Controls

Array = npt.NDArray[np.float64]

START_S = 0.35  # the weight shifts before the first foot leaves
REST_S = 0.45  # after the last step


def personal(gait: Gait, random: np.random.Generator) -> Gait:
    """The gait of someone else: a little wider, livelier, stiffer."""

    def near(value: float, share: float) -> float:
        return value * float(np.exp(random.normal(0.0, share)))

    return replace(
        gait,
        width_m=float(np.clip(near(gait.width_m, 0.10), 0.075, 0.30)),
        toe_out=gait.toe_out + float(random.normal(0.0, 2.0)),
        lift_m=near(gait.lift_m, 0.08),
        bob_m=near(gait.bob_m, 0.15),
        sway_m=near(gait.sway_m, 0.15),
        yaw=near(gait.yaw, 0.2),
        roll=near(gait.roll, 0.2),
        lean=gait.lean + float(random.normal(0.0, 1.0)),
        arm_swing=near(gait.arm_swing, 0.2),
        arm_bend=near(gait.arm_bend, 0.15),
        arm_out=gait.arm_out + float(random.uniform(-1.0, 3.0)),
    )


def steps_in(length_s: float, gait: Gait, fewest: int = 4) -> int:
    """How many steps fill a clip of that length."""
    spare = length_s - START_S - REST_S - (0.5 - (gait.stance - 0.5)) * gait.stride_s
    return max(fewest, 1 + round(spare / (0.5 * gait.stride_s)))


def timed(variation: Variation, gait: Gait, steps: int) -> Array:
    """The frames' times for so many steps, from stand to stand."""
    length = START_S + (0.5 * (steps - 1) + 1.0 - gait.stance) * gait.stride_s + REST_S
    return action_times(length, variation.speed)


def along_line(variation: Variation, gait: Gait, pace: float, own_s: float, angle: float = 0.0) -> Controls:
    """A gait straight on at `pace` m/s; `angle` degrees from the heading to the way (90 to the left, 180 backward)."""
    steps = steps_in(variation.length(own_s), gait)
    times = timed(variation, gait, steps)
    gone = eased_travel(times, START_S - 0.1, times[-1] - REST_S, pace, 0.75 * gait.stride_s)
    way = np.radians(angle)
    place = gone[:, None] * np.array([np.sin(way), np.cos(way)])
    first = float(variation.random("first foot").choice([-1.0, 1.0]))
    return walked(Path(times, place, 0.0 * times), gait, alternating(gait, START_S, steps, first))


def walk(variation: Variation) -> Controls:
    """Walks straight on, 1.25 m/s at amplitude 1."""
    random = variation.random("walk")
    gait = personal(Gait(), random)
    return along_line(variation, gait, variation.amplitude * float(random.uniform(1.1, 1.35)), 4.2)


def walk_backward(variation: Variation) -> Controls:
    """Steps backward, toes first."""
    random = variation.random("walk backward")
    gait = personal(
        Gait(1.25, 0.64, strike=22.0, push=-10.0, lift_m=0.06, bob_m=0.01, arm_swing=13.0, lean=1.0, yaw=4.0), random
    )
    return along_line(variation, gait, variation.amplitude * float(random.uniform(0.6, 0.8)), 4.2, 180.0)


ACTIONS = (
    Action(
        "walk",
        (
            "a person walks forward", "someone walks straight ahead", "a man is walking", "a woman walks",
            "the person takes several steps forward", "walking", "a person strolls ahead", "a knight walks onward",
        ),
        ("a person goes forward on foot", "a guy walks in a straight line"),
        walk,
        loops=True,
        feet="stepping",
    ),
    Action(
        "walk_backward",
        (
            "a person walks backward", "someone walks backwards", "a man steps back several times",
            "a woman backs away", "the person goes backward", "walking in reverse", "a person retreats step by step",
        ),
        ("a person moves back while facing forward", "someone slowly backs up"),
        walk_backward,
        loops=True,
        feet="stepping",
    ),
)  # fmt: skip
