"""Walking of every kind along a path: feet stay where they were put, and come down where the body will be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicHermiteSpline

from backend.make.motion.curves import smoothstep
from backend.make.motion.library.hands import swung
from backend.make.motion.library.stand import HOME_X_M, HOME_YAW, STAND_DROP_M
from backend.make.motion.library.timing import minimum_jerk
from backend.make.motion.puppet import Controls, Foot

Array = npt.NDArray[np.float64]

GRAVITY: Final = 9.81


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Where the body goes, in the action's own time."""

    times: Array  # (frames,) seconds
    place: Array  # (frames, 2) metres: x to the left, z to the front, of the body's middle
    heading: Array  # (frames,) degrees, to the left above 0, not wrapped
    floor: Array | None = None  # (frames,) metres: height of the ground under the body, 0 where it is None

    def at(self, time: float) -> tuple[Array, float]:
        """Place (2,) and heading at a time, held before and after the path."""
        x, z = (float(np.interp(time, self.times, self.place[:, i])) for i in range(2))
        return np.array([x, z]), float(np.interp(time, self.times, self.heading))

    def floor_at(self, time: float) -> float:
        """Height of the ground at a time, metres."""
        return 0.0 if self.floor is None else float(np.interp(time, self.times, self.floor))


@dataclass(frozen=True, slots=True)
class Swing:
    """A foot's time off the floor, seconds; it lands where the body is at `over_s`, or at home when that is None."""

    start: float
    end: float
    over_s: float | None = None
    lift: float = 1.0  # of the gait's lift
    ahead_m: float = 0.0  # how far before its place beside the body it lands
    out_m: float = 0.0  # how far outwards of it
    pitch: float = 1.0  # of the gait's strike and push
    at: tuple[float, float, float] | None = None  # metres: the very place, where the path does not tell it


Swings = tuple[Sequence[Swing], Sequence[Swing]]  # of the left and the right foot, in order


@dataclass(frozen=True, slots=True)
class Gait:
    """How someone walks; a dataclass to `replace` parts of. Degrees and metres."""

    stride_s: float = 1.1  # two steps
    stance: float = 0.62  # share of the stride that a foot is on the floor
    width_m: float = 0.085  # from the middle to a foot
    toe_out: float = 6.0
    lift_m: float = 0.065
    strike: float = -18.0  # pitch of the foot as it lands: below 0 on its heel
    push: float = 54.0  # ... as it leaves
    tiptoe: float = 0.0  # pitch of a foot that stands
    ahead_m: float = (
        -0.09
    )  # from under the body to the ankle in the middle of the stance: the foot's middle is in front
    drop_m: float = 0.022
    bob_m: float = 0.020
    sway_m: float = 0.024
    yaw: float = 7.0  # the hip goes forward with its foot
    roll: float = 3.5
    lean: float = 4.0
    arm_swing: float = 25.0
    arm_bend: float = 24.0
    arm_bend_forward: float = 12.0
    arm_out: float = 7.0
    arms_inwards: float = 6.0
    twist: float = 2.1  # the chest turns back by this share of the hip's turn
    knee_lift: float = 0.0  # metres by which a swinging foot comes up to the front, for marching
    kick_up: float = 0.0  # metres by which a swinging foot comes up behind, for running


def alternating(gait: Gait, start_s: float, steps: int, first: float = 1.0) -> tuple[list[Swing], list[Swing]]:
    """Left and right swings of an even gait: `steps` steps from `start_s` on; the last of each foot ends at home."""
    half, length = 0.5 * gait.stride_s, (1.0 - gait.stance) * gait.stride_s
    feet: tuple[list[Swing], list[Swing]] = ([], [])
    for step in range(steps):
        begin = start_s + step * half
        over = begin + length + 0.5 * gait.stance * gait.stride_s if step < steps - 2 else None
        feet[step % 2].append(Swing(begin, begin + length, over))
    return feet if first > 0 else (feet[1], feet[0])


