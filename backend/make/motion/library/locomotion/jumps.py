"""Jumping on the spot and forward, leaping, hopping on one leg, skipping and galloping."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicHermiteSpline

from backend.make.motion.curves import smoothstep
from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.gait import (
    GRAVITY,
    Gait,
    Path,
    Swing,
    bounced,
    eased_travel,
    flights,
    stepped,
    walked,
    with_height,
)
from backend.make.motion.library.hands import HANG, HandPlace, along, swung
from backend.make.motion.library.stand import HOME_X_M, STAND_DROP_M
from backend.make.motion.library.timing import action_times, flowing, minimum_jerk, rested
from backend.make.motion.puppet import Controls, Foot, Hand

Array = npt.NDArray[np.float64]

_STILL = Gait(
    ahead_m=0.0, yaw=0.0, roll=0.0, bob_m=0.0, sway_m=0.0, drop_m=0.0, lean=0.0, arm_swing=0.0, push=58.0, strike=16.0
)
_AHEAD_LOW = HandPlace((0.34, -0.52, 0.62), (0.8, -0.5, -0.5), 10.0)


def _thrown_arms(times: Array, start: float, end: float, high: float) -> Hand:
    """Arms that swing back in the crouch, up with the push to `high` degrees, down with the landing."""
    middle = 0.5 * (start + end) + 0.04
    ahead = {start - 0.85: 4.0, start - 0.32: -46.0, start - 0.10: -4.0, start + 0.08: 0.62 * high, middle: high,
             end + 0.04: 0.58 * high, end + 0.24: 40.0, end + 0.68: 4.0}  # fmt: skip
    bend = {start - 0.85: 22.0, start - 0.32: 10.0, start: 34.0, middle: 16.0, end + 0.24: 30.0, end + 0.68: 22.0}
    out = {start - 0.85: 7.0, start - 0.32: 13.0, start: 12.0, middle: 16.0, end + 0.10: 26.0, end + 0.68: 7.0}
    return swung(flowing(times, ahead), flowing(times, bend), flowing(times, out))


def _crouched(controls: Controls, crouch: Array) -> Controls:
    """The trunk leans as far as the hips are low, the hips go back, the head stays up."""
    zero = 0.0 * crouch
    lean = 150.0 * np.maximum(crouch, 0.0)
    return replace(
        controls,
        pelvis=controls.pelvis - np.stack([zero, zero, 0.28 * np.maximum(crouch, 0.0)], axis=1),
        pelvis_turn=controls.pelvis_turn + np.stack([zero, 0.5 * lean, zero], axis=1),
        chest_turn=controls.chest_turn + np.stack([zero, 0.5 * lean, zero], axis=1),
        head_turn=controls.head_turn - np.stack([zero, 0.7 * lean, zero], axis=1),
    )


def _flight(variation: Variation, seconds: float, random: np.random.Generator) -> float:
    """How long a jump is in the air, in the action's time: gravity does not hurry, so that the height tells."""
    return seconds * float(np.sqrt(variation.amplitude)) * float(random.uniform(0.93, 1.08)) * variation.speed


def jump_up(variation: Variation) -> Controls:
    """One or more jumps on the spot, 15 to 35 cm high."""
    random = variation.random("jump")
    flight = _flight(variation, 0.42, random)
    jumps = max(1, round((variation.length(2.2) - 0.6) / 1.75))
    starts = [0.95 + k * (1.35 + flight) for k in range(jumps)]
    times = action_times(starts[-1] + flight + 1.1, variation.speed)
    spans = [(start, start + flight) for start in starts]
    rise = GRAVITY * (flight / variation.speed) ** 2 / 8.0
    gait = replace(_STILL, lift_m=rise + 0.02)
    swings = [Swing(start, end) for start, end in spans]
    height = bounced(times, spans, 0.075, 0.22 * min(1.0, variation.amplitude), variation.speed)
    controls = walked(Path(times, np.zeros((len(times), 2)), 0.0 * times), gait, (swings, swings))
    controls = _crouched(with_height(controls, height), STAND_DROP_M - height)
    hands = _many_arms(times, spans, 140.0 + 22.0 * variation.amplitude)
    return replace(controls, left_hand=hands, right_hand=hands)


def _many_arms(times: Array, spans: list[tuple[float, float]], high: float) -> Hand:
    hand = _thrown_arms(times, *spans[0], high)
    for before, span in zip(spans, spans[1:], strict=False):
        later = _thrown_arms(times, *span, high)
        cut = (times > 0.5 * (before[1] + span[0]))[:, None]
        hand = Hand(
            np.where(cut, later.reach, hand.reach),
            np.where(cut, later.elbow, hand.elbow),
            np.where(cut[:, 0], later.flex, hand.flex),
        )
    return hand


