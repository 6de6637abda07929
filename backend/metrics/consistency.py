"""The consistency report of one clip: H_MSE by both correspondences, and the sharpness that it must be read with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import ArrayLike

from backend.correspondence.chart_index import ChartIndex, chart_index
from backend.correspondence.features import Features
from backend.correspondence.pairs import shot_matches
from backend.correspondence.surface import match_surface
from backend.correspondence.types import Matches
from backend.passes import ShotPasses
from shared.errors import InputError

from .h_mse import HMse, h_mse
from .pictures import checked_pictures
from .sharpness import Sharpness, sharpness

LAGS = (1, 4, 8)

# The paper compares at this size; the assignment's cost grows faster than the number of pixels.
ASSIGNMENT_SIDE = 256


@dataclass(frozen=True, slots=True)
class Consistency:
    """The figures of one clip."""

    h_mse: HMse  # LatentMan's assignment, consecutive frames
    surface: tuple[HMse, ...]  # exact correspondence, one a lag; lags longer than the clip are left out
    sharpness: Sharpness

    def json_value(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class ConsistencyMatches:
    """The matches of a shot that its report needs: computed once, used for every method's frames."""

    assignment: tuple[Matches, ...]
    surface: tuple[tuple[int, tuple[Matches, ...]], ...]  # (lag, matches of frame lag, lag + 1, ...)


def consistency_matches(
    passes: ShotPasses, height: int, width: int, *, lags: tuple[int, ...] = LAGS, features: Features = "paper"
) -> ConsistencyMatches:
    """The matches for a report on pictures of `height` x `width`. Raises PassesError if the passes are smaller."""
    factor = max(1, -(-max(height, width) // ASSIGNMENT_SIDE))
    while height % factor or width % factor:
        factor += 1
    assignment = shot_matches(passes, height // factor, width // factor, features=features)
    index = chart_index(passes.charts)
    frames = len(passes.shot.frames)
    surface = tuple((lag, _lagged(passes, index, lag, height, width)) for lag in lags if lag < frames)
    return ConsistencyMatches(assignment, surface)


def _lagged(passes: ShotPasses, index: ChartIndex, lag: int, height: int, width: int) -> tuple[Matches, ...]:
    frames = range(lag, len(passes.shot.frames))
    return tuple(match_surface(passes, index, frame, frame - lag, height, width) for frame in frames)


def consistency(images: ArrayLike, passes: ShotPasses, matches: ConsistencyMatches) -> Consistency:
    """Measure a clip: `images` (frames, H, W, 3) 0..255 in the order of the shot's frames.

    Raises InputError if the frames do not fit the shot or the matches.
    """
    pictures = checked_pictures(images)
    if len(pictures) != len(passes.shot.frames):
        raise InputError(
            "metrics.count", f"The shot has {len(passes.shot.frames)} frames, but {len(pictures)} pictures are given."
        )
    return Consistency(
        h_mse(pictures, matches.assignment),
        tuple(h_mse(pictures, pairs, lag=lag) for lag, pairs in matches.surface),
        sharpness(pictures, passes.part),
    )
