"""From one motion to the next: by a short wait with steps where the feet stand elsewhere, or in full stride."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.edits import combined, joined, placed, taken
from backend.make.motion.library.timing import FPS, minimum_jerk
from backend.make.motion.puppet import Controls, Foot

Array = npt.NDArray[np.float64]
Side = Literal["left_foot", "right_foot"]

_SIDES: Final[tuple[Side, Side]] = ("left_foot", "right_foot")
_SAME_PLACE_M: Final = 0.01
_SAME_YAW: Final = 3.0
_STEP_FRAMES: Final = 8
_RATE: Final = 8.0  # a second: how fast a difference fades
_SPEED_M_PER_S: Final = 0.5
_COST: Final = 0.55


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Two motions as one; the second's first frame is at `cut`."""

    controls: Controls
    cut: int


def joined_at_rest(first: Controls, second: Controls) -> Joined:
    """The second after the first, both standing (or sitting) there: nobody slides, who must stand elsewhere steps."""
    first, second = _without_tail(first), _without_lead(second)
    about, yaw = _stance(second, 0)
    to, heading = _stance(first, len(first.pelvis) - 1)
    second = placed(second, about, to, heading - yaw)
    steps: list[Side] = [side for side in _SIDES if _elsewhere(first, second, side)]
    hands = max(
        float(np.linalg.norm(getattr(first, side).reach[-1] - getattr(second, side).reach[0]))
        for side in ("left_hand", "right_hand")
    )
    frames = max(5, len(steps) * _STEP_FRAMES + 3, round(FPS * (0.2 + 0.45 * hands)))
    bridge = _bridge(first, second, frames)
    left, right = (_stood(first, second, side, frames, steps) for side in _SIDES)
    bridge = replace(bridge, left_foot=left, right_foot=right)
    return Joined(joined((first, bridge, second)), len(first.pelvis) + frames // 2)


def joined_in_stride(first: Controls, second: Controls, since: int = 0) -> Joined | None:
    """The second taken up while the first is under way, on the foot that stands; None where no two moments fit.

    The first is cut in the second half of its frames from `since` on.
    """
    best: tuple[float, int, int, Side] | None = None
    for side in _SIDES:
        middle = since + 0.45 * (len(first.pelvis) - since)
        before = _strides(first, side, middle, 0.9 * len(first.pelvis))
        after = _strides(second, side, 0.1 * len(second.pelvis), 0.55 * len(second.pelvis))
        if not len(before) or not len(after):
            continue
        difference = np.linalg.norm(_features(first, before, side)[:, None] - _features(second, after, side), axis=-1)
        cost = difference + 0.004 * (len(first.pelvis) - before[:, None]) + 0.004 * after
        a, b = divmod(int(np.argmin(cost)), cost.shape[1])
        if difference[a, b] < _COST and (best is None or cost[a, b] < best[0]):
            best = float(cost[a, b]), int(before[a]), int(after[b]), side
    if best is None:
        return None
    _, a, b, side = best
    return _taken_up(first, a, second, b, side)


def _taken_up(first: Controls, a: int, second: Controls, b: int, side: Side) -> Joined:
    """First up to frame a, then second from frame b on, the differences fading while the standing foot stands."""
    stood, stands = getattr(first, side), getattr(second, side)
    second = placed(second, stands.place[b], stood.place[a], float(stood.yaw[a] - stands.yaw[b]))
    head, tail = taken(first, np.arange(a)), taken(second, np.arange(b, len(second.pelvis)))
    time = np.arange(len(tail.pelvis)) / FPS

    def faded(values: list[Array]) -> Array:
        one, two = values
        offset, drift = one[a] - two[b], (one[a] - one[a - 1] - two[b] + two[b - 1]) * FPS
        decay = np.exp(-_RATE * time).reshape(-1, *(1,) * (one.ndim - 1))
        along = time.reshape(decay.shape)
        return np.asarray(two[b:] + (offset + (drift + _RATE * offset) * along) * decay, dtype=np.float64)

    moving = combined(faded, (first, second))
    swinging: Side = "right_foot" if side == "left_foot" else "left_foot"
    lands = _lands(getattr(tail, swinging))
    swung = _faded_foot(getattr(first, swinging), a, getattr(tail, swinging), lands)
    left, right = (swung, getattr(tail, side)) if swinging == "left_foot" else (getattr(tail, side), swung)
    return Joined(joined((head, replace(moving, left_foot=left, right_foot=right))), a)


def _faded_foot(before: Foot, a: int, after: Foot, lands: int) -> Foot:
    """A swinging foot whose difference has gone when it lands."""
    share = 1.0 - minimum_jerk(np.arange(len(after.yaw)) / max(lands - 1, 1))
    return Foot(
        after.place + share[:, None] * (before.place[a] - after.place[0]),
        after.yaw + share * (before.yaw[a] - after.yaw[0]),
        after.pitch + share * (before.pitch[a] - after.pitch[0]),
        after.knee_out + share * (before.knee_out[a] - after.knee_out[0]),
    )


def _lands(foot: Foot) -> int:
    down = np.flatnonzero(foot.place[:, 1] < foot.place[:, 1].min() + 1e-3)
    return int(down[0]) if len(down) else len(foot.yaw)


def _strides(controls: Controls, side: Side, start: float, end: float) -> npt.NDArray[np.int64]:
    """Frames between two frames in which only this foot stands and the body goes on."""
    stands, swings = controls.left_foot, controls.right_foot
    if side == "right_foot":
        stands, swings = swings, stands
    speed = np.linalg.norm(np.gradient(controls.pelvis[:, [0, 2]], axis=0), axis=1) * FPS
    fit = (stands.place[:, 1] < 1e-3) & (np.abs(stands.pitch) < 1.0) & (swings.place[:, 1] > 0.02)
    frame = np.arange(len(speed))
    fit &= (speed > _SPEED_M_PER_S) & (frame > start) & (frame < end) & (frame > 1)
    return np.flatnonzero(fit)


def _features(controls: Controls, frames: npt.NDArray[np.int64], side: Side) -> Array:
    """What must agree at a cut, (frames, 10): hips, speed and the other foot as the standing foot sees them."""
    stands, swings = controls.left_foot, controls.right_foot
    if side == "right_foot":
        stands, swings = swings, stands
    turn = np.radians(stands.yaw[frames])
    cosine, sine = np.cos(turn)[:, None], np.sin(turn)[:, None]

    def seen(vectors: Array) -> Array:
        x, y, z = vectors[:, :1], vectors[:, 1:2], vectors[:, 2:]
        return np.concatenate([cosine * x - sine * z, y, sine * x + cosine * z], axis=1)

    velocity = np.gradient(controls.pelvis, axis=0)[frames] * FPS
    return np.concatenate(
        [
            2.0 * seen(controls.pelvis[frames] - stands.place[frames]),
            0.25 * seen(velocity),
            seen(swings.place[frames] - stands.place[frames]),
            (controls.pelvis_turn[frames, :1] - stands.yaw[frames, None]) / 60.0,
        ],
        axis=1,
    )


def _stance(controls: Controls, frame: int) -> tuple[Array, float]:
    """The point between the feet (3,) metres and the way that they face, degrees."""
    left, right = controls.left_foot, controls.right_foot
    middle = 0.5 * (left.place[frame] + right.place[frame])
    middle[1] = min(left.place[frame, 1], right.place[frame, 1])
    return middle, 0.5 * float(left.yaw[frame] + right.yaw[frame])


def _elsewhere(first: Controls, second: Controls, side: Side) -> bool:
    before, after = getattr(first, side), getattr(second, side)
    far = float(np.linalg.norm(before.place[-1] - after.place[0])) > _SAME_PLACE_M
    return far or abs(float(before.yaw[-1] - after.yaw[0])) > _SAME_YAW


def _stood(first: Controls, second: Controls, side: Side, frames: int, steps: list[Side]) -> Foot:
    """A foot between two stands: it stays, or steps when its turn comes."""
    before, after = getattr(first, side), getattr(second, side)
    turn = steps.index(side) if side in steps else 0
    time = np.arange(1, frames + 1)
    share = (time - 1.0 - turn * _STEP_FRAMES) / _STEP_FRAMES if side in steps else time / (frames + 1.0)
    gone = minimum_jerk(1.3 * share - 0.15)
    place = before.place[-1] + gone[:, None] * (after.place[0] - before.place[-1])
    inside = np.clip(share, 0.0, 1.0)
    lift = 0.05 * np.sin(np.pi * inside) ** 0.7 if side in steps else 0.0 * inside
    pitch = before.pitch[-1] + minimum_jerk(time / (frames + 1.0)) * (after.pitch[0] - before.pitch[-1])
    return Foot(
        place + np.stack([0.0 * lift, lift, 0.0 * lift], axis=1),
        before.yaw[-1] + gone * (after.yaw[0] - before.yaw[-1]),
        pitch + 300.0 * lift * np.cos(np.pi * inside) * (inside < 0.5),
        before.knee_out[-1] + minimum_jerk(share) * (after.knee_out[0] - before.knee_out[-1]),
    )


def _bridge(first: Controls, second: Controls, frames: int) -> Controls:
    """Frames between the last of one and the first of the other, each value as fast as it is at both ends."""
    share = np.arange(1, frames + 1) / (frames + 1.0)

    def curve(values: list[Array]) -> Array:
        one, two = values
        s = share.reshape(-1, *(1,) * (one.ndim - 1))
        start, end = one[-1], two[0]
        out, into = (one[-1] - one[-2]) * (frames + 1.0), (two[1] - two[0]) * (frames + 1.0)
        h00, h10 = 2.0 * s**3 - 3.0 * s**2 + 1.0, s**3 - 2.0 * s**2 + s
        h01, h11 = 3.0 * s**2 - 2.0 * s**3, s**3 - s**2
        return np.asarray(h00 * start + h10 * out + h01 * end + h11 * into, dtype=np.float64)

    return combined(curve, (first, second))


def _stillness(controls: Controls) -> Array:
    """How little happens in every frame, (frames,) metres from the frame before."""
    hands = [np.linalg.norm(np.diff(h.reach, axis=0), axis=1) for h in (controls.left_hand, controls.right_hand)]
    feet = [np.linalg.norm(np.diff(f.place, axis=0), axis=1) for f in (controls.left_foot, controls.right_foot)]
    turns = np.abs(np.diff(controls.pelvis_turn, axis=0)).max(axis=1) / 100.0
    return np.asarray(np.max([*hands, *feet, turns, np.linalg.norm(np.diff(controls.pelvis, axis=0), axis=1)], axis=0))


def _without_tail(controls: Controls, keep: int = 3, least: int = 10) -> Controls:
    busy = np.flatnonzero(_stillness(controls) > 0.006)
    last = int(busy[-1]) + 1 + keep if len(busy) else len(controls.pelvis) - 1
    return taken(controls, np.arange(min(max(last, least), len(controls.pelvis) - 1) + 1))


def _without_lead(controls: Controls, keep: int = 3, least: int = 10) -> Controls:
    busy = np.flatnonzero(_stillness(controls) > 0.006)
    first = int(busy[0]) - keep if len(busy) else 0
    return taken(controls, np.arange(max(min(first, len(controls.pelvis) - least), 0), len(controls.pelvis)))
