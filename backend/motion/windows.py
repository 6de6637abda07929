"""Which calls of a motion model make up a clip: windows that overlap what was made before.

A model sees at most its `longest` frames. A later window begins with frames that are given, bit for bit, from the
window before (inpainting, as MDM's prefix), so that it goes on from there and nothing has to be blended. PriorMDM's
DoubleTake makes all windows at once and averages their overlaps instead: it blends two motions that need not agree,
which slides feet, and keeps no frame exactly; one window after the other costs the same and can be stopped anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.contract.motion_model import MotionModelFacts

Frames = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Clause:
    """A text and the frames that it describes, from `start` up to, not including, `stop`."""

    text: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Window:
    """One call: what of the clip the model sees. Frames that are known, or made by then, are given."""

    text: str
    start: int
    stop: int


def plan_windows(unknown: Frames, clauses: Sequence[Clause], facts: MotionModelFacts) -> list[Window]:
    # unknown (frames,): true where something is to be made
    """The windows in the order in which they are made; each unknown frame is made in exactly one of them."""
    return list(_windows(unknown.copy(), clauses, facts))


def _windows(left: Frames, clauses: Sequence[Clause], facts: MotionModelFacts) -> Iterator[Window]:
    for clause in clauses:
        while left[clause.start : clause.stop].any():
            first = clause.start + int(np.argmax(left[clause.start : clause.stop]))
            window = (_paced if facts.paced else _free)(first, clause, left, facts)
            yield window
            left[first : min(window.stop, clause.stop)] = False


def _paced(first: int, clause: Clause, _left: Frames, facts: MotionModelFacts) -> Window:
    """The context before the first frame, as far as there is one, and as many new frames as the model makes."""
    start = max(first - facts.context, 0)
    return Window(clause.text, start, min(first + facts.longest - facts.context, clause.stop))


def _free(first: int, clause: Clause, left: Frames, facts: MotionModelFacts) -> Window:
    """As much of the clause as fits: it reaches back beyond the context where the clause's end would leave room.

    It reaches no further than the context into another clause, whose motion has another text. Behind the clause, only
    frames that are known are seen.
    """
    start = max(first - facts.context, 0)
    start = max(min(start, clause.stop - facts.longest), clause.start - facts.context, 0)
    stop = min(start + facts.longest, clause.stop)
    if stop == clause.stop:
        behind = left[stop : min(start + facts.longest, stop + facts.context)]
        stop += int(np.argmax(behind)) if behind.any() else len(behind)
    return Window(clause.text, start, stop)
