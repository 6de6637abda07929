"""What a feeling does to the body: cheer, clap, cry, shrug, pray."""

from __future__ import annotations

import numpy as np

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.hands import HANG, HandPlace
from backend.make.motion.library.in_place.person import lifted, person, swayed
from backend.make.motion.library.in_place.score import Score, xyz
from backend.make.motion.library.timing import delayed
from backend.make.motion.puppet import Controls

_UP = HandPlace((0.34, 0.84, 0.16), (1.0, -0.4, -0.4))
_BY_SHOULDER = HandPlace((0.34, 0.10, 0.42), (1.0, -0.9, -0.4), 20.0)
_TOGETHER = HandPlace((-0.285, -0.30, 0.60), (1.0, -0.75, -0.4), -30.0)
_PALMS_UP = HandPlace((0.34, -0.46, 0.44), (0.35, -1.0, -0.9), -12.0)
_IN_FACE = HandPlace((-0.20, 0.22, 0.50), (0.9, -1.0, 0.1), 6.0)
_PRAYING = HandPlace((-0.285, -0.06, 0.47), (1.0, -1.1, -0.1), -18.0)


def cheer(v: Variation) -> Controls:
    """Crouches a little, throws both arms up and pumps them, bouncing on the toes."""
    random = v.random("cheer")
    period, pumps = random.uniform(0.45, 0.65), int(random.integers(2, 6))
    end = 0.7 + period * pumps
    score = Score(end + 1.0, v)
    up = score.move({0.25: 0.0, 0.7: 1.0, end: 1.0, end + 0.8: 0.0})
    pump = score.pulse(0.6, end + 0.1, 0.25) * (0.5 - 0.5 * np.cos(2.0 * np.pi * (score.time - 0.7) / period))
    dip = score.move({0.0: 0.0, 0.28: 1.0, 0.62: 0.0})
    keys = {0.08: HANG, 0.28: lifted(HANG, (0.06, 0.12, 0.06)), 0.48: _BY_SHOULDER, 0.72: _UP, end: _UP,
            end + 0.4: _BY_SHOULDER, end + 0.9: HANG}  # fmt: skip
    sink = v.amplitude * xyz(0.06 * pump, -0.30 * pump, 0.10 * pump)
    return person(
        score,
        pelvis=xyz(0.0, -0.085 * dip - 0.035 * v.amplitude * pump, 0.0),
        hips=xyz(0.0, 6.0 * dip, 0.0),
        chest=xyz(0.0, 9.0 * dip - 8.0 * up + 4.0 * delayed(pump, 0.05), 0.0),
        head=xyz(0.0, -3.0 * dip - 8.0 * up, 0.0),
        left=swayed(score.hand(keys), sink, 14.0 * pump),
        right=swayed(score.hand(keys, 0.06), delayed(sink, 0.03), 14.0 * pump),
    )


def clap(v: Variation) -> Controls:
    """Both hands come up in front of the chest and strike each other again and again."""
    random = v.random("clap")
    period, high = random.uniform(0.30, 0.46), random.uniform(-0.10, 0.28)
    seconds = v.length(1.4 + period * int(random.integers(4, 12)))
    score = Score(seconds, v)
    end = seconds - 0.7
    strike = (score.time - 0.55) / period
    apart = score.pulse(0.35, end + 0.1, 0.2) * (0.5 - 0.5 * np.cos(2.0 * np.pi * strike)) ** 1.4
    meet = lifted(_TOGETHER, (0.0, high, -0.05 * abs(high)))
    passing = HandPlace((0.06, -0.55, 0.52), (1.0, -0.5, -0.7))
    keys = {0.0: HANG, 0.3: passing, 0.55: meet, end: meet, end + 0.3: passing, end + 0.65: HANG}
    open_ = xyz(0.24 * apart, -0.02 * apart, 0.03 * apart) * v.amplitude
    nod = score.pulse(0.3, end + 0.3, 0.3) * np.cos(2.0 * np.pi * (strike - 0.1))
    return person(
        score,
        pelvis=xyz(0.0, -0.004 * nod, 0.0),
        chest=xyz(0.0, 1.2 * nod, 0.0),
        head=xyz(0.0, 1.5 * delayed(nod, 0.06) - 8.0 * high * score.pulse(0.2, end + 0.5), 0.0),
        left=swayed(score.hand(keys), open_),
        right=swayed(score.hand(keys), open_),
    )


def cry(v: Variation) -> Controls:
    """Sinks in, hides the face in both hands, and the shoulders shake in bursts."""
    random = v.random("cry")
    seconds = v.length(random.uniform(4.5, 7.0))
    score = Score(seconds, v)
    end = seconds - 1.2
    sad = score.move({0.0: 0.0, 0.9: 1.0, end: 1.0, seconds: 0.0})
    burst = np.clip(0.35 + score.beat(random.uniform(1.6, 2.4), random.uniform(0.0, 1.0)), 0.0, 1.0)
    sob = sad * burst * score.beat(random.uniform(0.26, 0.34))
    face = lifted(_IN_FACE, (0.0, -0.12 * (v.amplitude - 1.0), 0.05 * (v.amplitude - 1.0)))
    passing = HandPlace((0.06, -0.50, 0.50), (0.9, -0.6, -0.6))
    keys = {0.1: HANG, 0.55: passing, 0.95: face, end: face, end + 0.5: passing, end + 1.1: HANG}
    shake = xyz(0.006 * sob, 0.022 * sob, 0.0)
    deep = 0.7 + 0.3 * v.amplitude
    return person(
        score,
        pelvis=xyz(0.0, -0.02 * sad + 0.004 * sob, -0.02 * sad),
        hips=xyz(0.0, 4.0 * sad, 0.0),
        chest=xyz(0.0, 17.0 * deep * sad + 1.8 * sob, 0.0),
        head=xyz(3.0 * sad * score.beat(3.1), 20.0 * deep * sad + 1.0 * delayed(sob, 0.05), 0.0),
        left=swayed(score.hand(keys), shake),
        right=swayed(score.hand(keys, 0.06), shake),
    )


