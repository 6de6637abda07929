"""Keyed curves: a few values at a few frames become one value a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline, PchipInterpolator

Array = npt.NDArray[np.float64]
Keys = Mapping[int, float] | Mapping[float, float] | Mapping[int, tuple[float, ...]] | Mapping[float, tuple[float, ...]]
_Spline = Callable[[Array, Array], Callable[[Array], Array]]


def eased(keys: Keys, frames: int) -> Array:
    """Values (frames,) or (frames, n) that rest at every key where the direction turns, and never overshoot a key.

    Piecewise cubic Hermite (Fritsch & Carlson, 1980); held before the first and after the last key.
    """
    return _sampled(PchipInterpolator, keys, frames)


def flowing(keys: Keys, frames: int) -> Array:
    """Values (frames,) or (frames, n) with continuous acceleration, for limbs that swing through their keys.

    Cubic spline, at rest at both ends; held before the first and after the last key.
    """

    return _sampled(lambda times, values: CubicSpline(times, values, bc_type="clamped"), keys, frames)


def late(values: Array, frames: float) -> Array:
    """The same curve some frames later; its first value is held. Parts that hang on others follow them late."""
    times = np.arange(len(values), dtype=np.float64)
    columns = values.reshape(len(values), -1)
    moved = np.stack([np.interp(times - frames, times, column) for column in columns.T], axis=1)
    return moved.reshape(values.shape)


def smoothstep(amount: npt.ArrayLike) -> Array:
    """0 below 0, 1 above 1, 3a^2 - 2a^3 between."""
    a = np.clip(np.asarray(amount, dtype=np.float64), 0.0, 1.0)
    return np.asarray(a * a * (3.0 - 2.0 * a), dtype=np.float64)


def _sampled(make: _Spline, keys: Keys, frames: int) -> Array:
    pairs = sorted(keys.items())
    times = np.array([time for time, _ in pairs], dtype=np.float64)
    values = np.array([value for _, value in pairs], dtype=np.float64)
    now = np.clip(np.arange(frames, dtype=np.float64), times[0], times[-1])
    return np.asarray(make(times, values)(now), dtype=np.float64)
