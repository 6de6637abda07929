"""The matches of a shot's frames by either method: what the sampler and the metrics ask for."""

from __future__ import annotations

from typing import Literal

from backend.passes import ShotPasses
from shared.errors import PassesError

from .assignment import match_assignment
from .chain import ReferenceMode, match_chain
from .chart_index import ChartIndex, chart_index
from .features import Features
from .sampling import resize_iuv
from .surface import match_surface
from .types import IUV, Matches

Method = Literal["assignment", "surface"]
METHODS: tuple[Method, ...] = ("assignment", "surface")


def frame_iuv(passes: ShotPasses, frame: int, height: int, width: int) -> IUV:
    """One frame's labels at `height` x `width`, `frame` being its position in the shot."""
    return resize_iuv(IUV(passes.part[frame], passes.uv[frame]), height, width)


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


def shot_matches(
    passes: ShotPasses,
    height: int,
    width: int,
    *,
    method: Method = "assignment",
    features: Features = "paper",
    reference_mode: ReferenceMode = "prev",
) -> tuple[Matches, ...]:
    """The matches of every frame but the first with its reference frame, for a whole shot.

    The surface method knows `prev` and `first` only: `prev_new` carries labels along, and its labels are exact.
    Raises PassesError for that, another method, or a size above the passes'.
    """
    frames = range(len(passes.shot.frames))
    if method == "assignment":
        labels = [frame_iuv(passes, frame, height, width) for frame in frames]
        return match_chain(labels, features=features, reference_mode=reference_mode)
    if reference_mode not in ("prev", "first"):
        raise PassesError(
            "correspondence.reference_mode",
            f"Reference mode {reference_mode!r} does not exist for the surface correspondence; use prev or first.",
        )
    index = chart_index(passes.charts)
    return tuple(
        pair_matches(
            passes, frame, frame - 1 if reference_mode == "prev" else 0, height, width, method=method, index=index
        )
        for frame in frames[1:]
    )
