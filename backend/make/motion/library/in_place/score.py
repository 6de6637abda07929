"""Keys in seconds become one value a frame: curves of least jerk through keys, hands, and feet that step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BPoly, PchipInterpolator

from backend.make.motion.library.action import Variation
from backend.make.motion.library.hands import HandPlace
from backend.make.motion.library.stand import HOME_X_M, HOME_YAW
from backend.make.motion.library.timing import Keys, action_times, delayed, minimum_jerk, pulse
from backend.make.motion.puppet import Foot, Hand

Array = npt.NDArray[np.float64]
Vector = tuple[float, float, float]

SHIFT_S = 0.5  # seconds that a shift of the weight takes before a step, and after one
_DRAG_S = 0.03  # the arm follows the body by this, its hand by twice this


@dataclass(frozen=True, slots=True)
class Step:
    """One foot in the air from `start` to `end`, seconds; it comes down at x, z (metres) with `yaw` degrees."""

    start: float
    end: float
    x: float
    z: float
    yaw: float
    height_m: float = 0.06
    heel: float = 26.0  # degrees by which the heel leads on leaving the floor


def xyz(x: npt.ArrayLike, y: npt.ArrayLike, z: npt.ArrayLike) -> Array:
    """(frames, 3) of three curves (frames,), two of which may be numbers; also for yaw, pitch and roll."""
    return np.stack(np.broadcast_arrays(*(np.asarray(part, dtype=np.float64) for part in (x, y, z))), axis=1)


class Score:
    """A length of time in the action's own seconds: turns keys into one value a frame."""

    def __init__(self, seconds: float, variation: Variation, around_s: float = 0.0) -> None:
        """Times from 0 to `seconds`, and `around_s` before and after, in which the weight can shift for a step."""
        self.seconds = seconds
        self.time = action_times(seconds + 2.0 * around_s, variation.speed) - around_s
        self.frames = len(self.time)

    def still(self, value: float | Vector = 0.0) -> Array:
        """The same value in every frame: (frames,) or (frames, 3)."""
        return np.tile(np.asarray(value, dtype=np.float64), (self.frames,) + np.ndim(value) * (1,))

    def move(self, keys: Keys) -> Array:
        """(frames,) or (frames, 3): least jerk between keys at which it turns, through the others without overshoot.

        Quintic pieces with the slopes of Fritsch & Carlson (1980) and no acceleration at the keys; between two keys
        without slope a piece is the minimum-jerk curve of Flash & Hogan (1985).
        """
        times = np.array(sorted(keys), dtype=np.float64)
        values = np.array([keys[time] for time in sorted(keys)], dtype=np.float64)
        if len(times) == 1:
            return np.repeat(values, self.frames, axis=0)
        slopes = np.asarray(PchipInterpolator(times, values).derivative()(times))
        slopes[[0, -1]] = 0.0
        curve = BPoly.from_derivatives(times, np.stack([values, slopes, np.zeros_like(values)], axis=1))
        return np.asarray(curve(np.clip(self.time, times[0], times[-1])), dtype=np.float64)

    def hand(self, keys: Mapping[float, HandPlace], drag_s: float = _DRAG_S) -> Hand:
        """A hand through its places; it hangs `drag_s` seconds behind the keys."""
        reach = self.move({time: place.reach for time, place in keys.items()})
        elbow = self.move({time: place.elbow for time, place in keys.items()})
        flex = self.move({time: place.flex for time, place in keys.items()})
        return Hand(delayed(reach, drag_s), delayed(elbow, drag_s), delayed(flex, 2.0 * drag_s))

    def foot(self, side: float, *steps: Step, knee_out: float = 0.0) -> Foot:
        """A foot that starts at home (side 1 left, -1 right) and makes the steps one after the other."""
        place, turn, pitch = self.still((side * HOME_X_M, 0.0, 0.0)), self.still(side * HOME_YAW), self.still()
        for step in steps:
            share = np.clip((self.time - step.start) / (step.end - step.start), 0.0, 1.0)
            ease = minimum_jerk((share - 0.14) / 0.74)  # along the floor only while the foot is off it
            place[:, 0] += ease * (step.x - place[:, 0])
            place[:, 2] += ease * (step.z - place[:, 2])
            place[:, 1] += step.height_m * minimum_jerk(share / 0.5) * minimum_jerk((1.0 - share) / 0.5)
            turn += ease * (step.yaw - turn)
            pitch += step.heel * np.sin(np.pi * share**0.7) ** 2
        return Foot(place, turn, pitch, self.still(knee_out))

    def out_and_home(self, side: float, out: Step, back: Step, knee_out: float = 0.0) -> Foot:
        """A foot that steps out of the home stance and, in the end, back to it; `back` says only when."""
        home = Step(back.start, back.end, side * HOME_X_M, 0.0, side * HOME_YAW, back.height_m, back.heel)
        return self.foot(side, out, home, knee_out=knee_out)

    def pulse(self, start: float, end: float, ease: float = 0.3) -> Array:
        """(frames,) 0 outside, 1 inside of a span of seconds, with soft edges of `ease` seconds."""
        return pulse(self.time, start, end, ease)

    def beat(self, seconds: float, start: float = 0.0) -> Array:
        """(frames,) a sine of that period that starts at `start`, upwards."""
        return np.asarray(np.sin(2.0 * np.pi * (self.time - start) / seconds), dtype=np.float64)