def walked(path: Path, gait: Gait, swings: Swings, rhythm: Swings | None = None) -> Controls:
    """The controls of a gait along a path; it begins and ends in the standing pose at home.

    `rhythm` are the swings that hips and arms move with, where a foot hops between them.
    """
    times = path.times
    phase = _phase(times, swings if rhythm is None else rhythm, gait)
    active = _activity(times, swings)
    mid = np.pi * (1.0 - gait.stance)  # the middle of the left foot's swing
    over_left, high = -np.cos(phase - mid), np.cos(2.0 * (phase - mid))
    ahead = np.cos(phase - 2.0 * mid)  # 1 when the left foot lands, -1 when the right one does
    turn = -gait.yaw * ahead * active
    side = np.radians(path.heading)
    sway = gait.sway_m * over_left * active
    pelvis = np.stack([path.place[:, 0] + sway * np.cos(side), 0.0 * times, path.place[:, 1] - sway * np.sin(side)], 1)
    pelvis[:, 1] = STAND_DROP_M - active * (gait.drop_m - gait.bob_m * high)
    if path.floor is not None:
        pelvis[:, 1] += path.floor
    still = 0.0 * times
    roll = gait.roll * over_left * active
    nod = 1.2 * np.cos(2.0 * (phase - 2.0 * mid)) * active
    lean = gait.lean * active
    heading_lead = np.gradient(path.heading, times, edge_order=1) * 0.12  # the head looks where the path goes
    left, right = (
        swung(
            3.0 + gait.arm_swing * arm * active,
            22.0 + active * (gait.arm_bend - 22.0 + gait.arm_bend_forward * arm),
            gait.arm_out + still,
            active * gait.arms_inwards * smoothstep(0.5 + 0.5 * arm),
        )
        for arm in (np.cos(phase - 2.0 * mid - 0.35 + np.pi), np.cos(phase - 2.0 * mid - 0.35))
    )
    return Controls(
        pelvis=pelvis,
        pelvis_turn=np.stack([path.heading + turn, 1.0 + 0.45 * lean, roll], axis=1),
        chest_turn=np.stack([-gait.twist * turn, 1.5 + 0.55 * lean + nod, -1.3 * roll], axis=1),
        head_turn=np.stack([1.05 * turn + heading_lead, -1.0 - 0.8 * lean - nod, 0.2 * roll], axis=1),
        left_foot=stepped(path, gait, swings[0], 1.0),
        right_foot=stepped(path, gait, swings[1], -1.0),
        left_hand=left,
        right_hand=right,
    )


def stepped(path: Path, gait: Gait, swings: Sequence[Swing], side: float) -> Foot:
    """One foot's places: at home at first, then where each swing puts it."""
    times = path.times
    where, heading = path.at(times[0])
    place = np.tile(_beside(where, heading, side * HOME_X_M), (len(times), 1))
    yaw = np.full(len(times), heading + side * HOME_YAW)
    pitch, height, level = np.zeros((3, len(times)))
    for index, swing in enumerate(swings):
        home = swing.over_s is None
        target, ground = _landing(path, gait, swing, side)
        _, heading = path.at(times[-1] if home else swing.over_s or 0.0)
        target_yaw = heading + side * (HOME_YAW if home else gait.toe_out)
        share = np.clip((times - swing.start) / (swing.end - swing.start), 0.0, 1.0)
        across = _across(share, gait.strike)
        level += (ground - level) * minimum_jerk(1.35 * share)
        distance = float(np.linalg.norm(target - place[-1]))
        place += across[:, None] * (target - place)
        yaw += across * (target_yaw - yaw)
        height += gait.lift_m * swing.lift * _arch(share)
        height += (
            gait.knee_lift * np.sin(np.pi * share) ** 2 + gait.kick_up * _arch(share) * (1.0 - share)
        ) * swing.lift
        before = swings[index - 1].end if index else times[0] - 1.0
        after = swings[index + 1].start if index + 1 < len(swings) else times[-1] + 1.0
        effort = float(np.clip(distance / (0.6 + 0.4 * gait.lift_m), 0.15, 1.0))
        pitch += _foot_pitch(times, swing, gait, effort, before, after)
    if gait.tiptoe:
        up, down = swings[0].start, swings[-1].end
        pitch += gait.tiptoe * smoothstep((times - up + 0.35) / 0.35) * smoothstep((down + 0.35 - times) / 0.35)
    knee_out = np.full(len(times), 2.0 + 60.0 * max(gait.drop_m, 0.0))  # bent knees point over the toes or wider
    return Foot(np.stack([place[:, 0], level + height, place[:, 1]], axis=1), yaw, pitch, knee_out)


