"""The consistency report of one clip: every figure, by both correspondences, and what it must be read with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.correspondence.chart_index import ChartIndex, chart_index
from backend.correspondence.features import Features
from backend.correspondence.pairs import pair_matches
from backend.correspondence.surface import match_surface
from backend.correspondence.types import Matches
from backend.measure.metrics.background import background_change
from backend.measure.metrics.body_variance import body_variance
from backend.measure.metrics.followed import (
    BackwardFlow,
    FollowedPoints,
    backward_flow,
    follow_points,
    points_to_follow,
)
from backend.measure.metrics.h_mse import HMse, h_mse
from backend.measure.metrics.mask_iou import mask_iou
from backend.measure.metrics.pictures import checked_pictures, reduced_size
from backend.measure.metrics.released_h_mse import released_h_mse
from backend.measure.metrics.scores import Score
from backend.measure.metrics.seam import SeamRatio, seam_ratio
from backend.measure.metrics.shading import Shading, lambert_light, shading
from backend.measure.metrics.sharpness import Sharpness, sharpness
from backend.measure.metrics.st_lpips import StLpips, st_lpips
from backend.measure.metrics.surface_variance import SurfaceVariance, surface_variance
from backend.measure.metrics.textured_render import textured_render
from backend.measure.metrics.warp_error import warp_error
from backend.passes.shot_passes import ShotPasses
from shared.errors import InputError

LAGS = (1, 4, 8, 16)

LagMatches = tuple[tuple[int, tuple[Matches, ...]], ...]
"""Per lag: (lag, the matches of frames lag, lag + 1, ... with the frame that many frames earlier)."""


@dataclass(frozen=True, slots=True)
class Consistency:
    """The figures of one clip. Lags that are longer than the clip are left out."""

    h_mse: HMse  # equation 9 as printed: LatentMan's assignment, consecutive frames
    assignment: tuple[HMse, ...]  # the same, one a lag
    surface: tuple[HMse, ...]  # exact correspondence, one a lag
    body_variance: Score
    relative: tuple[float | None, ...]  # of `surface`, divided by the body's variance; 2 = nothing holds its place
    surface_variance: SurfaceVariance
    warp_error: Score
    sharpness: Sharpness
    background: Score | None  # None = the camera moves
    h_mse_released: float | None  # the published code's 8-bit figure, another quantity than `h_mse`
    shading: Shading
    mask_iou: Score
    seam: SeamRatio | None  # None = the clip is one segment, or its segments are not known
    st_lpips: Score | None  # None = its weights are not installed

    @property
    def background_mean(self) -> float | None:
        """The background's mean change; None where the camera moves or no background shows."""
        return None if self.background is None else self.background.mean

    def json_value(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class ConsistencyMatches:
    """What a shot's geometry says about its frames: computed once, used for every method's frames."""

    assignment: LagMatches
    surface: LagMatches
    followed: FollowedPoints
    flows: tuple[BackwardFlow, ...]  # of frame 1, 2, ...
    part: NDArray[np.uint8]  # (frames, height, width) the passes' labels
    index: ChartIndex
    lambert: NDArray[np.float32]  # (points, frames) light on the followed points


def consistency_matches(
    passes: ShotPasses,
    height: int,
    width: int,
    *,
    lags: tuple[int, ...] = LAGS,
    assignment_lags: tuple[int, ...] = LAGS,
    features: Features = "paper",
) -> ConsistencyMatches:
    """The matches for a report on pictures of `height` x `width`, the passes' own size.

    Lag 1 is always among them. The assignment costs by far the most: about a fifth of a second a pair at 256x256.
    Raises InputError for another size, PassesError if the passes do not show their vertices.
    """
    if passes.size != (height, width):
        full_height, full_width = passes.size
        raise InputError(
            "metrics.size", f"Pictures of {width}x{height} do not fit passes of {full_width}x{full_height}."
        )
    index = chart_index(passes.charts)
    small = reduced_size(height, width)
    frames, chosen = len(passes.shot.frames), points_to_follow(passes, index)
    return ConsistencyMatches(
        _lagged(frames, assignment_lags, lambda i, j: pair_matches(passes, i, j, *small, features=features)),
        _lagged(frames, lags, lambda i, j: match_surface(passes, index, i, j, height, width)),
        follow_points(passes, index, chosen),
        tuple(backward_flow(passes, index, frame) for frame in range(1, frames)),
        passes.parts(passes.positions),
        index,
        lambert_light(passes, index, chosen.points),
    )


def _lagged(frames: int, lags: tuple[int, ...], match: Callable[[int, int], Matches]) -> LagMatches:
    """`match(frame, earlier frame)` at lag 1 and at every other lag that the clip is long enough for."""
    kept = [1, *(lag for lag in lags if 1 < lag < frames)]
    return tuple((lag, tuple(match(frame, frame - lag) for frame in range(lag, frames))) for lag in kept)


def consistency(
    images: ArrayLike,
    passes: ShotPasses,
    matches: ConsistencyMatches,
    *,
    segment_frames: int | None = None,
    perceptual: StLpips | None = None,
) -> Consistency:
    """Measure a clip: `images` (frames, H, W, 3) 0..255 in the order of the shot's frames.

    `segment_frames` is how many frames its job's segments have, `perceptual` ST-LPIPS where it is installed. Raises
    InputError if the frames do not fit the shot or the matches.
    """
    pictures = checked_pictures(images)
    if len(pictures) != len(passes.shot.frames):
        raise InputError(
            "metrics.count", f"The shot has {len(passes.shot.frames)} frames, but {len(pictures)} pictures are given."
        )
    assignment = tuple(h_mse(pictures, pairs, lag=lag) for lag, pairs in matches.assignment)
    surface = tuple(h_mse(pictures, pairs, lag=lag) for lag, pairs in matches.surface)
    variance = body_variance(pictures, matches.part)
    return Consistency(
        h_mse=assignment[0],
        assignment=assignment,
        surface=surface,
        body_variance=variance,
        relative=tuple(_ratio(part.mean, variance.mean) for part in surface),
        surface_variance=surface_variance(pictures, matches.followed),
        warp_error=warp_error(pictures, matches.part, matches.flows),
        sharpness=sharpness(pictures, matches.part),
        background=background_change(pictures, passes),
        h_mse_released=released_h_mse(pictures, passes),
        shading=shading(pictures, matches.part, matches.followed, matches.lambert),
        mask_iou=mask_iou(pictures, matches.part),
        seam=None if segment_frames is None else seam_ratio(surface[0], segment_frames),
        st_lpips=None if perceptual is None else st_lpips(pictures, matches.part, matches.flows, perceptual),
    )


def resampling_floor(passes: ShotPasses, matches: ConsistencyMatches) -> Consistency:
    """The same figures of a perfectly steady, textured body: what no method can better at that sharpness."""
    return consistency(textured_render(passes, matches.index), passes, matches)


def _ratio(value: float | None, by: float | None) -> float | None:
    return value / by if value is not None and by else None
