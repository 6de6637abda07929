"""What the embedded motion model is asked for, as the numbers that take the place of a text's code in MDM."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Side = Literal["", "left", "right"]

_EXTRA = 4  # speed, amplitude, left, right
_SPEED_OCTAVE = 0.5  # log2 of the fastest speed, about: the number is -1 to 1
_AMPLITUDE_SPAN = 0.4
_LOUD = 4.0  # what all are multiplied by: the weights behind them, which few clips train, then learn faster


@dataclass(frozen=True, slots=True)
class Request:
    """One action and how it is done."""

    action: str
    style: str = "neutral"
    speed: float = 1.0  # of the action's own tempo
    amplitude: float = 1.0  # how far it reaches
    side: Side = ""  # empty leaves it open


@dataclass(frozen=True, slots=True)
class ConditionLayout:
    """Which number means what: an action each, a style each, speed, amplitude, left, right."""

    actions: tuple[str, ...]
    styles: tuple[str, ...]

    @property
    def width(self) -> int:
        """Numbers of a condition."""
        return len(self.actions) + len(self.styles) + _EXTRA

    def vectors(self, requests: Sequence[Request]) -> NDArray[np.float32]:
        """Conditions (requests, width). Raises ValueError for an action or a style that the model does not have."""
        found = np.zeros((len(requests), self.width), np.float32)
        for row, asked in zip(found, requests, strict=True):
            row[self.actions.index(asked.action)] = 1.0
            row[len(self.actions) + self.styles.index(asked.style)] = 1.0
            row[-4] = math.log2(asked.speed) / _SPEED_OCTAVE
            row[-3] = (asked.amplitude - 1.0) / _AMPLITUDE_SPAN
            row[-2], row[-1] = float(asked.side == "left"), float(asked.side == "right")
        return found * np.float32(_LOUD)