def _thrown_place(times: Array, start: float, end: float, pace: float) -> Array:
    """How far the body is, (frames,) metres: leans into the jump, flies evenly, comes to rest."""
    lead, flown = 0.16, pace * (end - start)
    total = lead + flown + 0.22
    keys = np.array([start - 0.34, start, end, end + 0.42])
    curve = CubicHermiteSpline(keys, [0.0, lead, lead + flown, total], [0.0, pace, pace, 0.0])
    return np.asarray(curve(np.clip(times, keys[0], keys[-1])), dtype=np.float64)


def jump_forward(variation: Variation) -> Controls:
    """A standing broad jump of 0.7 to 1.6 m."""
    random = variation.random("jump forward")
    start, flight = 1.0, _flight(variation, 0.40, random)
    end = start + flight
    times = action_times(end + 1.2, variation.speed)
    pace = 1.8 / variation.speed * variation.amplitude * float(random.uniform(0.85, 1.15))
    ahead = _thrown_place(times, start, end, pace)
    rise = GRAVITY * (flight / variation.speed) ** 2 / 8.0
    swing = [Swing(start, end)]
    path = Path(times, np.stack([0.0 * ahead, ahead], axis=1), 0.0 * times)
    height = bounced(times, [(start, end)], 0.03, 0.24, variation.speed)
    controls = walked(path, replace(_STILL, lift_m=rise + 0.10, strike=-8.0), (swing, swing))
    controls = _crouched(with_height(controls, height), STAND_DROP_M - height)
    hands = _thrown_arms(times, start, end, 95.0 + 25.0 * variation.amplitude)
    return replace(controls, left_hand=hands, right_hand=hands)


def _stride(
    start: float, period: float, times_end: float, spans: tuple[tuple[float, float, float, float], ...]
) -> list[Swing]:
    """Swings (start, end, lift, ahead) of one foot, repeated every period until the end."""
    swings = []
    for turn in range(round((times_end - start) / period)):
        base = start + turn * period
        for index, (begin, end, lift, ahead) in enumerate(spans):
            following = spans[(index + 1) % len(spans)][0] + (period if index + 1 == len(spans) else 0.0)
            swings.append(Swing(base + begin, base + end, base + 0.5 * (end + following), lift, ahead, 0.0, lift))
    return swings


def _homed(swings: list[Swing], end: float) -> list[Swing]:
    """The same with a last step to the place of the stand."""
    kept = [s for s in swings if s.end < end - 0.42]
    last = kept[-1].end
    return (
        [*kept[:-1], replace(kept[-1], over_s=None)] if last > end - 0.6 else [*kept, Swing(end - 0.4, end, None, 1.0)]
    )


def skip(variation: Variation) -> Controls:
    """Step and hop on one foot, then on the other."""
    random = variation.random("skip")
    period, length = 1.40, 0.55 + 0.70 * max(4, round((variation.length(4.6) - 1.3) / 0.70))
    pace = 1.5 * variation.amplitude * float(random.uniform(0.85, 1.15))
    spans = ((0.0, 0.62, 1.0, 0.0), (0.88, 1.12, 0.45, 0.0))
    first, second = _stride(0.4, period, length + 2.0, spans), _stride(1.1, period, length + 2.0, spans)
    swings = _homed(first, length - 0.1), _homed(second, length + 0.25)
    times = action_times(length + 0.75, variation.speed)
    gone = eased_travel(times, 0.3, length - 0.2, pace, 1.1)
    gait = Gait(period, 0.56, 0.075, lift_m=0.10, strike=4.0, push=48.0, yaw=9.0, arm_swing=42.0, arm_bend=40.0,
                arm_bend_forward=22.0, lean=3.0, knee_lift=0.16 * variation.amplitude)  # fmt: skip
    path = Path(times, np.stack([0.0 * gone, gone], axis=1), 0.0 * times)
    rhythm = [s for s in swings[0] if s.lift > 0.9], [s for s in swings[1] if s.lift > 0.9]
    controls = walked(path, gait, swings, rhythm)
    return with_height(controls, bounced(times, flights(times, swings), -0.012, 0.05, variation.speed))


