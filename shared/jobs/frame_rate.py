"""Frame rates as they are meant: 29.97 is 30/1.001, whatever a single-precision number or a user makes of it."""

from __future__ import annotations

from fractions import Fraction

_NTSC = Fraction(1001, 1000)
_NEAR = 2e-4  # relative: 23.98 is as near to 24/1.001 as people write it
_MOST_PARTS = 1001


def exact_rate(fps: float) -> Fraction:
    """The rate that a number of frames a second stands for: whole, whole divided by 1.001, or the nearest fraction."""
    for divisor in (Fraction(1), _NTSC):
        whole = round(fps * divisor)
        if whole and abs(fps - whole / divisor) <= _NEAR * fps:
            return whole / divisor
    return Fraction(fps).limit_denominator(_MOST_PARTS)


def rate_and_base(fps: float) -> tuple[int, float]:
    """The same as Blender has it, a whole number and its divisor: (30, 1.001), as its own presets."""
    rate = exact_rate(fps)
    if rate * _NTSC == round(rate * _NTSC):
        return round(rate * _NTSC), float(_NTSC)
    return round(fps) or 1, float((round(fps) or 1) / rate)