def shrug(v: Variation) -> Controls:
    """The forearms turn out with open hands, the shoulders come up, the head tilts, all falls back."""
    random = v.random("shrug")
    hold, side = random.uniform(0.3, 0.9), random.choice([-1.0, 1.0])
    score = Score(hold + 1.9, v)
    end = 0.65 + hold
    up = score.move({0.1: -0.08, 0.62: 1.0, end: 0.94, end + 0.5: -0.05, end + 0.85: 0.0})
    palms = lifted(_PALMS_UP, (0.08 * (v.amplitude - 1.0), 0.10 * (v.amplitude - 1.0), 0.0))
    keys = {0.1: HANG, 0.4: HandPlace((0.20, -0.68, 0.44), (0.4, -0.8, -1.0), 5.0), 0.7: palms,
            end: lifted(palms, (0.02, -0.02, 0.0)), end + 0.6: HANG}  # fmt: skip
    return person(
        score,
        pelvis=xyz(0.012 * side * up, 0.004 * up, 0.0),
        chest=xyz(0.0, -4.0 * up, 2.0 * side * up),
        head=xyz(-4.0 * side * up, 2.0 * up, -9.0 * side * up),
        left=score.hand(keys),
        right=score.hand(keys, 0.06),
    )


def pray(v: Variation) -> Controls:
    """The palms meet before the chest, the head bows, and stays so, breathing slowly."""
    random = v.random("pray")
    seconds = v.length(random.uniform(3.5, 6.0))
    score = Score(seconds, v)
    end = seconds - 1.2
    calm = score.move({0.2: 0.0, 1.3: 1.0, end: 1.0, seconds: 0.0})
    passing = HandPlace((0.10, -0.62, 0.45), (1.0, -0.4, -0.8))
    folded = lifted(_PRAYING, (0.0, random.uniform(-0.06, 0.08), random.uniform(-0.02, 0.05)))
    keys = {0.1: HANG, 0.6: passing, 1.15: folded, end: folded, end + 0.55: passing, end + 1.1: HANG}
    rock = calm * score.beat(random.uniform(2.4, 3.6))
    return person(
        score,
        pelvis=xyz(0.0, -0.006 * calm, 0.0),
        hips=xyz(0.0, 0.6 * rock, 0.0),
        chest=xyz(0.0, 5.0 * calm * v.amplitude + 0.8 * rock, 0.0),
        head=xyz(0.0, 20.0 * calm * v.amplitude, 0.0),
        left=score.hand(keys),
        right=score.hand(keys),
    )


ACTIONS = (
    Action(
        "cheer",
        (
            "a person cheers",
            "a person raises both arms in victory",
            "someone celebrates with the arms up",
            "a person throws up both arms and cheers",
            "a fan cheers loudly with raised fists",
            "a person celebrates a goal",
        ),
        ("somebody rejoices with both fists in the air", "a winner shows triumph", "a man hails his team overjoyed"),
        cheer,
        free_arms=False,
    ),
    Action(
        "clap",
        (
            "a person claps",
            "a person claps the hands",
            "someone applauds",
            "a person claps several times",
            "the audience member applauds with both hands",
            "a person claps their hands together in front of the chest",
        ),
        ("someone gives a round of applause", "a woman is clapping", "a spectator applauds the show"),
        clap,
        free_arms=False,
        loops=True,
        close_hands=True,
    ),
    Action(
        "cry",
        (
            "a person cries",
            "a person weeps with the hands over the face",
            "someone sobs into both hands",
            "a person covers the face and cries",
            "a sad person is crying",
            "a person stands weeping with shaking shoulders",
        ),
        ("someone is in tears", "a woman buries her face in her hands and sobs", "a mourner weeps"),
        cry,
        free_arms=False,
        loops=True,
        close_hands=True,
    ),
    Action(
        "shrug",
        (
            "a person shrugs",
            "a person shrugs the shoulders",
            "someone raises the shoulders and opens the hands",
            "a person shrugs as if they do not know",
            "a man shrugs with his palms up",
            "a person makes a gesture of not knowing",
        ),
        ("someone has no idea and lifts the shoulders", "a woman gives a helpless shrug", "a clueless person shrugs"),
        shrug,
        free_arms=False,
    ),
    Action(
        "pray",
        (
            "a person prays",
            "a person folds the hands and prays",
            "someone puts the palms together in prayer",
            "a monk stands praying",
            "a person bows the head in prayer",
            "a person prays with the hands in front of the chest",
        ),
        ("a believer says a prayer", "someone is praying quietly", "a nun joins her hands to worship"),
        pray,
        free_arms=False,
        loops=True,
        close_hands=True,
    ),
)  # fmt: skip