def _landing(path: Path, gait: Gait, swing: Swing, side: float) -> tuple[Array, float]:
    """Where a swing puts the foot, (2,) metres, and the height of the ground there."""
    if swing.at is not None:
        return np.array([swing.at[0], swing.at[2]]), swing.at[1]
    time = float(path.times[-1]) if swing.over_s is None else swing.over_s
    where, heading = path.at(time)
    home = swing.over_s is None
    out, ahead = (HOME_X_M, 0.0) if home else (gait.width_m + swing.out_m, gait.ahead_m)
    return _beside(where, heading, side * out, ahead + swing.ahead_m), path.floor_at(time)


def _beside(where: Array, heading: float, out_m: float, ahead_m: float = 0.0) -> Array:
    turn = np.radians(heading)
    left = np.array([np.cos(turn), -np.sin(turn)])
    front = np.array([np.sin(turn), np.cos(turn)])
    return np.asarray(where + out_m * left + ahead_m * front, dtype=np.float64)


def _across(share: Array, strike: float) -> Array:
    """How far a swinging foot has gone; it starts after it was lifted, ends before it is put down."""
    s = (share - 0.11) / (0.77 if strike < -3.0 else 0.70)  # the ball of a flat foot is near the floor for longer
    return np.asarray(0.5 * (minimum_jerk(s) + smoothstep(s)), dtype=np.float64)


def _arch(share: Array) -> Array:
    """0 at both ends, 1 between, up and down fast, so that a foot is off the floor before it goes anywhere."""
    return np.asarray(np.sin(np.pi * smoothstep(share) ** 0.8) ** 0.8 * (share > 0.0) * (share < 1.0))


def _foot_pitch(times: Array, swing: Swing, gait: Gait, effort: float, before: float, after: float) -> Array:
    """Heel up before the foot leaves, toes up as it lands, flat soon after; (frames,) degrees."""
    length = swing.end - swing.start
    peel = min(0.30 * gait.stance * gait.stride_s, max(0.5 * (swing.start - before), 0.05))
    flat = min(0.11 * gait.stride_s, max(0.5 * (after - swing.end), 0.03))
    push, strike = gait.push * effort * swing.pitch, gait.strike * effort * swing.pitch
    keys = [swing.start - peel, swing.start, swing.start + 0.14 * length, swing.start + 0.72 * length]
    at = np.array([*keys, swing.end, swing.end + flat])
    values = np.array([0.0, push, 1.05 * push, strike, strike, 0.0])
    index = np.clip(np.searchsorted(at, times, side="right") - 1, 0, len(at) - 2)
    share = smoothstep((times - at[index]) / (at[index + 1] - at[index]))
    inside = (times >= at[0]) & (times <= at[-1])
    return np.where(inside, values[index] + share * (values[index + 1] - values[index]), 0.0)


