"""Fighting: a box combination, a front kick, a sword, a bow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.hands import HANG, HandPlace
from backend.make.motion.library.in_place.person import aimed, gripped, person, taken_up
from backend.make.motion.library.in_place.score import SHIFT_S, Score, Step, xyz
from backend.make.motion.library.timing import delayed
from backend.make.motion.puppet import Controls, Foot

_GUARD = HandPlace((-0.14, 0.10, 0.50), (0.5, -1.0, -0.1), 8.0)
_LEAD_GUARD = HandPlace((-0.10, 0.06, 0.60), (0.5, -1.0, -0.1), 8.0)
_BALANCE = HandPlace((0.36, -0.45, 0.52), (0.9, -0.6, -0.6))
_FRONT, _BACK = Step(0.1, 0.5, 0.12, 0.26, -4.0), Step(0.45, 0.8, -0.14, -0.12, -42.0)


def box(v: Variation) -> Controls:
    """Guard, then jabs and crosses out of hip and chest, one after the other; back to the guard after each."""
    random = v.random("box")
    beat, blows = random.uniform(0.50, 0.62) * max(1.0, v.speed / 1.1), int(random.integers(4, 9))
    end = 1.0 + beat * blows
    score = Score(end + 1.2, v, SHIFT_S)
    guard = score.pulse(0.2, end + 0.9, 0.5)
    jab, cross = score.still(), score.still()
    for blow in range(blows):
        start = 1.0 + beat * blow
        strike = score.move({start - 0.16: 0.0, start: -0.10, start + 0.22: 1.0, start + 0.27: 1.0, start + 0.55: 0.0})
        if blow % 2 == 0 or random.uniform() < 0.2:
            jab += strike
        else:
            cross += strike
    bounce = guard * (0.5 - 0.5 * np.cos(2.0 * np.pi * score.time / beat))
    turn = 4.0 * v.amplitude
    controls = person(
        score,
        pelvis=xyz(-0.01 * guard, -0.055 * guard + 0.012 * bounce, 0.07 * guard + 0.04 * (jab + cross)),
        hips=xyz(-24.0 * guard - 1.5 * turn * jab + 6.0 * turn * cross, 5.0 * guard, 0.0),
        chest=xyz(
            -8.0 * guard - 2.5 * turn * delayed(jab, 0.03) + 7.0 * turn * delayed(cross, 0.03),
            9.0 * guard + 4.0 * (jab + cross),
            0.0,
        ),
        head=xyz(30.0 * guard + 4.0 * turn * jab - 11.0 * turn * cross, 2.0 * guard, 0.0),
        left=score.hand({0.15: HANG, 0.8: _LEAD_GUARD, end + 0.2: _LEAD_GUARD, end + 1.0: HANG}),
        right=score.hand({0.15: HANG, 0.8: _GUARD, end + 0.2: _GUARD, end + 1.0: HANG}),
        left_foot=score.out_and_home(1.0, _FRONT, Step(end + 0.45, end + 0.8, 0, 0, 0)),
        right_foot=score.out_and_home(-1.0, _BACK, Step(end + 0.75, end + 1.1, 0, 0, 0)),
    )
    high = 1.36 + random.uniform(-0.08, 0.1)
    controls = aimed(controls, 1.0, (0.02, high, 0.76), 0.96 * jab, v.style)
    return aimed(controls, -1.0, (0.02, high, 0.74), 0.96 * cross, v.style)


def kick(v: Variation) -> Controls:
    """A front kick: the weight goes to the other leg, the knee comes up, the shin snaps out and back."""
    random = v.random("kick")
    high = 0.45 + 0.15 * (v.amplitude - 0.6) + random.uniform(0.0, 0.08)  # below the hip, or the knee bends back
    score = Score(2.9, v)
    x = 0.115
    foot_path = score.move({0.55: (-x, 0.0, 0.0), 0.95: (-0.10, 0.40, 0.06), 1.18: (-0.06, high, 0.68),
                            1.25: (-0.06, high, 0.69), 1.55: (-0.10, 0.38, 0.14), 2.05: (-x, 0.0, 0.0)})  # fmt: skip
    pitch = score.move({0.48: 0.0, 0.68: 30.0, 0.95: 30.0, 1.18: -48.0, 1.3: -42.0, 1.55: 10.0, 1.9: 8.0, 2.05: 0.0})
    pitch = np.where(foot_path[:, 1] > 1e-4, pitch, 0.0)
    up = score.move({0.5: 0.0, 1.0: 1.0, 1.5: 1.0, 2.05: 0.0})
    out = score.move({0.9: 0.0, 1.18: 1.0, 1.26: 1.0, 1.6: 0.0})
    gather = score.pulse(0.05, 2.7, 0.4)
    none = score.still()
    left = score.hand({0.1: HANG, 0.6: _LEAD_GUARD, 1.2: _BALANCE, 1.7: _LEAD_GUARD, 2.6: HANG})
    right = score.hand({0.1: HANG, 0.6: _GUARD, 1.2: HandPlace((0.30, -0.66, -0.15), (0.7, 0.0, -1.0)), 1.7: _GUARD,
                        2.6: HANG})  # fmt: skip
    return person(
        score,
        pelvis=xyz(0.05 * up, -0.02 * gather + 0.01 * up, 0.0),
        hips=xyz(6.0 * up + 8.0 * out, -5.0 * up - 12.0 * out, 0.0),
        chest=xyz(-4.0 * up - 14.0 * out, 6.0 * gather + 9.0 * up, 0.0),
        head=xyz(6.0 * out, 2.0 * up + 4.0 * out, 0.0),
        left=left,
        right=right,
        right_foot=Foot(foot_path, score.still(-9.0) + 6.0 * up, pitch, none),
    )


def swing_sword(v: Variation) -> Controls:
    """Both hands on the grip: drawn back over the shoulder, cut down across the body, back to the middle."""
    random = v.random("swing_sword")
    cuts = int(random.integers(1, 4))
    wind, cut = random.uniform(0.45, 0.6), random.uniform(0.28, 0.36)
    far = 0.6 + 0.4 * v.amplitude
    ready = (0.0, -0.55, 0.58)
    middle: dict[float, tuple[float, float, float]] = {0.75: ready}
    turn: dict[float, float] = {0.3: 0.0, 0.75: 0.0}
    time, side = 0.85, -1.0
    for _ in range(cuts):
        time += wind
        middle[time] = (0.26 * side * far, 0.44, 0.42)
        turn[time] = 30.0 * side * far
        time += cut
        middle[time - 0.35 * cut] = (0.04 * side, 0.10, 0.78)
        middle[time] = (-0.28 * side * far, -0.58, 0.56)
        turn[time] = -26.0 * side * far
        time += 0.22
        middle[time] = (-0.31 * side * far, -0.60, 0.46)
        side = -side
    middle[time + 0.5] = ready
    turn[time + 0.5] = 0.0
    score = Score(time + 1.6, v, SHIFT_S)
    yaw = score.move(turn)
    hold = score.pulse(0.3, time + 1.2, 0.45)
    effort = (delayed(yaw, 0.05) / 30.0) ** 2
    left, right = gripped(score, middle, gap=(0.0, 0.10, 0.16), elbow=(0.9, -0.8, -0.2))
    left, right = taken_up(score, (left, right), 0.75, time + 0.5)
    return person(
        score,
        pelvis=xyz(0.0, -0.05 * hold - 0.03 * effort, 0.06 * hold),
        hips=xyz(0.45 * yaw, 5.0 * hold, 0.0),
        chest=xyz(0.9 * delayed(yaw, 0.04), 8.0 * hold + 5.0 * effort, 0.0),
        head=xyz(-1.1 * yaw, -6.0 * hold, 0.0),
        left=left,
        right=right,
        left_foot=score.out_and_home(1.0, Step(0.15, 0.55, 0.14, 0.22, 6.0), Step(time + 0.6, time + 1.0, 0, 0, 0)),
        right_foot=score.out_and_home(-1.0, Step(0.5, 0.85, -0.14, -0.14, -34.0),
                                      Step(time + 1.0, time + 1.4, 0, 0, 0)),
    )  # fmt: skip


def shoot_bow(v: Variation) -> Controls:
    """Turns the side to the target, lifts the bow arm, draws the string to the cheek, aims, and lets go."""
    random = v.random("shoot_bow")
    aim, high = random.uniform(0.4, 1.1), 1.42 + random.uniform(-0.06, 0.22)
    loose = 2.35 + aim
    end = loose + 0.6
    score = Score(end + 1.5, v, SHIFT_S)
    bow = score.move({0.5: 0.0, 1.3: 1.0, end: 1.0, end + 0.7: 0.0})
    turned = score.move({0.2: 0.0, 1.1: 1.0, end: 1.0, end + 1.0: 0.0})
    drawn = score.move({1.35: 0.0, 2.3: 1.0, loose: 1.02, loose + 0.12: 1.25, end: 1.2, end + 0.4: 0.0})
    string = score.pulse(0.75, end + 0.7, 0.55)
    shake = 0.003 * score.pulse(2.2, loose, 0.1) * score.beat(0.22)
    passing = HandPlace((0.20, -0.55, 0.46), (0.8, -0.5, -0.7))
    hands = {0.2: HANG, 0.7: passing, end + 0.5: passing, end + 1.2: HANG}
    back = Step(end + 0.75, end + 1.25, 0.0, 0.0, 0.0)
    controls = person(
        score,
        pelvis=xyz(0.0, -0.025 * turned, 0.05 * turned),
        hips=xyz(-34.0 * turned, 1.0 * turned, 0.0),
        chest=xyz(-34.0 * turned, -2.0 * turned - 3.0 * drawn, 0.0),
        head=xyz(62.0 * turned, -3.0 * turned, 0.0),
        left=score.hand(hands),
        right=score.hand(hands),
        left_foot=score.out_and_home(1.0, Step(0.1, 0.5, 0.11, 0.22, -6.0), Step(end + 0.3, end + 0.75, 0.0, 0.0, 0.0)),
        right_foot=score.out_and_home(-1.0, Step(0.5, 0.95, -0.13, -0.14, -58.0), back),
    )
    controls = aimed(controls, 1.0, xyz(0.10 + shake, high, 0.72), 0.98 * bow, v.style)
    cheek = xyz(-0.06 - 0.04 * drawn, high, 0.55 - (0.34 + 0.05 * v.amplitude) * drawn)
    controls = aimed(controls, -1.0, cheek, 0.98 * string, v.style)
    right = controls.right_hand
    out = right.elbow + (0.9 * string)[:, None] * (np.array([1.0, 0.15, -0.5]) - right.elbow)
    return replace(controls, right_hand=replace(right, elbow=out))


ACTIONS = (
    Action(
        "box",
        (
            "a person boxes",
            "a person punches",
            "someone throws a few punches",
            "a boxer throws a jab and a cross",
            "a person shadow boxes",
            "a person fights with the fists",
            "a man punches the air with both fists",
        ),
        ("a fighter lands a combination", "someone hits a punching bag", "a woman is boxing"),
        box,
        feet="stepping",
        free_arms=False,
    ),
    Action(
        "kick",
        (
            "a person kicks",
            "a person does a front kick",
            "someone kicks with one leg",
            "a person kicks a ball",
            "a fighter kicks forward",
            "a person raises a knee and kicks out",
        ),
        ("someone boots a door", "a karate fighter strikes with the foot", "a woman kicks hard in front of her"),
        kick,
        feet="stepping",
        free_arms=False,
    ),
    Action(
        "swing_sword",
        (
            "a person swings a sword",
            "a knight swings his sword",
            "someone slashes with a sword",
            "a person strikes with a sword held in both hands",
            "a warrior attacks with a blade",
            "a samurai cuts with his sword",
        ),
        ("a swordsman hacks at an enemy", "someone fights with a long blade", "a fighter makes two slashes"),
        swing_sword,
        feet="stepping",
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "shoot_bow",
        (
            "a person shoots a bow",
            "an archer shoots an arrow",
            "someone draws a bow and lets go",
            "a person aims with bow and arrow",
            "a hunter shoots with a longbow",
            "a person pulls back a bowstring and releases it",
        ),
        ("an elf looses an arrow", "somebody practises archery", "a bowman fires at the enemy"),
        shoot_bow,
        feet="stepping",
        free_arms=False,
        close_hands=True,
    ),
)  # fmt: skip
