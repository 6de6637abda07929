"""Parts of pictures and of maps of latents, in cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor


@dataclass(frozen=True, slots=True)
class CellBox:
    """Rows `top` to `bottom - 1` and columns `left` to `right - 1` of a map of cells or pixels."""

    top: int
    left: int
    bottom: int
    right: int

    def scaled(self, factor: int) -> CellBox:
        """The same box where each cell is `factor` cells wide and high."""
        return CellBox(self.top * factor, self.left * factor, self.bottom * factor, self.right * factor)

    def halved(self) -> CellBox:
        """The smallest box of cells twice as large that covers it."""
        return CellBox(self.top // 2, self.left // 2, -(-self.bottom // 2), -(-self.right // 2))

    def grown(self, cells: int, height: int, width: int) -> CellBox:
        """The box with `cells` more on each side, inside a height x width map."""
        return CellBox(
            max(self.top - cells, 0),
            max(self.left - cells, 0),
            min(self.bottom + cells, height),
            min(self.right + cells, width),
        )

    def joined(self, other: CellBox) -> CellBox:
        """The smallest box that covers both."""
        return CellBox(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def cut_from(self, values: Tensor, place: CellBox) -> Tensor:
        """This box's part of values (..., height, width) that lie at `place`, a box around it."""
        rows = slice(self.top - place.top, self.bottom - place.top)
        columns = slice(self.left - place.left, self.right - place.left)
        return values[..., rows, columns]


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture to be decoded, in latent cells, and whose group norm statistics the decoder shall take.

    "own": those of the latents at hand, at the cost of a whole decode without gradients; "first": those of the shot's
    frame 0 at the same step, measured once a step for all frames.
    """

    box: CellBox
    statistics: Literal["own", "first"]