def _phase(times: Array, swings: Swings, gait: Gait) -> Array:
    """The stride's phase, radians: 0 and 2 pi where the left foot's swings start, pi where the right foot's do."""
    starts = sorted([(s.start, 0.0) for s in swings[0]] + [(s.start, np.pi) for s in swings[1]])
    at, phases = [starts[0][0]], [starts[0][1]]
    for start, base in starts[1:]:
        turns = np.ceil((phases[-1] - base) / (2.0 * np.pi) + 1e-6)
        at.append(max(start, at[-1] + 1e-3))
        phases.append(base + 2.0 * np.pi * turns)
    rate = 2.0 * np.pi / gait.stride_s
    at = [at[0] - 10.0, *at, at[-1] + 10.0]
    phases = [phases[0] - 10.0 * rate, *phases, phases[-1] + 10.0 * rate]
    return np.asarray(np.interp(times, at, phases), dtype=np.float64)


def _activity(times: Array, swings: Swings) -> Array:
    """0 in the stands before and after, 1 while walking."""
    every = [*swings[0], *swings[1]]
    start, end = min(s.start for s in every), max(s.end for s in every)
    ease = min(0.55, 0.45 * (end - start))
    return smoothstep((times - start + 0.3) / (0.3 + ease)) * smoothstep((end + 0.3 - times) / (0.3 + ease))


def flights(times: Array, swings: Swings) -> list[tuple[float, float]]:
    """The spans in which both feet are off the floor, in order, seconds."""
    spans = [
        (max(a.start, b.start), min(a.end, b.end))
        for a in swings[0]
        for b in swings[1]
        if min(a.end, b.end) - max(a.start, b.start) > 0.02
    ]
    return sorted(spans)


def bounced(times: Array, spans: Sequence[tuple[float, float]], up_m: float, dip_m: float, speed: float) -> Array:
    """Height of the pelvis (frames,) metres from standing straight: thrown up by each flight, caught by the legs after.

    In a flight of t seconds, as the clip plays at `speed`, it is g t^2 / 8 above its ends, which are at `up_m`; between
    flights it sinks and rises as fast as they begin and end. `dip_m` is how deep the legs bend before the first flight
    and after the last one.
    """
    keys: list[tuple[float, float, float]] = []
    for index, (start, end) in enumerate(spans):
        thrown = 0.5 * GRAVITY / speed**2 * (end - start)
        gap = start - spans[index - 1][1] if index else np.inf
        if gap > 0.45:
            rise = min(0.28, 0.4 * gap)
            keys += [] if index and gap < 1.5 else [(start - rise - 0.45, STAND_DROP_M, 0.0)]
            keys += [(start - rise, STAND_DROP_M - dip_m, 0.0)]
        keys += [(start, up_m, thrown), (end, up_m, -thrown)]
        after = spans[index + 1][0] - end if index + 1 < len(spans) else np.inf
        if after > 1.1:
            keys += [(end + 0.22, STAND_DROP_M - dip_m, 0.0), (end + 0.75, STAND_DROP_M, 0.0)]
    at, values, slopes = (np.array(column) for column in zip(*keys, strict=True))
    curve = CubicHermiteSpline(at, values, slopes)
    return np.asarray(curve(np.clip(times, at[0], at[-1])), dtype=np.float64)


def eased_travel(times: Array, start: float, end: float, speed: float, ramp_s: float = 0.6) -> Array:
    """Metres gone, (frames,): from rest at `start` to `speed`, and to rest again at `end`."""
    ramp = min(ramp_s, 0.5 * (end - start))
    fine = np.linspace(times[0], times[-1], 40 * len(times))
    pace = speed * smoothstep((fine - start) / ramp) * smoothstep((end - fine) / ramp)
    gone = np.concatenate([[0.0], np.cumsum(0.5 * (pace[1:] + pace[:-1]) * np.diff(fine))])
    return np.asarray(np.interp(times, fine, gone), dtype=np.float64)


def with_height(controls: Controls, height: Array) -> Controls:
    """The same with the pelvis at another height, (frames,) metres from standing straight."""
    pelvis = controls.pelvis.copy()
    pelvis[:, 1] = height
    return replace(controls, pelvis=pelvis)
