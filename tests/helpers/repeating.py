"""What enlarges pictures by repeating each pixel: for jobs in tests, without the optional extra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Repeating:
    """Each pixel as a block of `factor` x `factor`."""

    factor: int
    stamp: str = "repeating 1"

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(height, width, 3), `factor` times as high and wide."""
        return picture.repeat(self.factor, axis=0).repeat(self.factor, axis=1)
