"""Actions on the spot, a few related ones a file; all start and end in the home stance unless they say otherwise."""

from __future__ import annotations

from typing import Final

from backend.make.motion.library.action import Action
from backend.make.motion.library.in_place import (
    acting,
    dancing,
    exercise,
    feeling,
    fighting,
    floor,
    greeting,
    handling,
    head,
    playing,
    seated,
)

ACTIONS: Final[tuple[Action, ...]] = (
    *greeting.ACTIONS,
    *feeling.ACTIONS,
    *head.ACTIONS,
    *fighting.ACTIONS,
    *handling.ACTIONS,
    *exercise.ACTIONS,
    *playing.ACTIONS,
    *acting.ACTIONS,
    *dancing.ACTIONS,
    *seated.ACTIONS,
    *floor.ACTIONS,
)
