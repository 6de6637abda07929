"""The atlas: one picture with the charts of the 24 parts side by side, and which point of the body a place in it is.

    +----+----+----+----+----+----+     Six by four square tiles, part 1 at the top left, row by row. A part's chart
    |  1 |  2 |  3 |  4 |  5 |  6 |     fills its tile but for a margin on every side, u to the right and v up. Pixels
    +----+----+----+----+----+----+     of the margin stand for the nearest point of the chart, so that a filter that
    |  7 | ...                    |     reads across a chart's border reads the same part.
    +----+----+----+----+----+----+

`atlas.png` is RGBA: alpha 255 where the point was seen, 128 where it was filled in, 0 outside every chart.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .model import PART_NAMES

ATLAS_FILE: Final = "atlas.png"
ATLAS_COLUMNS: Final = 6
ATLAS_ROWS: Final = 4
ATLAS_MARGIN: Final = 1 / 64  # of a tile's side, on each side
ATLAS_SEEN: Final = 255
ATLAS_FILLED: Final = 128

_PARTS = len(PART_NAMES) - 1  # without the background
_CHART = 1 - 2 * ATLAS_MARGIN  # of a tile's side


def atlas_size(tile: int) -> tuple[int, int]:
    """Height and width of an atlas whose tiles have `tile` pixels a side."""
    return ATLAS_ROWS * tile, ATLAS_COLUMNS * tile


def atlas_uv(part: NDArray[Any], chart_uv: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Where points of the body lie in the atlas: (..., 2) in 0..1, u to the right and v up, as Blender has it.

    `part` (...) 1..24, `chart_uv` (..., 2) in 0..1.
    """
    row, column = np.divmod(np.asarray(part, np.int64) - 1, ATLAS_COLUMNS)
    corner = np.stack([column, ATLAS_ROWS - 1 - row], axis=-1)
    placed = corner + ATLAS_MARGIN + np.asarray(chart_uv, np.float64) * _CHART
    uv: NDArray[np.float64] = placed / (ATLAS_COLUMNS, ATLAS_ROWS)
    return uv


def atlas_points(tile: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The point of the body at every pixel's centre of an atlas of `tile` pixels a tile's side, row 0 at the top.

    Part (4 tile, 6 tile) 1..24 and place in its chart (4 tile, 6 tile, 2); in the margin the nearest one of the chart.
    """
    inside = (np.arange(tile) + 0.5) / tile
    u = np.clip((inside - ATLAS_MARGIN) / _CHART, 0, 1)
    part = np.arange(1, _PARTS + 1, dtype=np.uint8).reshape(ATLAS_ROWS, ATLAS_COLUMNS)
    chart = np.stack(np.meshgrid(u, u[::-1]), axis=-1).astype(np.float32)  # v up, rows down
    return np.kron(part, np.ones((tile, tile), np.uint8)), np.tile(chart, (ATLAS_ROWS, ATLAS_COLUMNS, 1))
