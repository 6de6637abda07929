"""The matches of two frames of a shot by either method: what the sampler and the metrics ask for."""

from __future__ import annotations

from typing import Literal

import numpy as np

from backend.correspondence.assignment import match_assignment
from backend.correspondence.chart_index import ChartIndex, chart_index
from backend.correspondence.features import Features
from backend.correspondence.surface import match_surface
from backend.correspondence.types import IUV, Matches
from backend.passes.shot_passes import ShotPasses
from shared.errors import PassesError

Method = Literal["assignment", "surface"]
METHODS: tuple[Method, ...] = ("assignment", "surface")


def frame_iuv(passes: ShotPasses, frame: int, height: int, width: int) -> IUV:
    """One frame's labels at `height` x `width`, `frame` being its position in the shot."""
    labels = passes.frame(frame)
    return resize_iuv(IUV(labels.part, labels.uv), height, width)


def pair_matches(
    passes: ShotPasses,
    current: int,
    reference: int,
    height: int,
    width: int,
    *,
    method: Method = "assignment",
    features: Features = "paper",
    index: ChartIndex | None = None,
) -> Matches:
    """The matches of frame `current` with frame `reference` (positions in the shot), at `height` x `width` cells.

    `features` matters to `assignment` only. `index` saves the surface method indexing the charts again for every pair.
    Raises PassesError for another method or a size above the passes'.
    """
    if method == "surface":
        charts = chart_index(passes.charts) if index is None else index
        return match_surface(passes, charts, current, reference, height, width)
    if method != "assignment":
        raise PassesError(
            "correspondence.method", f"There is no correspondence named {method!r}; use one of {', '.join(METHODS)}."
        )
    return match_assignment(
        frame_iuv(passes, current, height, width), frame_iuv(passes, reference, height, width), features=features
    )


def resize_iuv(frame: IUV, height: int, width: int) -> IUV:
    """The nearest-neighbour resize of LatentMan's code: sample `floor(i * scale)`, the top-left one.

    Labels are never filtered: a mean of two labels or of two chart positions names a third place.

    Raises PassesError for an empty size or one larger than the frame.
    """
    full_height, full_width = frame.part.shape
    if not (1 <= height <= full_height and 1 <= width <= full_width):
        raise PassesError(
            "correspondence.size",
            f"Matches at {width}x{height} need passes of at least that size, not {full_width}x{full_height}.",
        )
    rows = np.arange(height) * full_height // height
    columns = np.arange(width) * full_width // width
    return IUV(frame.part[rows[:, None], columns], frame.uv[rows[:, None], columns])
