"""Keys in seconds: a few values at a few times become one value a frame, however fast the action is played."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from backend.make.motion.curves import late, smoothstep

Array = npt.NDArray[np.float64]
Value = float | tuple[float, ...]
Keys = Mapping[float, Value]

FPS = 20.0


def action_times(seconds: float, speed: float = 1.0) -> Array:
    """The action's own time at every frame of a clip, (frames,) seconds, when `seconds` of it are played at `speed`."""
    frames = max(2, round(seconds / speed * FPS) + 1)
    return np.linspace(0.0, seconds, frames)


def minimum_jerk(share: npt.ArrayLike) -> Array:
    """0 below 0, 1 above 1, 10s^3 - 15s^4 + 6s^5 between: how a hand moves from rest to rest (Flash & Hogan, 1985)."""
    s = np.clip(np.asarray(share, dtype=np.float64), 0.0, 1.0)
    return np.asarray(s**3 * (10.0 - 15.0 * s + 6.0 * s * s), dtype=np.float64)


def rested(times: Array, keys: Keys) -> Array:
    """Values (frames,) or (frames, n) that come to rest at every key, with minimum jerk between; held outside."""
    at, values = _columns(keys)
    index = np.clip(np.searchsorted(at, times, side="right") - 1, 0, max(len(at) - 2, 0))
    if len(at) == 1:
        return _shaped(np.repeat(values, len(times), axis=0), keys)
    share = minimum_jerk((times - at[index]) / (at[index + 1] - at[index]))[:, None]
    return _shaped(values[index] + share * (values[index + 1] - values[index]), keys)


def flowing(times: Array, keys: Keys) -> Array:
    """Values (frames,) or (frames, n) that swing through their keys, at rest at both ends; held outside."""
    at, values = _columns(keys)
    spline = CubicSpline(at, values, bc_type="clamped")
    return _shaped(np.asarray(spline(np.clip(times, at[0], at[-1])), dtype=np.float64), keys)


def pulse(times: Array, start: float, end: float, ease_s: float = 0.3) -> Array:
    """(frames,) 0 outside start..end, 1 inside; both edges take `ease_s` seconds, inside the span."""
    ease = max(min(ease_s, 0.5 * (end - start)), 1e-6)
    rise, fall = smoothstep((times - start) / ease), smoothstep((end - times) / ease)
    return np.asarray(rise * fall, dtype=np.float64)


def delayed(values: Array, seconds: float) -> Array:
    """The same curve some seconds of the clip later: parts that hang on others follow through."""
    return late(values, seconds * FPS)


def _columns(keys: Keys) -> tuple[Array, Array]:
    pairs = sorted(keys.items())
    at = np.array([time for time, _ in pairs], dtype=np.float64)
    values = np.array([value for _, value in pairs], dtype=np.float64).reshape(len(at), -1)
    return at, values


def _shaped(values: Array, keys: Keys) -> Array:
    scalar = not isinstance(next(iter(keys.values())), tuple)
    return values[:, 0] if scalar else values
