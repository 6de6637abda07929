"""Which frames each clause of the texts gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backend.contract.motion_model import MotionModel, SpokenClause
from backend.motion.windows import Clause
from shared.errors import InputError
from shared.motion.humanml.layout import HUMANML_FPS

USUAL_SECONDS: Final = 6.0
_CLAUSE_SECONDS: Final = 3.0  # of one of several whose text says no time
_MOST_SECONDS: Final = 600.0
_LEAST_FRAMES: Final = 2


@dataclass(frozen=True, slots=True)
class Timed:
    """The clauses one after the other, and what to tell of how they were read."""

    clauses: tuple[Clause, ...]
    notes: tuple[str, ...]

    @property
    def frames(self) -> int:
        """Frames of the whole."""
        return self.clauses[-1].stop


def timed(model: MotionModel, texts: Sequence[str], seconds: Sequence[float] | None = None) -> Timed:
    """The clauses of texts that follow each other: seconds for each text, for all together, or none.

    Raises InputError for a time that cannot be, and for texts that the model cannot read.
    """
    if seconds is not None and len(seconds) not in (1, len(texts)):
        raise InputError(
            "motion.seconds",
            f"There are {len(texts)} texts, but {len(seconds)} lengths.",
            "Give one for each text, or one for all.",
        )
    require_seconds(seconds or ())
    spoken = [model.read(text) for text in texts]
    if seconds is not None and len(seconds) == len(texts):
        lengths = [length for read, one in zip(spoken, seconds, strict=True) for length in _shared(read, one)]
    else:
        lengths = _shared([clause for read in spoken for clause in read], None if seconds is None else seconds[0])
    return _laid_out([clause for read in spoken for clause in read], lengths)


def require_seconds(seconds: Sequence[float]) -> None:
    """Raises InputError for a time that no motion takes."""
    least = 2.0 * _LEAST_FRAMES / HUMANML_FPS
    for one in seconds:
        if not least <= one <= _MOST_SECONDS:  # also refuses NaN
            what = f"A motion cannot be {one:g} seconds long."
            raise InputError("motion.seconds", what, f"Choose {least:g} to {_MOST_SECONDS:.0f} seconds.")


def _shared(clauses: Sequence[SpokenClause], total: float | None) -> list[float]:
    """Seconds of each clause: its own, the rest divided among those without; all scaled where they do not fit."""
    lone = USUAL_SECONDS if len(clauses) == 1 else _CLAUSE_SECONDS
    if total is None:
        return [clause.seconds or lone for clause in clauses]
    open_count = sum(clause.seconds is None for clause in clauses)
    said = sum(clause.seconds or 0.0 for clause in clauses)
    each = (total - said) / open_count if open_count and said < total else 0.0
    if each <= 0.0:
        wanted = [clause.seconds or lone for clause in clauses]
        return [length * total / sum(wanted) for length in wanted]
    return [clause.seconds or each for clause in clauses]


def _laid_out(clauses: Sequence[SpokenClause], lengths: Sequence[float]) -> Timed:
    laid, end_s, start = [], 0.0, 0
    for clause, length in zip(clauses, lengths, strict=True):
        end_s += length
        stop = max(round(end_s * HUMANML_FPS), start + _LEAST_FRAMES)
        laid.append(Clause(clause.text, start, stop))
        start = stop
    return Timed(tuple(laid), tuple(clause.note for clause in clauses if clause.note))
