"""Hands on things: pick up from the floor, drink, phone, throw, push, pull."""

from __future__ import annotations

import numpy as np

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.hands import HANG, HandPlace, blended
from backend.make.motion.library.in_place.person import aimed, hanging, lifted, person, swayed
from backend.make.motion.library.in_place.score import SHIFT_S, Score, Step, xyz
from backend.make.motion.library.timing import delayed
from backend.make.motion.puppet import Controls

_AT_BELLY = HandPlace((0.02, -0.50, 0.52), (0.9, -0.4, -0.9), 8.0)
_ON_KNEE = HandPlace((0.02, -0.70, 0.52), (1.0, 0.2, -0.6), 10.0)
_AT_MOUTH = HandPlace((-0.16, 0.26, 0.45), (0.9, -0.9, 0.1), 12.0)
_AT_EAR = HandPlace((0.0, 0.31, 0.27), (0.9, -1.0, 0.2), 8.0)
_BEHIND = HandPlace((0.52, 0.24, -0.40), (0.8, -0.3, -0.9), -25.0)
_RELEASE = HandPlace((0.10, 0.36, 0.88), (0.8, -0.8, 0.1), 20.0)
_THROUGH = HandPlace((-0.30, -0.52, 0.66), (0.9, -0.2, -0.3), 25.0)
_COUNTER = HandPlace((0.14, 0.06, 0.82), (0.8, -0.9, -0.2))


def pick_up(v: Variation) -> Controls:
    """Looks down, folds hips and knees, takes a thing from the floor with one hand, and looks at it, standing."""
    random = v.random("pick_up")
    far, aside = random.uniform(0.30, 0.40), random.uniform(-0.26, -0.12)
    score = Score(4.0, v)
    depth = score.move({0.3: 0.0, 1.35: 1.0, 1.7: 1.0, 2.8: 0.0})
    grasp = score.move({0.55: 0.0, 1.30: 1.0, 1.70: 1.0, 2.25: 0.0})
    lean = 62.0 * depth
    keys = {1.3: HANG, 1.9: lifted(_AT_BELLY, (0.1, -0.25, 0.0)), 2.75: _AT_BELLY, 3.1: _AT_BELLY, 3.8: HANG}
    right = blended(hanging(score, 0.95 * lean), score.hand(keys), score.move({1.5: 0.0, 2.2: 1.0}))
    left = score.hand({0.4: HANG, 1.25: _ON_KNEE, 1.75: _ON_KNEE, 2.7: HANG})
    look = score.move({0.0: 0.0, 0.4: 1.0, 1.7: 0.4, 2.7: 1.0, 3.1: 1.0, 3.7: 0.0})
    controls = person(
        score,
        pelvis=xyz(-0.02 * depth, -0.33 * depth, -0.14 * depth),
        hips=xyz(4.0 * depth, 0.60 * lean, 0.0),
        chest=xyz(8.0 * depth, 0.40 * lean, 5.0 * depth),
        head=xyz(-6.0 * look, 16.0 * look - 18.0 * depth, 0.0),
        left=left,
        right=right,
    )
    return aimed(controls, -1.0, (aside, 0.15, far), grasp, v.style)


def drink(v: Variation) -> Controls:
    """Lifts a cup from the belly to the mouth, tips head and hand, swallows, and lowers it again."""
    random = v.random("drink")
    gulps = int(random.integers(1, 4))
    end = 1.65 + 0.55 * gulps
    score = Score(end + 2.0, v)
    cup = lifted(_AT_BELLY, (0.02, random.uniform(-0.06, 0.10), 0.02))
    keys = {0.1: HANG, 0.65: cup, 0.85: cup, 1.5: _AT_MOUTH, end: _AT_MOUTH, end + 0.6: cup, end + 0.9: cup,
            end + 1.6: HANG}  # fmt: skip
    tip = score.move({1.2: 0.0, 1.8: 1.0, end - 0.1: 1.1, end + 0.35: 0.0}) * v.amplitude
    gulp = score.pulse(1.6, end, 0.3) * score.beat(0.55, 1.5)
    raised = xyz(-0.02 * tip, 0.07 * tip + 0.012 * gulp, 0.01 * tip)
    return person(
        score,
        pelvis=xyz(0.0, 0.0, 0.01 * tip),
        chest=xyz(0.0, -5.0 * tip, -1.0 * tip),
        head=xyz(0.0, 5.0 * score.pulse(0.5, 1.4) - 17.0 * tip - 1.0 * gulp, 0.0),
        right=swayed(score.hand(keys), raised, 10.0 * tip),
    )


