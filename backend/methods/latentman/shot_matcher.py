"""A shot's matches as LatentMan's settings want them, pair after pair."""

from __future__ import annotations

from collections.abc import Iterator

from backend.correspondence.chain import match_chain
from backend.correspondence.chart_index import ChartIndex, chart_index
from backend.correspondence.pairs import frame_iuv
from backend.correspondence.surface import match_surface
from backend.correspondence.types import Matches
from backend.passes.shot_passes import ShotPasses
from shared.methods.latentman import LatentManSettings


def iter_matches(
    passes: ShotPasses, settings: LatentManSettings, height: int, width: int, index: ChartIndex | None = None
) -> Iterator[Matches]:
    """The matches of frame 1, 2, ... with its reference frame, at `height` x `width` cells, each made when asked for.

    `index` saves the surface correspondence indexing the charts again. Raises PassesError for a size above the
    passes', or if they do not show their vertices.
    """
    if settings.correspondence == "surface":
        return _by_surface(passes, settings, height, width, index)
    labels = (frame_iuv(passes, frame, height, width) for frame in range(len(passes.shot.frames)))
    return match_chain(labels, features=settings.features, reference_mode=settings.reference_mode)


def _by_surface(
    passes: ShotPasses, settings: LatentManSettings, height: int, width: int, index: ChartIndex | None
) -> Iterator[Matches]:
    charts = chart_index(passes.charts) if index is None else index
    for frame in range(1, len(passes.shot.frames)):
        reference = 0 if settings.reference_mode == "first" else frame - 1
        yield match_surface(passes, charts, frame, reference, height, width)
