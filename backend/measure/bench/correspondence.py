"""`latentman bench correspondence`: our assignment beside SciPy's dense solver, and the surface method alone."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from backend.correspondence.assignment import match_assignment
from backend.correspondence.chart_index import chart_index
from backend.correspondence.features import part_features
from backend.correspondence.pairs import frame_iuv, pair_matches
from backend.correspondence.types import IUV, LAST_PART, Matches
from backend.measure.bench.shot import FRAMING, View, bench_shot
from backend.measure.bench.timing import Report, thread_timed
from shared.errors import InputError

Floats = NDArray[np.float64]
# Feature units for a pair of pixels: what the costs of two optimal pairings may differ by.
SAME_COST = 1e-6
_WARM_UP_SIZE = 32


@dataclass(frozen=True, slots=True)
class CorrespondenceBench:
    """What is run. `dense_bytes` is how large the dense solver's cost matrix of a part may be."""

    sizes: tuple[int, ...] = (64, 256, 512)
    views: tuple[View, ...] = ("full body", "close-up")
    repeats: int = 1
    dense_bytes: int = 4_000_000_000
    surface_repeats: int = 5

    def __post_init__(self) -> None:
        if not self.sizes or not self.views or min(self.sizes) < 8 or self.repeats < 1 or self.surface_repeats < 1:
            raise InputError("bench.settings", "The bench needs sizes of at least 8, a view and at least 1 repeat.")
        unknown = [view for view in self.views if view not in FRAMING]
        if unknown:
            raise InputError(
                "bench.views", f"There is no view {unknown[0]!r}.", f"The views are: {', '.join(FRAMING)}."
            )


@dataclass(frozen=True, slots=True)
class CorrespondenceRow:
    """One pair of frames at one size, in processor time of one thread.

    `dense_s` is None where a part's cost matrix does not fit; `note` says so.
    """

    size: int
    view: str
    pixels: int
    largest_part: int
    ours_s: float
    dense_s: float | None
    dense_over_ours: float | None
    proof: str
    surface_ms: float
    note: str = ""


def run_correspondence(bench: CorrespondenceBench, report: Report) -> tuple[CorrespondenceRow, ...]:
    """Run the bench on two consecutive frames of the sample motion."""
    _row(bench, bench.views[0], _WARM_UP_SIZE)
    rows = []
    for view in bench.views:
        for size in bench.sizes:
            report(f"{view} at {size}")
            rows.append(_row(bench, view, size))
    return tuple(rows)


def _row(bench: CorrespondenceBench, view: View, size: int) -> CorrespondenceRow:
    passes = bench_shot(2, size, view)
    current, reference = frame_iuv(passes, 1, size, size), frame_iuv(passes, 0, size, size)
    counts = [(int((current.part == part).sum()), int((reference.part == part).sum())) for part in _parts()]
    needed = max(_dense_bytes(*count) for count in counts)
    fits = needed <= bench.dense_bytes
    ours_s, dense_s = [], []
    for turn in range(bench.repeats):
        # In turn, so that what slows the machine slows both.
        for dense in ((False, True) if turn % 2 == 0 else (True, False))[: 2 if fits else 1]:
            if dense:
                seconds, optimum = thread_timed(lambda: _dense_costs(current, reference))
                dense_s.append(seconds)
            elif fits or turn % 2 == 0:
                seconds, matches = thread_timed(lambda: match_assignment(current, reference))
                ours_s.append(seconds)
    ours, dense_median = statistics.median(ours_s), statistics.median(dense_s) if dense_s else None
    index = chart_index(passes.charts)
    surface = [
        thread_timed(lambda: pair_matches(passes, 1, 0, size, size, method="surface", index=index))[0]
        for _ in range(bench.surface_repeats)
    ]
    return CorrespondenceRow(
        size=size,
        view=view,
        pixels=sum(count for count, _ in counts),
        largest_part=max(max(count) for count in counts),
        ours_s=ours,
        dense_s=dense_median,
        dense_over_ours=None if dense_median is None else dense_median / ours,
        proof=_compare(_costs(current, reference, matches), optimum) if fits else "by duality, in the solver",
        surface_ms=1000 * statistics.median(surface),
        note="" if fits else f"dense left out: a part's cost matrix takes {needed / 1e9:.1f} GB",
    )


def _parts() -> range:
    return range(1, LAST_PART + 1)


def _dense_bytes(rows: int, columns: int) -> int:
    """SciPy's solver copies a matrix that has more rows than columns."""
    return rows * columns * 8 * (2 if rows > columns else 1)


def _dense_costs(current: IUV, reference: IUV) -> list[float]:
    """The smallest cost of each part, by the dense solver."""
    costs = []
    for part in _parts():
        here, there = _part_points(current, part), _part_points(reference, part)
        if here is None or there is None:
            costs.append(0.0)
            continue
        cost = cdist(here, there)
        costs.append(float(cost[linear_sum_assignment(cost)].sum()))
    return costs


def _part_points(frame: IUV, part: int) -> Floats | None:
    pixels = np.flatnonzero(frame.part == part)
    return part_features(frame, pixels, "paper") if pixels.size else None


def _costs(current: IUV, reference: IUV, matches: Matches) -> list[float]:
    """The cost of each part under these matches."""
    costs = []
    for part in _parts():
        here, there = np.flatnonzero(current.part == part), np.flatnonzero(reference.part == part)
        joined = current.part.reshape(-1)[matches.current] == part
        if not joined.any():
            costs.append(0.0)
            continue
        row = np.searchsorted(here, matches.current[joined])
        column = np.searchsorted(there, matches.reference[joined])
        difference = part_features(current, here, "paper")[row] - part_features(reference, there, "paper")[column]
        costs.append(float(np.linalg.norm(difference, axis=1).sum()))
    return costs


def _compare(ours: Sequence[float], dense: Sequence[float]) -> str:
    worst = max(abs(one - other) / max(1.0, other) for one, other in zip(ours, dense, strict=True))
    return "the same cost" if worst <= SAME_COST else f"COSTS DIFFER by {worst:.1e}"
