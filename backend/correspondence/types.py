"""The values that correspondence takes and gives.

A pixel is named by its flat row-major index `row * width + column`. "Current" is the frame that is written to,
"reference" the frame that is read from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.errors import PassesError

LAST_PART = 24


@dataclass(frozen=True, slots=True, eq=False)
class IUV:
    """One frame's body labels: DensePose part and the position inside that part's chart.

    Raises PassesError if the two arrays do not fit together.
    """

    part: NDArray[np.uint8]  # (height, width) 0 = background, 1..24
    uv: NDArray[np.float32]  # (height, width, 2) 0..1

    def __post_init__(self) -> None:
        if self.part.ndim != 2 or self.uv.shape != (*self.part.shape, 2):
            raise PassesError(
                "correspondence.shape",
                f"Part labels {self.part.shape} and chart positions {self.uv.shape} do not fit together; "
                "they must be (height, width) and (height, width, 2).",
            )
        if self.part.size and self.part.max() > LAST_PART:
            raise PassesError(
                "correspondence.labels", f"Part label {self.part.max()} is not between 0 and {LAST_PART}."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """An injective pixel map M_{i,i-1} from a current to a reference frame (LatentMan, equation 5).

    `current` is strictly increasing, and no pixel occurs twice in `reference`: writing through the map cannot depend
    on the order of the writes. Raises PassesError if that does not hold.
    """

    current: NDArray[np.int64]  # (n,) flat pixel indices, strictly increasing
    reference: NDArray[np.int64]  # (n,) flat pixel indices, unique
    height: int
    width: int

    def __post_init__(self) -> None:
        current, reference, cells = self.current, self.reference, self.height * self.width
        if current.ndim != 1 or current.shape != reference.shape:
            raise PassesError(
                "correspondence.shape", f"Matches join {current.shape} with {reference.shape}; both must be (n,)."
            )
        if self.height < 1 or self.width < 1:
            raise PassesError("correspondence.size", f"Matches of a {self.width}x{self.height} picture cannot be used.")
        if not current.size:
            return
        if min(current.min(), reference.min()) < 0 or max(current.max(), reference.max()) >= cells:
            raise PassesError(
                "correspondence.range", f"Matches name pixels outside the {self.width}x{self.height} picture."
            )
        if (np.diff(current) <= 0).any() or np.unique(reference).size != reference.size:
            raise PassesError(
                "correspondence.injective", "Matches are not sorted by current pixel or join a pixel twice."
            )

    def __len__(self) -> int:
        return int(self.current.size)


@dataclass(frozen=True, slots=True, eq=False)
class RootMap:
    """Where each pixel's value comes from in the end, after a whole chain of copies: `x[frame, cell]`."""

    frame: NDArray[np.int64]  # (frames, cells) index of the root frame, at most its own
    cell: NDArray[np.int64]  # (frames, cells) flat pixel index in the root frame


def empty_matches(height: int, width: int) -> Matches:
    """The map that joins nothing."""
    nothing = np.empty(0, np.int64)
    return Matches(nothing, nothing, height, width)