def phone(v: Variation) -> Controls:
    """Holds a phone at the ear, shifts the weight now and then, nods, and talks with the free hand."""
    random = v.random("phone")
    seconds = v.length(random.uniform(5.0, 8.0))
    score = Score(seconds, v)
    end = seconds - 1.2
    listening = score.move({0.5: 0.0, 1.1: 1.0, end: 1.0, end + 0.8: 0.0})
    keys = {0.1: HANG, 0.55: lifted(_AT_BELLY, (0.12, 0.1, 0.0)), 1.1: _AT_EAR, end: _AT_EAR,
            end + 0.5: lifted(_AT_BELLY, (0.12, 0.05, 0.0)), end + 1.05: HANG}  # fmt: skip
    sway = score.pulse(0.8, end + 0.6, 0.6) * score.beat(random.uniform(2.6, 4.2)) * v.amplitude
    talk = score.pulse(1.6, end, 0.5) * np.clip(score.beat(random.uniform(2.2, 3.2), 1.6), 0.0, 1.0) ** 0.7
    stress = talk * score.beat(random.uniform(0.5, 0.7))
    gesture = HandPlace((0.20, -0.42, 0.54), (0.7, -0.8, -0.8), -8.0)
    left = blended(score.hand({0.0: HANG}), score.hand({0.0: gesture}), 0.9 * talk)
    nod = 3.0 * stress + 3.0 * score.pulse(1.2, end, 0.5) * score.beat(1.1)
    return person(
        score,
        pelvis=xyz(0.025 * sway, 0.0, 0.0),
        hips=xyz(-3.0 * sway, 0.0, 1.5 * sway),
        chest=xyz(5.0 * sway, 2.0 * listening, -2.0 * sway),
        head=xyz(-4.0 * listening + 5.0 * delayed(sway, 0.2), 4.0 * listening + nod, 9.0 * listening),
        left=swayed(left, xyz(0.04 * stress, 0.06 * stress, 0.05 * stress), 10.0 * stress),
        right=score.hand(keys),
    )


def throw(v: Variation) -> Controls:
    """Turns away and draws the arm back, steps in; hips, chest, arm and hand whip through one after another."""
    random = v.random("throw")
    score = Score(3.2, v)
    far = 0.65 + 0.35 * v.amplitude
    high = random.uniform(-0.15, 0.15)
    wind = score.move({0.2: 0.0, 0.95: 1.0, 1.15: 1.05, 1.45: -1.0, 1.65: -1.1, 2.7: 0.0}) * far
    keys = {0.15: HANG, 0.5: lifted(_AT_BELLY, (0.2, 0.05, 0.0)), 0.95: _BEHIND,
            1.18: lifted(_BEHIND, (0.04, 0.08, -0.02)),
            1.42: lifted(_RELEASE, (0.0, high, 0.0)), 1.68: _THROUGH, 1.85: lifted(_THROUGH, (0.0, -0.08, -0.08)),
            2.8: HANG}  # fmt: skip
    left = {
        0.15: HANG,
        0.95: _COUNTER,
        1.2: _COUNTER,
        1.55: HandPlace((0.34, -0.58, 0.06), (0.7, 0.0, -1.0)),
        2.6: HANG,
    }
    drive = score.move({0.5: 0.0, 1.0: -0.4, 1.45: 1.0, 1.9: 1.0, 2.7: 0.0})
    return person(
        score,
        pelvis=xyz(0.0, -0.05 * score.pulse(0.3, 2.6, 0.5), 0.10 * drive),
        hips=xyz(-26.0 * wind, 4.0 * drive, 0.0),
        chest=np.stack(
            [-26.0 * delayed(wind, 0.06), -4.0 + 12.0 * drive + 4.0 * (1.0 - np.abs(drive)), -5.0 * wind], axis=1
        ),
        head=xyz(44.0 * wind, -3.0 * drive, 0.0),
        left=score.hand(left),
        right=score.hand(keys),
        left_foot=score.out_and_home(1.0, Step(0.85, 1.25, 0.13, 0.34, 4.0, 0.09), Step(2.1, 2.6, 0, 0, 0)),
    )


