"""Values that are wanted in some frames and fade to nothing away from them, without a kink and without a swing past it.

With weights w_t and a tension m the values x minimise

    sum w_t |x_t - v_t|^2 + m sum |x_(t+1) - x_t|^2 + sum |x_(t-1) - 2 x_t + x_(t+1)|^2,

Eilers' smoother ("A Perfect Smoother", 2003) under tension. With w = 1/f^4 and m = 2/f^2 a value dies away like
(1 + t/f) exp(-t/f), the fastest way that does not swing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..contacts import Mask, runs

Array = npt.NDArray[np.float64]

_FIRST: Final = (-1.0, 1.0)
_SECOND: Final = (1.0, -2.0, 1.0)
_HELD: Final = 1e5  # weight of a frame in which a value is wanted
_NOTHING_M: Final = 5e-5  # what is less is nothing, and the frame stays as it is


def eased(wanted: Array, held: Mask, fade_frames: float) -> Array:  # (frames, n) metres, (frames,)
    """`wanted` in the frames that are `held`, and on both sides of them a fade to 0.

    `fade_frames` is f of the module's text: after twice as many 40 % are left, after four times as many 9 %.
    """
    if not held.any():
        return np.zeros_like(wanted)
    fade = max(fade_frames, 1.0)
    values = smoothed(np.where(held[:, None], wanted, 0.0), np.where(held, _HELD, fade**-4.0), tension=2.0 * fade**-2.0)
    values[np.linalg.norm(values, axis=-1) < _NOTHING_M] = 0.0
    return values


def without_tremble(wanted: Array, held: Mask, tremble_frames: float) -> Array:  # (frames, n), (frames,)
    """`wanted` in the frames that are `held`, each run of them along local straight lines; 0 elsewhere."""
    steady = np.zeros_like(wanted)
    for first, last in runs(held):
        steady[first : last + 1] = local_lines(wanted[first : last + 1], tremble_frames)
    return steady


def smoothed(values: Array, weights: Array, *, tension: float = 0.0) -> Array:  # (frames, n), (frames,) above 0
    """The minimum of the module's text, (frames, n). The smaller a weight, the smoother."""
    if len(values) < 3:
        return values.copy()
    bands = np.zeros((len(values), 3))  # of the matrix: its diagonal, and the two beside it
    for difference, amount in ((_FIRST, tension), (_SECOND, 1.0)):
        for beside in range(len(difference)):
            for row in range(len(difference) - beside):
                last = len(values) - len(difference) + 1 + row
                bands[row:last, beside] += amount * difference[row] * difference[row + beside]
    bands[:, 0] += weights
    return _solved(bands, values * weights[:, None])


def local_lines(way: Array, deviation: float) -> Array:  # (frames, n)
    """A way without tremble: at each frame the straight line through those around, weighted by a Gaussian."""
    reach = min(int(np.ceil(3.0 * deviation)), len(way) - 1)
    apart = np.arange(-reach, reach + 1, dtype=np.float64)
    weights = np.exp(-0.5 * (apart / max(deviation, 1e-9)) ** 2)
    ones = np.ones((len(way), 1))
    total, first, second = (_gathered(ones, weights * apart**power) for power in range(3))
    divisor = total * second - first**2
    lines = (second * _gathered(way, weights) - first * _gathered(way, weights * apart)) / np.where(
        divisor > 1e-9, divisor, 1.0
    )
    return np.asarray(np.where(divisor > 1e-9, lines, way))


def _gathered(values: Array, weights: Array) -> Array:  # (frames, n), (2 reach + 1,)
    """For each frame the weighted sum of the frames around it, as far as there are any."""
    reach = len(weights) // 2
    padded = np.pad(values, ((reach, reach), (0, 0)))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, len(weights), axis=0) @ weights)


def _solved(bands: Array, right: Array) -> Array:
    """Solves a symmetric system of five diagonals by L D L^T."""
    value = right.copy()
    diagonal, one, two = np.zeros(len(right)), np.zeros(len(right)), np.zeros(len(right))
    for t in range(len(right)):  # one, two: column t of L, one and two rows below its diagonal
        d, off = bands[t, 0], bands[t, 1]
        if t >= 1:
            d -= one[t - 1] ** 2 * diagonal[t - 1]
            off -= one[t - 1] * two[t - 1] * diagonal[t - 1]
            value[t] -= one[t - 1] * value[t - 1]
        if t >= 2:
            d -= two[t - 2] ** 2 * diagonal[t - 2]
            value[t] -= two[t - 2] * value[t - 2]
        diagonal[t], one[t], two[t] = d, off / d, bands[t, 2] / d
    value /= diagonal[:, None]
    for t in range(len(right) - 2, -1, -1):
        value[t] -= one[t] * value[t + 1]
        if t + 2 < len(right):
            value[t] -= two[t] * value[t + 2]
    return value
