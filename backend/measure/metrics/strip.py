"""The report's one picture: each method's consistency from frame to frame, its worst frames shown beside."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from backend.measure.metrics.comparison import Comparison

WORST = 3
MARGIN_PX = 6
ROW_INCHES = 2.3
SHOWN_INCHES = 2.6
STRIP_INCHES = 6.0

Pictures = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CropBox:
    """Rows `top` to `bottom - 1`, columns `left` to `right - 1` of a picture."""

    top: int
    bottom: int
    left: int
    right: int


def body_box(part: NDArray[np.uint8]) -> CropBox:
    """The box of the body over all frames, `part` (frames, H, W), with a margin; the whole picture without a body."""
    seen = (part > 0).any(axis=0)
    if not seen.any():
        return CropBox(0, seen.shape[0], 0, seen.shape[1])
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return CropBox(
        max(int(rows[0]) - MARGIN_PX, 0),
        int(rows[-1]) + 1 + MARGIN_PX,
        max(int(columns[0]) - MARGIN_PX, 0),
        int(columns[-1]) + 1 + MARGIN_PX,
    )


def worst_frames(values: Sequence[float | None], count: int = WORST) -> list[int]:
    """Positions in the shot of the frames that differ most from the frame before, the worst first.

    `values[k]` belongs to the frame at position k + 1.
    """
    there = [(value, k + 1) for k, value in enumerate(values) if value is not None]
    return [frame for _, frame in sorted(there, key=lambda item: (-item[0], item[1]))[:count]]


def consistency_strip(
    comparison: Comparison, pictures: Mapping[str, Pictures], frames: Sequence[int], part: NDArray[np.uint8]
) -> bytes:
    """The picture as PNG bytes: a row a method, by exact correspondence at lag 1.

    `pictures[method]` (frames, H, W, 3), `frames` the frames' numbers, `part` (frames, H, W) the passes' labels.
    """
    box, rows = body_box(part), len(comparison.figures)
    figure = Figure(figsize=(STRIP_INCHES + WORST * SHOWN_INCHES, rows * ROW_INCHES + 0.6), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    ratios = [STRIP_INCHES, *[SHOWN_INCHES] * WORST]
    grid = figure.subplots(rows, 1 + WORST, squeeze=False, width_ratios=ratios)
    highest = max((v for f in comparison.figures.values() for v in f.surface[0].pairs if v is not None), default=1.0)
    for line, (name, figures) in zip(grid, comparison.figures.items(), strict=True):
        values = figures.surface[0].pairs
        worst = worst_frames(values)
        _draw_strip(line[0], comparison, name, frames, worst)
        line[0].set_ylim(0, highest * 1.05 or 1.0)
        for axes, position in zip(line[1:], [*worst, *[None] * (WORST - len(worst))], strict=True):
            _draw_frame(axes, pictures[name], frames, position, values, box)
    figure.suptitle(
        "Mean squared difference to the previous frame at the same surface points, 0 to 255; lower is steadier",
        fontsize=10,
    )
    data = io.BytesIO()
    canvas.print_png(data, pil_kwargs={"optimize": True}, metadata={"Software": None})
    return data.getvalue()


def _draw_strip(axes: Axes, comparison: Comparison, name: str, frames: Sequence[int], worst: Sequence[int]) -> None:
    """One bar a frame, the worst ones marked, and the floor as a line."""
    values = comparison.figures[name].surface[0].pairs
    heights = [0.0 if value is None else value for value in values]
    colours = ["#c0392b" if k + 1 in worst else "#5d7290" for k in range(len(values))]
    axes.bar(range(1, len(values) + 1), heights, color=colours, width=0.85)
    floor = comparison.floor_of(name)[0]
    if floor is not None:
        axes.axhline(floor, color="#2e7d32", linewidth=1.2, label="resampling floor")
        axes.legend(fontsize=7, loc="upper right", frameon=False)
    ratios = (("sharpness", comparison.sharpness_ratio(name)), ("background", comparison.background_ratio(name)))
    beside = ", ".join(f"{title} {ratio:.2f}" for title, ratio in ratios if ratio is not None)
    axes.set_title(f"{name}   {beside} of {comparison.against}" if beside else name, fontsize=9)
    shown = np.unique(np.linspace(1, max(len(frames) - 1, 1), 9).round().astype(int))
    axes.set_xticks([int(k) for k in shown if k < len(frames)], [str(frames[k]) for k in shown if k < len(frames)])
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_frame(
    axes: Axes,
    pictures: Pictures,
    frames: Sequence[int],
    position: int | None,
    values: Sequence[float | None],
    box: CropBox,
) -> None:
    """A frame next to the previous frame, cropped to the body; an empty cell if there is none."""
    axes.set_axis_off()
    if position is None:
        return
    two = pictures[position - 1 : position + 1, box.top : box.bottom, box.left : box.right]
    axes.imshow(np.concatenate([two[0], two[1]], axis=1), interpolation="nearest")
    axes.axvline(two.shape[2] - 0.5, color="white", linewidth=1)
    axes.set_title(f"{frames[position - 1]} and {frames[position]}: {values[position - 1]:.0f}", fontsize=8)
