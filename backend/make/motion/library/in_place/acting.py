"""Small scenes for an actor: laugh, think, stand with the hands on the hips, blow a kiss, hide from something."""

from __future__ import annotations

import numpy as np

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.hands import HANG, ON_HIP, HandPlace
from backend.make.motion.library.in_place.person import lifted, person, swayed
from backend.make.motion.library.in_place.score import Score, xyz
from backend.make.motion.library.timing import delayed
from backend.make.motion.puppet import Controls

_ON_BELLY = HandPlace((-0.16, -0.60, 0.42), (1.0, -0.1, -0.6), 14.0)
_AT_CHIN = HandPlace((-0.18, 0.14, 0.46), (0.7, -1.0, 0.1), 12.0)
_UNDER_ELBOW = HandPlace((-0.40, -0.50, 0.46), (1.0, -0.5, -0.4), 8.0)
_AT_LIPS = HandPlace((-0.18, 0.22, 0.46), (0.8, -1.0, 0.1), 10.0)
_KISS_GIVEN = HandPlace((0.12, 0.10, 0.88), (0.7, -1.0, -0.1), -25.0)
_BEFORE_FACE = HandPlace((-0.16, 0.34, 0.60), (0.9, -0.7, 0.2), -20.0)
_ARMS_UP = HandPlace((-0.02, 0.44, 0.56), (1.0, -0.6, 0.2), -20.0)


def laugh(v: Variation) -> Controls:
    """Bursts of laughter shake the shoulders; the head goes back, then the body folds over the hands on the belly."""
    random = v.random("laugh")
    seconds = v.length(random.uniform(4.0, 6.5))
    score = Score(seconds, v)
    end = seconds - 1.1
    mirth = score.pulse(0.1, end + 0.6, 0.6)
    fold = mirth * (0.5 - 0.5 * np.cos(2.0 * np.pi * np.clip(score.time - 0.6, 0.0, None) / random.uniform(1.9, 2.6)))
    shake = mirth * (0.45 + 0.55 * np.abs(score.beat(1.8))) * score.beat(random.uniform(0.20, 0.25)) * v.amplitude
    keys = {0.1: HANG, 0.6: lifted(_ON_BELLY, (0.22, 0.0, 0.06)), 1.0: _ON_BELLY, end: _ON_BELLY,
            end + 0.45: lifted(_ON_BELLY, (0.22, 0.0, 0.06)), end + 1.0: HANG}  # fmt: skip
    return person(
        score,
        pelvis=xyz(0.0, -0.012 * mirth - 0.03 * fold + 0.003 * shake, -0.02 * fold),
        hips=xyz(0.0, 9.0 * fold * v.amplitude, 0.0),
        chest=xyz(2.0 * score.beat(2.9) * mirth, -7.0 * mirth + 24.0 * fold * v.amplitude + 1.6 * shake, 0.0),
        head=xyz(0.0, -13.0 * mirth + 16.0 * delayed(fold, 0.1) + 1.5 * delayed(shake, 0.05), 0.0),
        left=swayed(score.hand(keys), xyz(0.0, 0.010 * shake, 0.0)),
        right=swayed(score.hand(keys, 0.05), xyz(0.0, 0.010 * shake, 0.0)),
    )


