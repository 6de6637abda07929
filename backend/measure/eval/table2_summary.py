"""From cells to rows: means, changes against the baseline, and how far to trust them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from backend.measure.eval.cell_store import Cell, CellKey
from backend.measure.eval.table2_plan import BASELINES, ROWS

CONFIDENCE = 0.95

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95 % confidence interval; None where one prompt alone leaves no interval."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class FigureSummary:
    """One figure in one row: its mean over prompts, and its ratio to the baseline's mean."""

    mean: Interval
    ratio: Interval | None  # None in the baseline's own row, or where the baseline's mean is 0
    lower_in: int | None  # prompts in which it is below the baseline's


@dataclass(frozen=True, slots=True)
class RowSummary:
    """One row of the table. Seeds of one prompt are averaged first: they are no independent samples of prompts."""

    baseline: str
    row: str
    prompts: int
    clips: int
    figures: Mapping[str, FigureSummary]


# What is summed up: fields of a cell.
FIGURES = (
    "h_mse",
    "surface_1",
    "surface_4",
    "surface_variance",
    "warp_error",
    "body_variance",
    "background",
    "h_mse_released",
    "sharpness",
    "seconds",
)


def summarise(cells: Iterable[Cell]) -> list[RowSummary]:
    """Every row that has cells. Only prompts and seeds that all rows of a baseline have are compared."""
    by_key = {cell.key: cell for cell in cells}
    rows = []
    for baseline in BASELINES:
        clips = sorted(
            {
                (key.scene, key.seed)
                for key in by_key
                if key.baseline == baseline
                and all(CellKey(baseline, row.name, key.scene, key.seed) in by_key for row in ROWS)
            }
        )
        if clips:
            rows += [_row(by_key, baseline, row.name, clips) for row in ROWS]
    return rows


def _row(by_key: Mapping[CellKey, Cell], baseline: str, row: str, clips: Sequence[tuple[int, int]]) -> RowSummary:
    figures = {}
    for name in FIGURES:
        there: list[tuple[int, float, float]] = []
        for scene, seed in clips:
            own, base = (getattr(by_key[CellKey(baseline, which, scene, seed)], name) for which in (row, ROWS[0].name))
            if own is not None and base is not None:
                there.append((scene, own, base))
        if there:
            figures[name] = _figure(*_by_prompt(there), row == ROWS[0].name)
    return RowSummary(baseline, row, len({scene for scene, _ in clips}), len(clips), figures)


def _by_prompt(values: Sequence[tuple[int, float, float]]) -> tuple[Floats, Floats]:
    """(own, baseline's) means over the seeds of each prompt."""
    scenes = sorted({scene for scene, _, _ in values})
    means = [np.mean([pair for scene, *pair in values if scene == wanted], axis=0) for wanted in scenes]
    own, base = np.array(means, np.float64).T
    return own, base


def _figure(own: Floats, base: Floats, is_baseline: bool) -> FigureSummary:
    mean = _around(float(own.mean()), own - own.mean(), 1.0)
    if is_baseline or not base.mean():
        return FigureSummary(mean, None, None)
    # The ratio of two means and its error, linearised (Cochran, Sampling Techniques, 1977, section 6.3): unlike the
    # mean of ratios it is what the paper prints, and unlike two separate intervals it knows that prompts are paired.
    ratio = float(own.mean() / base.mean())
    return FigureSummary(mean, _around(ratio, own - ratio * base, float(base.mean())), int((own < base).sum()))


def _around(estimate: float, residuals: Floats, scale: float) -> Interval:
    """Student's interval: +- t s / (sqrt(n) scale) with n - 1 degrees of freedom."""
    n = residuals.size
    if n < 2:
        return Interval(estimate, None, None)
    spread = float(np.sqrt((residuals**2).sum() / (n - 1) / n) / scale)
    half = float(student_t.ppf(0.5 + CONFIDENCE / 2, n - 1)) * spread
    return Interval(estimate, estimate - half, estimate + half)
