"""Frame rates: what a number stands for, and how Blender has it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from shared.jobs.frame_rate import exact_rate, rate_and_base

NTSC_30 = Fraction(30_000, 1001)

RATES: list[tuple[float, Fraction, tuple[int, float]]] = [
    (24.0, Fraction(24), (24, 1.0)),
    (29.97, NTSC_30, (30, 1.001)),
    (30 / 1.001, NTSC_30, (30, 1.001)),
    (float(30 / np.float32(1.001)), NTSC_30, (30, 1.001)),  # Blender's divisor has single precision
    (23.976, Fraction(24_000, 1001), (24, 1.001)),
    (23.98, Fraction(24_000, 1001), (24, 1.001)),
    (59.94, Fraction(60_000, 1001), (60, 1.001)),
    (12.5, Fraction(25, 2), (12, 0.96)),
    (1.0, Fraction(1), (1, 1.0)),
    (119.88, Fraction(120_000, 1001), (120, 1.001)),
]


@pytest.mark.parametrize(("fps", "rate", "blender"), RATES)
def test_a_number_stands_for_a_rate(fps: float, rate: Fraction, blender: tuple[int, float]) -> None:
    assert exact_rate(fps) == rate
    assert rate_and_base(fps) == pytest.approx(blender)
    whole, base = rate_and_base(fps)
    assert whole / base == pytest.approx(fps, rel=2e-4)


@pytest.mark.parametrize("fps", [29.5, 29.9, 24.5, 7.3])
def test_other_rates_stay_what_they_are(fps: float) -> None:
    assert float(exact_rate(fps)) == pytest.approx(fps, rel=1e-6)
