"""A shot's matches as LatentMan's settings want them, each pair of frames matched when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import overload

from backend.correspondence.chain import match_chain
from backend.correspondence.chart_index import ChartIndex, chart_index
from backend.correspondence.pairs import frame_iuv, pair_matches
from backend.correspondence.types import IUV, Matches
from backend.methods.latentman.inside_matches import GUIDANCE_MARGIN_PX, InsideMatches
from backend.methods.latentman.matches import LatentManMatches, guidance_size
from backend.passes.shot_passes import ShotPasses
from shared.methods.latentman import LatentManSettings
from shared.methods.setting import span_acts


def latentman_matches(passes: ShotPasses, settings: LatentManSettings, latent_factor: int) -> LatentManMatches:
    """The shot's matches at both sizes, none for a part that is off; each is made when it is read.

    `latent_factor` is the pixels a latent cell along each side. Raises PassesError for charts that cannot be used.
    """
    height, width = passes.size
    charts = chart_index(passes.charts) if settings.correspondence == "surface" else None
    latent: Sequence[Matches] = ()
    guidance: Sequence[Matches] = ()
    if span_acts(settings.align):
        latent = ShotMatches(passes, settings, height // latent_factor, width // latent_factor, charts)
    if span_acts(settings.guide):
        guidance = ShotMatches(passes, settings, *guidance_size(height, width), charts)
    if settings.match_extent == "inside":
        to_first = settings.reference_mode == "first"
        latent = InsideMatches(latent, passes, together=True, to_first=to_first)
        guidance = InsideMatches(guidance, passes, GUIDANCE_MARGIN_PX, to_first=to_first)
    return LatentManMatches(latent, guidance)


@dataclass(slots=True, eq=False)
class ShotMatches(Sequence[Matches]):
    """The matches of a shot's frames with their reference frames, at `height` x `width` cells.

    Item i belongs to the frame at position i + 1. None is kept: an item is matched each time that it is read. Where
    frames carry labels along (the assignment with `prev_new`) those before it are matched on the way, unless the last
    one read was the one before it. Reading raises PassesError for a size above the passes', or if they do not show
    their vertices.
    """

    passes: ShotPasses
    settings: LatentManSettings
    height: int
    width: int
    charts: ChartIndex | None = None  # saves the surface correspondence indexing the charts for every pair
    _chain: Iterator[Matches] = field(default_factory=lambda: iter(()))
    _next: int | None = None  # the item that the chain gives next, None before it has begun

    def __len__(self) -> int:
        return len(self.passes.shot.frames) - 1

    @overload
    def __getitem__(self, item: int) -> Matches: ...

    @overload
    def __getitem__(self, item: slice) -> Sequence[Matches]: ...

    def __getitem__(self, item: int | slice) -> Matches | Sequence[Matches]:
        if isinstance(item, slice):
            return tuple(self[one] for one in range(len(self))[item])
        item = range(len(self))[item]
        if self.settings.correspondence == "assignment" and self.settings.reference_mode == "prev_new":
            return self._carried(item)
        reference = 0 if self.settings.reference_mode == "first" else item
        return self._matched(item + 1, reference)

    def _matched(self, frame: int, reference: int) -> Matches:
        return pair_matches(
            self.passes,
            frame,
            reference,
            self.height,
            self.width,
            method=self.settings.correspondence,
            features=self.settings.features,
            index=self.charts,
        )

    def _carried(self, item: int) -> Matches:
        """An item of the chain, which begins again for one that it has passed."""
        if self._next is None or item < self._next:
            features = self.settings.features
            self._chain = match_chain(self._labels(), features=features, reference_mode="prev_new")
            self._next = 0
        skipped, self._next = item - self._next, item + 1
        return next(islice(self._chain, skipped, None))

    def _labels(self) -> Iterator[IUV]:
        for frame in self.passes.positions:
            yield frame_iuv(self.passes, frame, self.height, self.width)
