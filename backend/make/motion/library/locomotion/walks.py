"""Walking forward, backward, to the side, in a curve, and turning on the spot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from backend.make.motion.curves import smoothstep
from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.edits import mirrored, taken
from backend.make.motion.library.gait import Gait, Path, alternating, eased_travel, walked
from backend.make.motion.library.timing import action_times, minimum_jerk
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
        arm_swing=near(gait.arm_swing, 0.15),
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
        Gait(
            1.25,
            0.64,
            ahead_m=0.0,
            strike=12.0,
            push=-12.0,
            lift_m=0.075,
            bob_m=0.01,
            arm_swing=13.0,
            lean=1.0,
            yaw=4.0,
        ),
        random,
    )
    return along_line(variation, gait, variation.amplitude * float(random.uniform(0.6, 0.8)), 4.2, 180.0)


def walk_curve(variation: Variation) -> Controls:
    """Walks along a bend to the left, of 0.9 to 2 m radius."""
    random = variation.random("walk curve")
    gait = personal(Gait(yaw=5.0, width_m=0.118, ahead_m=-0.06), random)
    steps = steps_in(variation.length(5.0), gait)
    times = timed(variation, gait, steps)
    pace = variation.amplitude * float(random.uniform(0.9, 1.15))
    gone = eased_travel(times, START_S - 0.1, times[-1] - REST_S, pace, 0.75 * gait.stride_s)
    heading = np.degrees(gone / (0.9 * pace + float(random.uniform(0.1, 1.0))))
    middle = np.radians(0.5 * (heading[1:] + heading[:-1]))
    pieces = np.diff(gone)[:, None] * np.stack([np.sin(middle), np.cos(middle)], axis=1)
    place = np.concatenate([np.zeros((1, 2)), np.cumsum(pieces, axis=0)])
    return walked(Path(times, place, heading), gait, alternating(gait, START_S, steps, 1.0))


def sidestep_left(variation: Variation) -> Controls:
    """Steps to the left: the left foot goes out, the right one closes up."""
    random = variation.random("sidestep")
    gait = Gait(
        1.2, 0.62, 0.19, 4.0, ahead_m=0.0, strike=0.0, push=16.0, lift_m=0.06, bob_m=0.008, sway_m=0.02,
        yaw=0.0, roll=1.5, lean=2.0, arm_swing=3.0, arm_bend=20.0, arm_bend_forward=2.0, arm_out=12.0, arms_inwards=3.0,
    )  # fmt: skip
    pace = variation.amplitude * float(random.uniform(0.34, 0.42))
    gait = replace(
        personal(gait, random), width_m=0.09 + 0.25 * pace * gait.stride_s
    )  # the feet meet, and do not cross
    steps = steps_in(variation.length(4.0), gait)
    times = timed(variation, gait, steps)
    gone = eased_travel(times, START_S - 0.1, times[-1] - REST_S, pace, 0.5 * gait.stride_s)
    path = Path(times, np.stack([gone, 0.0 * gone], axis=1), 0.0 * times)
    return walked(path, gait, alternating(gait, START_S, steps, 1.0))


def sidestep_right(variation: Variation) -> Controls:
    """The same to the right."""
    return mirrored(sidestep_left(variation))


def turned(variation: Variation, degrees: float, steps: int) -> Controls:
    """Turns to the left on the spot in so many steps, head first."""
    random = variation.random("turn")
    gait = Gait(
        0.95, 0.58, 0.105, 8.0, ahead_m=0.0, strike=0.0, push=22.0, lift_m=0.055, bob_m=0.008, sway_m=0.022,
        yaw=0.0, roll=1.5, lean=1.0, arm_swing=5.0, arm_bend=18.0, arm_bend_forward=3.0, arm_out=11.0,
    )  # fmt: skip
    gait = personal(gait, random)
    times = timed(variation, gait, steps)
    share = minimum_jerk((times - START_S + 0.2) / (times[-1] - REST_S - START_S + 0.2))
    heading = degrees * share
    controls = walked(Path(times, np.zeros((len(times), 2)), heading), gait, alternating(gait, START_S, steps, 1.0))
    lead = 0.10 * degrees * 4.0 * share * (1.0 - share)  # the spine is wound up while the feet follow
    turn = np.stack([lead, 0.0 * lead, 0.0 * lead], axis=1)
    return replace(controls, chest_turn=controls.chest_turn + turn, head_turn=controls.head_turn + 1.2 * turn)


def turn_around(variation: Variation) -> Controls:
    """Turns by 180 degrees."""
    return turned(variation, 180.0, 5 if variation.random("steps").random() < 0.5 else 6)


def turn_left(variation: Variation) -> Controls:
    """Turns by about 90 degrees."""
    return turned(variation, float(variation.random("angle").uniform(80.0, 100.0)), 4)


def turn_right(variation: Variation) -> Controls:
    """The same to the right."""
    return mirrored(turn_left(variation))


def pace_about(variation: Variation) -> Controls:
    """Walks, turns around, and walks back."""
    random = variation.random("pace")
    gait = personal(Gait(width_m=0.12, ahead_m=-0.05), random)
    steps = max(12, steps_in(variation.length(7.0), gait))
    times = timed(variation, gait, steps)
    start, end = START_S - 0.1, times[-1] - REST_S
    middle = 0.5 * (start + end)
    there = eased_travel(times, start, middle - 1.1, variation.amplitude, 0.7)
    back = eased_travel(times, middle + 1.1, end, variation.amplitude, 0.7)
    share = minimum_jerk((times - middle + 1.5) / 3.0)
    place = np.stack([0.06 * np.sin(np.pi * share), there - back * there[-1] / back[-1]], axis=1)
    return walked(Path(times, place, 180.0 * share), gait, alternating(gait, START_S, steps, 1.0))


def walk_and_stop(variation: Variation) -> Controls:
    """Walks a few steps, brakes within one, and stays."""
    random = variation.random("stop")
    gait = personal(Gait(), random)
    steps = int(random.integers(5, 8))
    times = timed(variation, gait, steps)
    stop = times[-1] - REST_S
    gone = eased_travel(times, START_S - 0.1, stop - 0.1, 1.25 * variation.amplitude, 0.45)
    path = Path(times, np.stack([0.0 * gone, gone], axis=1), 0.0 * times)
    controls = walked(path, gait, alternating(gait, START_S, steps, 1.0))
    rest = round(1.2 * 20.0 / variation.speed)
    controls = taken(controls, np.minimum(np.arange(len(times) + rest), len(times) - 1))
    since = (np.arange(len(times) + rest) / 20.0 * variation.speed) - stop + 0.35
    after = np.maximum(since, 0.0)
    rock = np.exp(-3.0 * after) * np.sin(6.5 * after) * smoothstep(after / 0.15)  # the trunk goes on, and comes back
    chest = controls.chest_turn + np.stack([0.0 * rock, 9.0 * rock, 0.0 * rock], axis=1)
    pelvis = controls.pelvis + np.stack([0.0 * rock, 0.0 * rock, 0.035 * rock], axis=1)
    return replace(controls, chest_turn=chest, pelvis=pelvis)


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
    Action(
        "walk_curve",
        (
            "a person walks in a circle", "someone walks in a curve", "a man walks along a bend",
            "a person turns while walking", "a woman walks around something", "the person walks in an arc",
            "walking round in a circle",
        ),
        ("a person follows a curved path", "someone circles around"),
        walk_curve,
        loops=True,
        feet="stepping",
    ),
    Action(
        "sidestep_left",
        (
            "a person sidesteps to the left", "someone steps left", "a man moves sideways to his left",
            "a woman shuffles left", "the person takes side steps to the left", "stepping to the left side",
        ),
        ("a person goes left without turning", "someone scoots over to the left"),
        sidestep_left,
        loops=True,
        feet="stepping",
        mirrors=False,
    ),
    Action(
        "sidestep_right",
        (
            "a person sidesteps to the right", "someone steps right", "a man moves sideways to his right",
            "a woman shuffles right", "the person takes side steps to the right", "stepping to the right side",
        ),
        ("a person goes right without turning", "someone scoots over to the right"),
        sidestep_right,
        loops=True,
        feet="stepping",
        mirrors=False,
    ),
    Action(
        "turn_around",
        (
            "a person turns around", "someone turns around on the spot", "a man turns to face the other way",
            "a woman spins around slowly", "the person makes an about turn", "turning round to look behind",
        ),
        ("a person rotates by 180 degrees", "someone faces backwards"),
        turn_around,
        feet="stepping",
    ),
    Action(
        "turn_left",
        (
            "a person turns left", "someone turns to the left", "a man makes a left turn on the spot",
            "a woman turns to her left side", "the person rotates left", "turning to face left",
        ),
        ("a person swivels to the left", "someone makes a quarter turn left"),
        turn_left,
        feet="stepping",
        mirrors=False,
    ),
    Action(
        "turn_right",
        (
            "a person turns right", "someone turns to the right", "a man makes a right turn on the spot",
            "a woman turns to her right side", "the person rotates right", "turning to face right",
        ),
        ("a person swivels to the right", "someone makes a quarter turn right"),
        turn_right,
        feet="stepping",
        mirrors=False,
    ),
    Action(
        "pace",
        (
            "a person walks back and forth", "someone paces up and down", "a man paces about",
            "a woman walks forward, turns and walks back", "the person walks to and fro", "pacing the room",
        ),
        ("a person walks away and returns", "someone goes up and down nervously"),
        pace_about,
        loops=True,
        feet="stepping",
    ),
    Action(
        "walk_and_stop",
        (
            "a person walks and stops", "someone walks forward and then stops", "a man stops walking",
            "a woman walks and comes to a halt", "the person stops after a few steps", "walking, then standing still",
        ),
        ("a person halts abruptly", "someone stops in their tracks"),
        walk_and_stop,
        feet="stepping",
    ),
)  # fmt: skip