def gallop(variation: Variation) -> Controls:
    """Like a child on a hobby horse: the left foot leads, the right one closes up behind it."""
    random = variation.random("gallop")
    period = 0.66 * float(np.sqrt(variation.speed))
    turns = max(4, round((variation.length(4.2) - 1.4) / period))
    end = 0.4 + turns * period + 0.62
    pace = 1.7 * variation.amplitude * float(random.uniform(0.85, 1.1))
    lead = _stride(0.4, period, end + 2.0, ((0.0, 0.55 * period, 1.0, 0.16),))
    trail = _stride(0.4 + 0.26 * period, period, end + 2.0, ((0.0, 0.61 * period, 0.8, -0.14),))
    swings = _homed(lead, end - 0.1), _homed(trail, end + 0.2)
    times = action_times(end + 0.7, variation.speed)
    gone = eased_travel(times, 0.3, end - 0.1, pace, 1.0)
    gait = Gait(period, 0.45, 0.08, lift_m=0.10, strike=2.0, push=40.0, yaw=3.0, roll=1.0, sway_m=0.008, arm_swing=12.0,
                arm_bend=55.0, arm_bend_forward=5.0, arm_out=14.0, lean=6.0, bob_m=0.0)  # fmt: skip
    path = Path(times, np.stack([0.0 * gone, gone], axis=1), 0.0 * times)
    controls = walked(path, gait, swings)
    turn = -14.0 * smoothstep((times - 0.4) / 0.5) * smoothstep((end - times) / 0.5)  # the leading hip is in front
    yaw = np.stack([turn, 0.0 * turn, 0.0 * turn], axis=1)
    controls = replace(controls, pelvis_turn=controls.pelvis_turn + yaw, chest_turn=controls.chest_turn - 0.7 * yaw)
    return with_height(controls, bounced(times, flights(times, swings), -0.015, 0.05, variation.speed))


def hop(variation: Variation) -> Controls:
    """Hops on the left leg, the right foot held up behind."""
    random = variation.random("hop")
    flight, contact = _flight(variation, 0.25, random), 0.34
    hops = max(3, round((variation.length(4.0) - 2.0) / (flight + contact)))
    starts = [1.25 + k * (flight + contact) for k in range(hops)]
    end = starts[-1] + flight
    times = action_times(end + 1.35, variation.speed)
    pace = float(random.choice([0.0, 0.45, 0.8])) * variation.amplitude
    gone = eased_travel(times, 1.1, end + 0.15, pace, 0.4)
    shift = HOME_X_M * 0.85 * minimum_jerk(times / 0.7) * (1.0 - minimum_jerk((times - end - 0.45) / 0.7))
    path = Path(times, np.stack([0.0 * gone, gone], axis=1), 0.0 * times)
    left = [Swing(s, s + flight, None if s == starts[-1] else s + flight + 0.5 * contact) for s in starts]
    gait = replace(
        _STILL, width_m=HOME_X_M, toe_out=9.0, lift_m=0.05 + GRAVITY * (flight / variation.speed) ** 2 / 8.0, push=40.0
    )
    controls = walked(path, gait, (left, left))
    right = _held_up(path, gait, end)
    height = bounced(times, [(s, s + flight) for s in starts], 0.0, 0.075, variation.speed)
    sway = np.stack([shift, height, gone], axis=1)
    up = pulse_between(times, 0.55, end + 0.6)
    zero = 0.0 * up
    arms = along(times, {0.0: HANG, 1.1: _AHEAD_LOW, end: _AHEAD_LOW, end + 1.0: HANG})
    out = Hand(arms.reach + up[:, None] * np.array([0.30, 0.06, -0.22]), arms.elbow, arms.flex)
    beat = 0.10 * np.gradient(height, times, edge_order=1)[:, None] * np.array([0.2, 0.5, 0.0]) * up[:, None]
    out = replace(out, reach=out.reach + beat)
    return replace(
        controls,
        pelvis=sway,
        pelvis_turn=controls.pelvis_turn + np.stack([zero, 5.0 * up, 3.0 * up], axis=1),
        chest_turn=controls.chest_turn + np.stack([zero, 3.0 * up, -4.0 * up], axis=1),
        right_foot=right,
        left_hand=out,
        right_hand=out,
    )


def pulse_between(times: Array, start: float, end: float) -> Array:
    """0, then 1 from `start` + 0.5 s on, then 0 again 0.5 s after `end`."""
    return minimum_jerk((times - start) / 0.5) * (1.0 - minimum_jerk((times - end) / 0.5))


