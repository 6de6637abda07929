"""One picture of a whole result: a row a pass or method, a column a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from backend.measure.report.captions import PAPER, draw_caption
from backend.passes.shot_passes import ShotPasses, depth_pictures
from shared.errors import InputError
from shared.shot import PART_COUNT

_LABEL_HEIGHT = 22
_LETTERS = 14
_GAP = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the sheet: its caption and its pictures."""

    caption: str
    pictures: NDArray[np.uint8]  # (frames, height, width, 3)


def depth_row(passes: ShotPasses) -> Row:
    """The depth pictures as ControlNet sees them."""
    grey = np.round(depth_pictures(passes, passes.positions) * 255).astype(np.uint8)
    return Row("Depth, one range for the shot", np.repeat(grey[..., None], 3, axis=-1))


def part_row(passes: ShotPasses) -> Row:
    """The DensePose parts in 24 colours, shaded by v so that the charts can be seen."""
    colours = np.zeros((PART_COUNT + 1, 3))
    colours[1:] = colormaps["gist_rainbow"](np.linspace(0, 1, PART_COUNT))[:, :3]
    pictures = []
    for position in passes.positions:
        frame = passes.frame(position)
        shade = 0.55 + 0.45 * frame.uv[..., 1:2]
        pictures.append(np.round(colours[frame.part] * shade * 255).astype(np.uint8))
    return Row("DensePose part and chart", np.stack(pictures))


def contact_sheet(
    rows: Sequence[Row], *, columns: int = 8, cell: int = 192, numbers: Sequence[int] | None = None
) -> Image.Image:
    """Lay the rows out under each other, with at most `columns` frames of `cell` pixels' height, chosen evenly in time:
    `numbers` are the frames' own, rising; they follow each other where None."""
    if not rows or any(row.pictures.shape != rows[0].pictures.shape for row in rows):
        raise InputError("report.rows", f"The rows of a contact sheet differ: {[r.pictures.shape for r in rows]}.")
    frames, height, width, _ = rows[0].pictures.shape
    times = np.arange(frames) if numbers is None else np.asarray(numbers)
    wanted = np.linspace(times[0], times[-1], min(columns, frames)).round()
    chosen = np.unique(np.abs(times[None] - wanted[:, None]).argmin(axis=1))
    size = (max(1, round(cell * width / height)), cell)
    sheet = Image.new(
        "RGB",
        (len(chosen) * (size[0] + _GAP) + _GAP, len(rows) * (size[1] + _LABEL_HEIGHT + _GAP) + _GAP),
        PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    for line, row in enumerate(rows):
        top = _GAP + line * (size[1] + _LABEL_HEIGHT + _GAP)
        draw_caption(draw, (_GAP + 2, top + 2), row.caption, sheet.width - 2 * _GAP - 2, _LETTERS)
        for column, frame in enumerate(chosen):
            picture = Image.fromarray(row.pictures[frame]).resize(size, Image.Resampling.LANCZOS)
            sheet.paste(picture, (_GAP + column * (size[0] + _GAP), top + _LABEL_HEIGHT))
    return sheet