def push(v: Variation) -> Controls:
    """Sets one foot back, lays both hands on something heavy, and leans into it with straight arms, again and again."""
    random = v.random("push")
    period, times = random.uniform(1.3, 1.8), int(random.integers(1, 4))
    end = 1.4 + period * times
    score = Score(end + 1.7, v, SHIFT_S)
    keys: dict[float, float] = {1.3: 0.0}
    for turn in range(times):
        start = 1.4 + period * turn
        keys |= {start + 0.35 * period: 1.0, start + 0.7 * period: 1.05, start + period: 0.15}
    keys[end + 0.5] = 0.0
    effort = score.move(keys) * (0.6 + 0.4 * v.amplitude)
    lean = score.pulse(0.4, end + 1.0, 0.6)
    near = HandPlace((-0.02, 0.04, 0.54), (0.8, -0.9, -0.4), -30.0)
    far = HandPlace((-0.06, 0.34, 0.86), (0.8, -0.9, -0.2), -40.0)
    contact = score.hand({0.2: HANG, 0.7: lifted(_AT_BELLY, (0.06, 0.0, 0.0)), 1.2: near, end + 0.2: near,
                          end + 0.7: lifted(_AT_BELLY, (0.06, 0.0, 0.0)), end + 1.3: HANG})  # fmt: skip
    hand = blended(contact, score.hand({0.0: far}), np.clip(effort, 0.0, 1.0))
    shake = 0.004 * effort * score.beat(0.21)
    return person(
        score,
        pelvis=xyz(shake, -0.09 * lean - 0.03 * effort, 0.05 * lean + 0.06 * effort),
        hips=xyz(0.0, 9.0 * lean + 9.0 * effort, 0.0),
        chest=xyz(0.0, 8.0 * lean + 7.0 * effort, 0.0),
        head=xyz(0.0, -6.0 * lean + 8.0 * effort, 0.0),
        left=hand,
        right=hand,
        left_foot=score.out_and_home(1.0, Step(0.15, 0.6, 0.12, 0.20, 6.0), Step(end + 0.65, end + 1.0, 0, 0, 0)),
        right_foot=score.out_and_home(-1.0, Step(0.6, 1.05, -0.13, -0.28, -18.0),
                                      Step(end + 1.05, end + 1.5, 0, 0, 0)),
    )  # fmt: skip


