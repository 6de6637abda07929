"""What the checks have found of a character, a value a frame, kept on its armature and saved with the file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...shared.motion.checks import Found, check_named

PROBLEMS = "latentman_problems"
_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Problems:
    """What was found in the frames from `first` on, a check each."""

    first: int
    found: tuple[Found, ...]

    @property
    def worrying(self) -> tuple[Found, ...]:
        """The checks that have a problem somewhere."""
        return tuple(one for one in self.found if one.problem_frames)

    def starts(self) -> list[int]:
        """The scene's frames in which some problem begins, in order."""
        return sorted({self.first + start for one in self.found for start, _ in one.problems})


def store_problems(armature: Any, problems: Problems) -> None:
    """Keep what was found."""
    values = {one.check.name: [round(float(value), _DIGITS) for value in one.values] for one in problems.found}
    armature[PROBLEMS] = json.dumps({"first": problems.first, "values": values})


def stored_problems(armature: Any) -> Problems | None:
    """What was found at the last look; None if there was none."""
    return _parsed(armature.get(PROBLEMS, ""))


def forget_problems(armature: Any) -> None:
    """Forget it: the motion is another one now."""
    if PROBLEMS in armature:
        del armature[PROBLEMS]


def with_found(problems: Problems | None, first: int, found: Iterable[Found]) -> Problems:
    """What was found now, and what was found before by checks that were not done now, over the same frames."""
    new = tuple(found)
    done = {one.check.name for one in new}
    same = problems is not None and problems.first == first
    kept = [one for one in problems.found if one.check.name not in done] if same and problems is not None else []
    return Problems(first, new + tuple(one for one in kept if new and len(one.values) == len(new[0].values)))


@lru_cache(maxsize=16)  # a timeline draws it again and again
def _parsed(text: str) -> Problems | None:
    try:
        content = json.loads(text)
        rows = [(check_named(name), np.asarray(values, np.float64)) for name, values in content["values"].items()]
        return Problems(int(content["first"]), tuple(Found(check, values) for check, values in rows if check))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
