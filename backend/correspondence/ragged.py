"""Index arithmetic for lists of different lengths that are stored one after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ranges(start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
    """The integers of several half-open ranges, `start` (n,) to `stop` (n,), one range after the other."""
    length = stop - start
    before = np.cumsum(length) - length
    return np.asarray(np.arange(length.sum()) + (start - before).repeat(length))