def pull(v: Variation) -> Controls:
    """Takes hold of a rope in front, sinks back and draws it in with both hands, reaches out again."""
    random = v.random("pull")
    period, times = random.uniform(1.2, 1.7), int(random.integers(2, 5))
    end = 1.4 + period * times
    score = Score(end + 1.7, v, SHIFT_S)
    keys: dict[float, float] = {1.25: 0.0}
    for turn in range(times):
        start = 1.35 + period * turn
        keys |= {start + 0.55 * period: 1.0, start + 0.65 * period: 1.0, start + period: 0.0}
    effort = score.move(keys) * (0.6 + 0.4 * v.amplitude)
    hold = score.pulse(0.4, end + 1.0, 0.6)
    out = HandPlace((-0.22, -0.16, 0.86), (0.8, -0.9, -0.3), 10.0)
    back = HandPlace((0.02, -0.40, 0.40), (0.9, -0.2, -1.0), 14.0)
    contact = score.hand({0.2: HANG, 0.7: lifted(_AT_BELLY, (0.06, 0.0, 0.1)), 1.2: out, end + 0.2: out,
                          end + 0.7: lifted(_AT_BELLY, (0.06, 0.0, 0.0)), end + 1.3: HANG})  # fmt: skip
    right = blended(contact, score.hand({0.0: back}), np.clip(effort, 0.0, 1.0))
    left = swayed(right, xyz(0.0, 0.0, 0.14 * hold * (1.0 - 0.4 * effort)) * 0.5)
    return person(
        score,
        pelvis=xyz(0.0, -0.10 * hold - 0.05 * effort, -0.04 * hold - 0.13 * effort),
        hips=xyz(-6.0 * hold, 14.0 * hold - 12.0 * effort, 0.0),
        chest=xyz(-6.0 * effort, 12.0 * hold - 16.0 * effort, 0.0),
        head=xyz(10.0 * hold, -8.0 * hold + 8.0 * effort, 0.0),
        left=left,
        right=right,
        left_foot=score.out_and_home(1.0, Step(0.15, 0.6, 0.13, 0.24, 4.0), Step(end + 0.65, end + 1.0, 0, 0, 0)),
        right_foot=score.out_and_home(-1.0, Step(0.6, 1.05, -0.14, -0.24, -30.0),
                                      Step(end + 1.05, end + 1.5, 0, 0, 0)),
    )  # fmt: skip


ACTIONS = (
    Action(
        "pick_up",
        (
            "a person picks something up from the floor",
            "a person bends down and picks up an object",
            "someone picks up a thing from the ground",
            "a person reaches down to the floor with one hand",
            "a person stoops to pick up a coin",
            "a man lifts a small object off the ground",
        ),
        ("somebody collects a dropped key", "a woman bends to get her glove off the floor", "a child gathers a stone"),
        pick_up,
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "drink",
        (
            "a person drinks",
            "a person drinks from a cup",
            "someone takes a sip from a glass",
            "a person raises a bottle to the mouth and drinks",
            "a thirsty person drinks water",
            "a man drinks a cup of coffee",
        ),
        ("somebody sips tea", "a woman empties her glass", "a knight gulps down a mug of beer"),
        drink,
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "phone",
        (
            "a person talks on the phone",
            "a person holds a phone to the ear",
            "someone makes a phone call",
            "a person stands and talks on a cell phone",
            "a man answers the telephone",
            "a person has a conversation on the phone",
        ),
        ("somebody is calling a friend on a mobile", "a woman takes a call", "a businessman is on the telephone"),
        phone,
        loops=True,
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "throw",
        (
            "a person throws something",
            "a person throws a ball",
            "someone throws an object overhand",
            "a pitcher throws a baseball",
            "a person hurls a stone far away",
            "a person winds up and throws with one arm",
        ),
        ("somebody tosses a rock", "a player pitches the ball", "a warrior flings a spear"),
        throw,
        feet="stepping",
        free_arms=False,
    ),
    Action(
        "push",
        (
            "a person pushes something heavy",
            "a person pushes with both hands",
            "someone pushes against a wall",
            "a person leans forward and pushes a box",
            "a man pushes a heavy door open",
            "a person shoves an object with both arms",
        ),
        ("somebody shoves a crate", "a worker presses hard against a cart", "a woman is pushing a stuck car"),
        push,
        feet="stepping",
        free_arms=False,
    ),
    Action(
        "pull",
        (
            "a person pulls a rope",
            "a person pulls something with both hands",
            "someone pulls hard and leans back",
            "a person drags a heavy thing towards the body",
            "a man hauls on a rope",
            "a person plays tug of war",
        ),
        ("a sailor heaves on a line", "somebody tugs with both arms", "a fisher draws in a net hand over hand"),
        pull,
        feet="stepping",
        free_arms=False,
        close_hands=True,
    ),
)  # fmt: skip
