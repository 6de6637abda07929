"""The results of many texts in a few figures, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.measure.motion.measure import TextResult
from backend.measure.motion.physics import Physics, mean_of

SLIDE_GOAL_CM_PER_S = 2.0
RIGHT_GOAL = 0.9


@dataclass(frozen=True, slots=True)
class Summary:
    """Shares are of all texts, those that were refused included."""

    texts: int
    read: float  # the words named the right action
    seen: float  # the judge sees the right action in the motion
    seen_where_read: float  # the same, of the texts that were read rightly
    judge: float  # the judge is right on the library's held-out clips
    made: Physics
    library: Physics
    worst: tuple[tuple[str, int, int], ...]  # actions that the judge misses most: name, right, texts


def summary_of(results: Sequence[TextResult], judge: float, library: Sequence[Physics]) -> Summary:
    """The figures of the results."""
    read = np.array([result.read == result.wanted for result in results])
    seen = np.array([result.seen == result.wanted for result in results])
    figures = [result.physics for result in results if result.physics is not None]
    return Summary(
        texts=len(results),
        read=float(read.mean()),
        seen=float(seen.mean()),
        seen_where_read=float(seen[read].mean()) if read.any() else 0.0,
        judge=judge,
        made=mean_of(figures),
        library=mean_of(list(library)),
        worst=_worst(results),
    )


def _worst(results: Sequence[TextResult], count: int = 8) -> tuple[tuple[str, int, int], ...]:
    rows = []
    for action in dict.fromkeys(result.wanted for result in results):
        own = [result.seen == action for result in results if result.wanted == action]
        rows.append((action, sum(own), len(own)))
    missed = [row for row in rows if row[1] < row[2]]
    return tuple(sorted(missed, key=lambda row: (row[1] / row[2], row[0]))[:count])


def table_of(summary: Summary) -> str:
    """The figures as a Markdown table."""
    made, library = summary.made, summary.library
    rows = (
        ("texts whose action the words name rightly", f"{summary.read:.1%}", f"{RIGHT_GOAL:.0%}"),
        ("motions in which the judge sees the text's action", f"{summary.seen:.1%}", f"{RIGHT_GOAL:.0%}"),
        ("the same, of texts that were read rightly", f"{summary.seen_where_read:.1%}", ""),
        ("the judge itself, on clips of the library", f"{summary.judge:.1%}", ""),
        ("foot slide", f"{made.slide_cm_per_s:.2f} cm/s", f"under {SLIDE_GOAL_CM_PER_S:.0f} cm/s"),
        ("the library's foot slide", f"{library.slide_cm_per_s:.2f} cm/s", ""),
        ("jitter (mean jerk)", f"{made.jitter_m_per_s3:.1f} m/s³", f"{library.jitter_m_per_s3:.1f}, the library's"),
        ("deepest below the floor", f"{made.floor_cm:.1f} cm", ""),
    )
    lines = [f"| {summary.texts} held-out texts | measured | goal |", "|---|---|---|"]
    lines += [f"| {what} | {value} | {goal} |" for what, value, goal in rows]
    if summary.worst:
        missed = ", ".join(f"{name.replace('_', ' ')} ({right} of {texts})" for name, right, texts in summary.worst)
        lines += ["", f"The judge sees least of: {missed}."]
    return "\n".join(lines)