def think(v: Variation) -> Controls:
    """One hand goes to the chin, the other arm under its elbow; the head tilts, looks up and down again."""
    random = v.random("think")
    seconds = v.length(random.uniform(4.0, 7.0))
    score = Score(seconds, v)
    end = seconds - 1.2
    deep = score.move({0.3: 0.0, 1.1: 1.0, end: 1.0, seconds: 0.0})
    drift = deep * score.beat(random.uniform(2.8, 4.2)) * v.amplitude
    passing = HandPlace((0.10, -0.45, 0.55), (0.9, -0.6, -0.7))
    right = {0.1: HANG, 0.6: passing, 1.1: _AT_CHIN, end: _AT_CHIN, end + 0.5: passing, end + 1.1: HANG}
    left = {0.1: HANG, 0.6: lifted(passing, (0.0, -0.1, 0.0)), 1.1: _UNDER_ELBOW, end: _UNDER_ELBOW,
            end + 0.5: lifted(passing, (0.0, -0.1, 0.0)), end + 1.1: HANG}  # fmt: skip
    tap = 0.012 * score.pulse(1.4, end, 0.4) * np.clip(score.beat(2.1), 0.0, 1.0) * score.beat(0.4)
    return person(
        score,
        pelvis=xyz(0.03 * deep, -0.004 * deep, 0.0),
        hips=xyz(-2.0 * deep, 0.0, 1.5 * deep),
        chest=xyz(2.0 * drift, 5.0 * deep, -2.0 * deep),
        head=xyz(8.0 * drift, 7.0 * deep - 7.0 * np.clip(drift, 0.0, 1.0), 5.0 * deep),
        left=score.hand(left, 0.06),
        right=swayed(score.hand(right), xyz(0.0, tap, 0.0)),
    )


def hands_on_hips(v: Variation) -> Controls:
    """Both hands go onto the hips, elbows out, and the weight shifts from leg to leg."""
    random = v.random("hands_on_hips")
    seconds = v.length(random.uniform(4.0, 7.0))
    score = Score(seconds, v)
    end = seconds - 1.0
    held = score.pulse(0.2, end + 0.7, 0.6)
    sway = held * score.beat(random.uniform(2.6, 4.4)) * v.amplitude
    passing = HandPlace((0.36, -0.76, 0.14), (0.9, 0.0, -0.8), 12.0)
    keys = {0.1: HANG, 0.45: passing, 0.85: ON_HIP, end: ON_HIP, end + 0.35: passing, end + 0.85: HANG}
    return person(
        score,
        pelvis=xyz(0.035 * sway, -0.004 * held, 0.0),
        hips=xyz(-2.0 * sway, 0.0, 2.0 * sway),
        chest=xyz(3.0 * sway, -4.0 * held, -3.0 * sway),
        head=xyz(7.0 * delayed(sway, 0.3), 2.0 * held, 2.0 * sway),
        left=score.hand(keys),
        right=score.hand(keys, 0.06),
    )


def blow_kiss(v: Variation) -> Controls:
    """The fingers go to the lips, wait, and fly forwards and open; the head follows and the arm sinks."""
    random = v.random("blow_kiss")
    hold = random.uniform(0.4, 1.0)
    score = Score(hold + 2.6, v)
    give = 1.25
    passing = HandPlace((0.12, -0.40, 0.55), (0.9, -0.7, -0.6))
    given = lifted(_KISS_GIVEN, (random.uniform(-0.08, 0.12), random.uniform(-0.06, 0.2), -0.04))
    sent = give + 0.35 + hold
    keys = {0.1: HANG, 0.45: passing, 0.85: _AT_LIPS, give - 0.1: _AT_LIPS, give + 0.35: given, sent: given,
            sent + 0.4: passing, sent + 0.9: HANG}  # fmt: skip
    kiss = score.move({0.5: 0.0, 0.95: 1.0, give: 1.0, give + 0.35: 0.0})
    gift = v.amplitude * score.move({give - 0.05: 0.0, give + 0.35: 1.0, sent: 1.0, sent + 0.65: 0.0})
    return person(
        score,
        pelvis=xyz(0.02 * kiss, 0.0, 0.025 * gift),
        hips=xyz(-2.0 * kiss + 3.0 * gift, 2.0 * gift, 0.0),
        chest=xyz(-3.0 * kiss + 8.0 * gift, 3.0 * kiss + 2.0 * gift, 0.0),
        head=xyz(2.0 * kiss - 4.0 * gift, 7.0 * kiss - 5.0 * gift, 6.0 * gift),
        right=score.hand(keys),
    )