def _held_up(path: Path, gait: Gait, end: float) -> Foot:
    """The right foot: lifted behind the knee, carried along, put down again at home."""
    times = path.times
    up = pulse_between(times, 0.55, end + 0.6)
    base = stepped(path, gait, [Swing(0.6, end + 1.1)], -1.0)
    carried = np.minimum(up * 1.6, 1.0)
    offset = np.stack([0.02 * up, 0.30 * up, -0.24 * up], axis=1)
    place = np.stack([0.0 * times - HOME_X_M, 0.0 * times, path.place[:, 1]], axis=1) + offset
    pitch = rested(times, {0.35: 0.0, 0.6: 30.0, 1.15: 62.0, end + 0.55: 62.0, end + 0.95: 20.0, end + 1.15: 0.0})
    still = np.where(times[:, None] < 0.6, base.place, place)
    return Foot(np.where(carried[:, None] > 0.0, place, still), base.yaw, pitch, base.knee_out)


def leap(variation: Variation) -> Controls:
    """A run-up of three steps, a long leap from one foot to the other, and steps to a stand."""
    random = variation.random("leap")
    half, swing, extra = 0.40, 0.46, 0.30 * variation.amplitude
    pace = 2.5 * float(np.clip(variation.amplitude, 0.8, 1.15)) * float(random.uniform(0.9, 1.08))
    feet: tuple[list[Swing], list[Swing]] = ([], [])
    before, steps = 3, 8

    def later(time: float) -> float:
        flight = 0.4 + before * half, 0.4 + (before - 1) * half + swing
        return time + extra * float(np.clip((time - flight[0]) / (flight[1] - flight[0]), 0.0, 1.0))

    for step in range(steps):
        begin = 0.4 + step * half
        over = later(begin + swing + 0.17) if step < steps - 2 else None
        feet[step % 2].append(Swing(later(begin), later(begin + swing), over))
    end = max(feet[0][-1].end, feet[1][-1].end)
    times = action_times(end + 0.5, variation.speed)
    gone = eased_travel(times, 0.3, end - 0.25, pace, 0.9)
    gait = Gait(2 * half, 0.42, 0.07, ahead_m=-0.13, lift_m=0.11, kick_up=0.12, strike=-4.0, arm_swing=38.0,
                arm_bend=62.0, arm_bend_forward=14.0, lean=7.0, yaw=8.0, bob_m=0.0)  # fmt: skip
    path = Path(times, np.stack([0.0 * gone, gone], axis=1), 0.0 * times)
    return with_height(walked(path, gait, feet), bounced(times, flights(times, feet), -0.02, 0.06, variation.speed))


ACTIONS = (
    Action(
        "jump",
        (
            "a person jumps", "someone jumps up", "a man jumps up and down", "a woman jumps on the spot",
            "the person leaps into the air", "jumping", "a knight jumps", "a person hops up with both feet",
        ),
        ("a person springs upwards", "someone bounces off the ground"),
        jump_up,
        loops=True,
        feet="airborne",
        free_arms=False,
    ),
    Action(
        "jump_forward",
        (
            "a person jumps forward", "someone does a long jump", "a man jumps ahead with both feet",
            "a woman makes a standing long jump", "the person jumps over a puddle", "jumping forwards",
        ),
        ("a person bounds ahead from a crouch", "someone jumps across a gap"),
        jump_forward,
        feet="airborne",
        free_arms=False,
    ),
    Action(
        "leap",
        (
            "a person runs and leaps", "someone takes a run-up and leaps", "a man leaps over something",
            "a woman jumps over an obstacle", "the person makes a running jump", "leaping over a hurdle",
        ),
        ("a person clears a ditch at a run", "someone bounds over a fence"),
        leap,
        feet="airborne",
    ),
    Action(
        "hop",
        (
            "a person hops on one leg", "someone hops on one foot", "a man is hopping on a single leg",
            "a woman jumps on one leg", "the person bounces on one foot", "hopping on one leg",
        ),
        ("a person plays hopscotch", "someone hops along on one foot"),
        hop,
        loops=True,
        feet="airborne",
        free_arms=False,
    ),
    Action(
        "skip",
        (
            "a person skips", "someone skips along", "a child skips forward", "a woman is skipping",
            "the person skips ahead", "skipping playfully",
        ),
        ("a person goes along with a hop and a step", "a girl skips down the road"),
        skip,
        loops=True,
        feet="airborne",
    ),
    Action(
        "gallop",
        (
            "a person gallops", "someone gallops like a horse", "a child gallops forward", "a man rides a hobby horse",
            "the person moves in a gallop", "galloping along",
        ),
        ("a person canters ahead", "someone pretends to ride a horse"),
        gallop,
        loops=True,
        feet="airborne",
    ),
)  # fmt: skip
