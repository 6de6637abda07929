"""Walks that are told by how they are walked: marching, tiptoe, sneaking, crouching, limping, staggering, stairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.gait import Gait, Path, Swing, alternating, eased_travel, walked
from backend.make.motion.library.hands import HandPlace, along, blended
from backend.make.motion.library.locomotion.walks import REST_S, START_S, along_line, personal, steps_in, timed
from backend.make.motion.library.stand import HOME_X_M, smooth_noise
from backend.make.motion.library.timing import minimum_jerk, pulse
from backend.make.motion.puppet import Controls

_PROWL = HandPlace((0.10, -0.28, 0.62), (0.9, -0.5, -0.4), 18.0)


def march(variation: Variation) -> Controls:
    """Marches with high knees and straight arms; now and then on the spot."""
    random = variation.random("march")
    gait = Gait(1.12, 0.58, 0.09, 5.0, lift_m=0.08, strike=-4.0, push=30.0, bob_m=0.014, yaw=4.0, lean=0.0,
                arm_swing=44.0, arm_bend=12.0, arm_bend_forward=2.0, arms_inwards=2.0,
                knee_lift=0.22 * variation.amplitude)  # fmt: skip
    pace = float(random.choice([0.0, 0.7, 0.9])) * variation.amplitude
    return along_line(variation, personal(gait, random), pace, 4.2)


def tiptoe(variation: Variation) -> Controls:
    """Walks on the balls of the feet with small steps."""
    random = variation.random("tiptoe")
    gait = Gait(1.15, 0.60, 0.07, 4.0, lift_m=0.08, strike=6.0, push=14.0, tiptoe=34.0, drop_m=-0.045, bob_m=0.012,
                sway_m=0.02, yaw=5.0, lean=2.0, arm_swing=7.0, arm_bend=30.0, arm_bend_forward=3.0,
                arm_out=20.0)  # fmt: skip
    return along_line(variation, personal(gait, random), 0.62 * variation.amplitude, 4.2)


def sneak(variation: Variation) -> Controls:
    """Creeps with bent knees and raised hands, the foot set down with care."""
    random = variation.random("sneak")
    gait = Gait(1.75, 0.66, 0.09, 6.0, lift_m=0.12, strike=10.0, push=36.0, drop_m=0.15, bob_m=0.012, sway_m=0.045,
                yaw=6.0, lean=26.0, arm_swing=6.0, knee_lift=0.06)  # fmt: skip
    controls = along_line(variation, personal(gait, random), 0.55 * variation.amplitude, 5.2)
    frames = len(controls.pelvis)
    seconds = np.arange(frames) / 20.0
    up = pulse(seconds, 0.1, seconds[-1] - 0.1, 0.8)
    look = 22.0 * up * smooth_noise(frames, random, 3.5, 2.0)
    head = controls.head_turn + np.stack([look, 0.0 * look, 0.0 * look], axis=1)
    prowl = along(seconds, {0.0: _PROWL})
    hands = [blended(hand, prowl, 0.8 * up) for hand in (controls.left_hand, controls.right_hand)]
    return replace(controls, head_turn=head, left_hand=hands[0], right_hand=hands[1])


def crouch_walk(variation: Variation) -> Controls:
    """Walks in a deep crouch."""
    random = variation.random("crouch walk")
    gait = Gait(1.25, 0.62, 0.12, 10.0, lift_m=0.09, strike=-4.0, push=34.0, drop_m=0.28, bob_m=0.01, sway_m=0.03,
                yaw=6.0, lean=46.0, arm_swing=14.0, arm_bend=48.0, arm_bend_forward=6.0, arm_out=16.0)  # fmt: skip
    return along_line(variation, personal(gait, random), 0.62 * variation.amplitude, 4.4)


def limp(variation: Variation) -> Controls:
    """The right leg hurts: a short stand on it, the trunk over it, its foot dragged forward."""
    random = variation.random("limp")
    gait = personal(Gait(1.25, 0.66, lift_m=0.06, bob_m=0.012, arm_swing=13.0, arm_out=11.0, lean=7.0), random)
    steps = steps_in(variation.length(4.6), gait, 6)
    times = timed(variation, gait, steps)
    left, right = alternating(gait, START_S, steps, 1.0)
    hurry = 0.16 * gait.stride_s  # the good leg comes forward early and fast, the bad one has time
    right = [Swing(s.start - hurry, s.end - 0.3 * hurry, s.over_s, 0.95, 0.0, 0.0, 0.45) for s in right]
    left = [replace(s, end=s.end - 0.25 * hurry) for s in left]
    gone = eased_travel(times, START_S - 0.1, times[-1] - REST_S, 0.72 * variation.amplitude, 0.7)
    controls = walked(Path(times, np.stack([0.0 * gone, gone], axis=1), 0.0 * times), gait, (left, right))
    on_bad = sum((pulse(times, s.start - 0.15, s.end + 0.12, 0.22) for s in left), 0.0 * times)
    zero = 0.0 * times
    pelvis = controls.pelvis - np.stack([0.02 * on_bad, 0.035 * on_bad, zero], axis=1)
    chest = controls.chest_turn + np.stack([zero, 5.0 * on_bad, 9.0 * on_bad], axis=1)
    hips = controls.pelvis_turn - np.stack([zero, zero, 4.0 * on_bad], axis=1)
    return replace(controls, pelvis=pelvis, chest_turn=chest, pelvis_turn=hips)


def stagger(variation: Variation) -> Controls:
    """Reels from side to side with steps of uneven length and time."""
    random = variation.random("stagger")
    gait = Gait(1.2, 0.62, 0.11, 10.0, lift_m=0.065, strike=-8.0, push=34.0, drop_m=0.045, sway_m=0.04, yaw=9.0,
                roll=5.0, lean=8.0, arm_swing=15.0, arm_bend=24.0, arm_out=20.0)  # fmt: skip
    steps = steps_in(variation.length(5.0), gait, 6)
    times = timed(variation, gait, steps)
    feet = alternating(gait, START_S, steps, float(random.choice([-1.0, 1.0])))
    uneven = tuple(
        [replace(s, start=s.start + shift, end=s.end + shift, out_m=float(random.uniform(0.0, 0.09)))
         for s, shift in zip(foot, random.uniform(-0.07, 0.07, len(foot)), strict=True)]
        for foot in feet
    )  # fmt: skip
    inside = pulse(times, START_S, times[-1] - REST_S, 0.9)
    reel = inside * smooth_noise(len(times), random, 3.6, 1.8)
    pitch = inside * smooth_noise(len(times), random, 3.0, 1.6)
    gone = eased_travel(times, START_S - 0.1, times[-1] - REST_S, 0.62 * variation.amplitude, 0.8)
    path = Path(times, np.stack([0.14 * reel, gone + 0.06 * pitch], axis=1), 8.0 * np.gradient(reel, times) * inside)
    controls = walked(path, gait, (uneven[0], uneven[1]))
    zero = 0.0 * times
    return replace(
        controls,
        chest_turn=controls.chest_turn + np.stack([4.0 * pitch, 9.0 * pitch + 4.0 * inside, -10.0 * reel], axis=1),
        head_turn=controls.head_turn + np.stack([6.0 * reel, 9.0 * inside - 4.0 * pitch, 7.0 * pitch], axis=1),
        pelvis_turn=controls.pelvis_turn + np.stack([zero, 3.0 * pitch, -3.0 * reel], axis=1),
    )


def climb_stairs(variation: Variation) -> Controls:
    """Goes up steps of 16 to 20 cm, one foot a step."""
    random = variation.random("stairs")
    gait = Gait(1.3, 0.60, 0.10, 6.0, lift_m=0.07, strike=-2.0, push=30.0, drop_m=0.03, bob_m=0.012, sway_m=0.035,
                yaw=5.0, lean=11.0, arm_swing=18.0, arm_bend=28.0, knee_lift=0.03)  # fmt: skip
    gait = personal(gait, random)
    rise, tread = float(random.uniform(0.14, 0.185)), 0.29
    steps = min(max(4, steps_in(variation.length(4.6), gait)), 16)
    times = timed(variation, gait, steps)
    half = 0.5 * gait.stride_s
    # The body rises with each push: a step is gone while the foot that was put on it takes the weight.
    marks = START_S + (1.0 - gait.stance) * gait.stride_s + half * (np.arange(steps - 1) + 0.15)
    share = sum((minimum_jerk((times - mark) / (0.95 * half)) for mark in marks), 0.0 * times)
    gone = eased_travel(times, START_S - 0.1, times[-1] - REST_S, 1.0, 0.5)
    ahead = (steps - 1) * tread * gone / gone[-1]
    feet: tuple[list[Swing], list[Swing]] = ([], [])
    for step in range(steps):
        begin = START_S + step * half
        tread_at, side = min(step + 1, steps - 1), 1.0 - 2.0 * (step % 2)
        place = (side * HOME_X_M, rise * tread_at, tread * tread_at)
        feet[step % 2].append(Swing(begin, begin + (1.0 - gait.stance) * gait.stride_s, None, at=place))
    path = Path(times, np.stack([0.0 * ahead, ahead], axis=1), 0.0 * times, rise * share)
    return walked(path, gait, feet)


ACTIONS = (
    Action(
        "march",
        (
            "a person marches", "someone marches like a soldier", "a man marches with high knees",
            "a woman marches in step", "the person marches forward", "marching on parade", "a soldier marches",
        ),
        ("a person goose-steps along", "someone strides like a guard on parade"),
        march,
        loops=True,
        feet="stepping",
    ),
    Action(
        "tiptoe",
        (
            "a person walks on tiptoe", "someone tiptoes", "a man tiptoes forward", "a woman walks on her toes",
            "the person goes on the tips of their toes", "tiptoeing quietly",
        ),
        ("a ballerina walks on the balls of her feet", "someone walks without using their heels"),
        tiptoe,
        loops=True,
        feet="stepping",
    ),
    Action(
        "sneak",
        (
            "a person sneaks", "someone creeps forward", "a man sneaks up on somebody", "a thief creeps along",
            "the person prowls", "sneaking through the dark",
        ),
        ("a burglar moves along quietly", "someone stalks their prey"),
        sneak,
        loops=True,
        feet="stepping",
        free_arms=False,
    ),
    Action(
        "crouch_walk",
        (
            "a person walks in a crouch", "someone walks crouched down", "a man walks with bent knees, low",
            "a woman moves forward while squatting", "the person walks ducked", "walking under a low ceiling",
        ),
        ("a person stays low while moving ahead", "someone waddles like a duck"),
        crouch_walk,
        loops=True,
        feet="stepping",
    ),
    Action(
        "limp",
        (
            "a person limps", "someone walks with a limp", "a man limps with a hurt leg", "a woman hobbles along",
            "the person walks with an injured foot", "limping forward",
        ),
        ("a person favours one leg while walking", "someone drags a bad leg along"),
        limp,
        loops=True,
        feet="stepping",
    ),
    Action(
        "stagger",
        (
            "a person staggers", "someone stumbles along", "a man reels from side to side", "a woman walks unsteadily",
            "the person totters forward", "staggering about dizzily",
        ),
        ("a person can hardly walk straight", "a zombie lurches along"),
        stagger,
        loops=True,
        feet="stepping",
    ),
    Action(
        "climb_stairs",
        (
            "a person climbs stairs", "someone walks up the stairs", "a man goes upstairs", "a woman climbs steps",
            "the person ascends a staircase", "walking up a flight of stairs",
        ),
        ("a person goes up some steps", "someone mounts the staircase"),
        climb_stairs,
        loops=True,
        feet="stepping",
    ),
)  # fmt: skip