def cower(v: Variation) -> Controls:
    """Starts, ducks away with bent knees and both arms before the head, trembles there, and comes up again."""
    random = v.random("cower")
    hold, side = random.uniform(0.8, 2.0), float(random.choice([-1.0, 1.0]))
    score = Score(hold + 2.6, v)
    end = 0.75 + hold
    duck = score.move({0.1: 0.0, 0.2: -0.08, 0.7: 1.0, end: 0.95, end + 1.4: 0.0})
    shiver = score.pulse(0.7, end + 0.2, 0.2) * score.beat(0.19) * v.amplitude
    keys = {0.1: HANG, 0.42: lifted(_BEFORE_FACE, (0.2, -0.3, -0.1)), 0.72: _ARMS_UP, end: _ARMS_UP,
            end + 0.5: lifted(_BEFORE_FACE, (0.2, -0.5, -0.1)), end + 1.3: HANG}  # fmt: skip
    low = duck * (0.7 + 0.3 * v.amplitude)
    return person(
        score,
        pelvis=xyz(-0.02 * side * low, -0.17 * low, -0.07 * low),
        hips=xyz(8.0 * side * low, 14.0 * low, 0.0),
        chest=xyz(10.0 * side * low + 0.5 * shiver, 18.0 * low + 0.6 * shiver, 3.0 * side * low),
        head=xyz(8.0 * side * low, 14.0 * low, 4.0 * side * low),
        left=swayed(score.hand(keys), xyz(0.008 * shiver, 0.010 * shiver, 0.0)),
        right=swayed(score.hand(keys, 0.05), xyz(0.008 * shiver, 0.010 * shiver, 0.0)),
    )


ACTIONS = (
    Action(
        "laugh",
        (
            "a person laughs",
            "a person laughs out loud",
            "someone laughs and holds their belly",
            "a person bends over with laughter",
            "a man laughs heartily at a joke",
            "a person shakes with laughter",
        ),
        ("somebody cracks up", "a woman is laughing", "a jester giggles and holds his stomach"),
        laugh,
        loops=True,
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "think",
        (
            "a person thinks",
            "a person thinks with a hand on the chin",
            "someone ponders with the chin in the hand",
            "a person considers something",
            "a thoughtful person rubs the chin",
            "a man stands in thought",
        ),
        ("a philosopher reflects on a question", "somebody is lost in thought", "a detective ponders the case"),
        think,
        loops=True,
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "hands_on_hips",
        (
            "a person puts the hands on the hips",
            "a person stands with both hands on the hips",
            "someone stands with arms akimbo",
            "a person rests the hands on the waist",
            "an impatient person waits with hands on hips",
            "a superhero poses with the fists on the hips",
        ),
        ("a woman sets her hands on her waist", "a coach stands arms akimbo", "somebody poses with elbows out"),
        hands_on_hips,
        loops=True,
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "blow_kiss",
        (
            "a person blows a kiss",
            "a person throws a kiss with the hand",
            "someone kisses their hand and blows it away",
            "an actress blows kisses to the audience",
            "a person sends a kiss through the air",
            "a person puts the fingers to the lips and blows a kiss",
        ),
        ("a singer sends kisses to her fans", "somebody blows his love a kiss", "a lover tosses a kiss goodbye"),
        blow_kiss,
        free_arms=False,
        close_hands=True,
    ),
    Action(
        "cower",
        (
            "a person cowers",
            "a person ducks and covers the head",
            "someone shields the face with both arms",
            "a person flinches and protects the head",
            "a frightened person cowers before a monster",
            "a person crouches in terror with the arms up",
        ),
        ("somebody recoils from a blow", "a woman takes cover behind her arms", "a coward hides his face from danger"),
        cower,
        free_arms=False,
        close_hands=True,
    ),
)  # fmt: skip
