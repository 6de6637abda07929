"""From the clips of the comparison of methods to rows: means, ratios to the baseline, and bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.measure.eval.cell_store import CellKey
from backend.measure.eval.methods_plan import BASELINE, ROWS
from backend.measure.eval.methods_run import MethodCell
from backend.measure.eval.table2_summary import CONFIDENCE, Interval

RESAMPLES = 2_000
FEWEST_SHOTS = 2  # for an interval

FIGURES = (
    "surface_1",
    "surface_4",
    "surface_8",
    "floor_1",
    "sharpness",
    "slope",
    "mask_iou",
    "background",
    "seconds",
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MethodSummary:
    """One row of the table. Seeds of one shot are averaged first: they are no independent samples of shots."""

    row: str
    shots: int
    clips: int
    means: Mapping[str, Interval]  # by figure, over the shots that have it
    ratios: Mapping[str, Interval]  # its mean over the baseline's, over the shots where both have it
    seam: Interval | None  # mean difference across seams over that inside segments


def summarise_methods(cells: Iterable[MethodCell], rows: Sequence[str]) -> list[MethodSummary]:
    """Every row of `rows` (labels), the baseline first; only shots and seeds that all of them have are compared.

    Intervals are the percentiles of `RESAMPLES` draws of the shots with replacement (Efron and Tibshirani, 1993,
    chapter 13); a ratio draws the shots of both rows together.
    """
    by_key = {cell.key: cell for cell in cells}
    clips = sorted(
        {
            (key.scene, key.seed)
            for key in by_key
            if all(CellKey(BASELINE, row, key.scene, key.seed) in by_key for row in rows)
        }
    )
    return [_row(by_key, row, clips) for row in rows] if clips else []


def _row(by_key: Mapping[CellKey, MethodCell], row: str, clips: Sequence[tuple[int, int]]) -> MethodSummary:
    own = [by_key[CellKey(BASELINE, row, *clip)] for clip in clips]
    base = [by_key[CellKey(BASELINE, ROWS[0].label, *clip)] for clip in clips]
    means: dict[str, Interval] = {}
    ratios: dict[str, Interval] = {}
    for name in FIGURES:
        values = [getattr(cell, name) for cell in own]
        mean = _bootstrap(_by_shot(clips, values, [1.0] * len(clips)))
        ratio = _bootstrap(_by_shot(clips, values, [getattr(cell, name) for cell in base]))
        means |= {} if mean is None else {name: mean}
        ratios |= {} if ratio is None else {name: ratio}
    across, inside = ([getattr(cell, name) for cell in own] for name in ("across_seams", "inside_segments"))
    shots = len({shot for shot, _ in clips})
    return MethodSummary(row, shots, len(clips), means, ratios, _bootstrap(_by_shot(clips, across, inside)))


def _by_shot(
    clips: Sequence[tuple[int, int]], values: Sequence[float | None], against: Sequence[float | None]
) -> Floats:
    """(shots, 2) means over the seeds of each shot, of the clips that have both."""
    found: dict[int, list[tuple[float, float]]] = {}
    for (shot, _), own, other in zip(clips, values, against, strict=True):
        if own is not None and other is not None:
            found.setdefault(shot, []).append((own, other))
    return np.array([np.mean(pairs, axis=0) for pairs in found.values()], np.float64).reshape(-1, 2)


def _bootstrap(pairs: Floats) -> Interval | None:
    """The ratio of the two columns' means, None if there is none."""
    shots = len(pairs)
    if not shots or not pairs[:, 1].sum():
        return None
    estimate = float(pairs[:, 0].sum() / pairs[:, 1].sum())
    if shots < FEWEST_SHOTS:
        return Interval(estimate, None, None)
    drawn = np.random.default_rng(0).integers(0, shots, (RESAMPLES, shots))
    own, other = pairs[drawn].sum(axis=1).T
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = own / other
    low, high = np.nanquantile(ratios, (0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2))
    return Interval(estimate, float(low), float(high))
