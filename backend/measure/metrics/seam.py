"""Whether the cut of a shot into segments shows: how much more changes across a seam than inside the segments."""

from __future__ import annotations

from dataclasses import dataclass

from backend.measure.metrics.h_mse import HMse
from backend.measure.metrics.scores import mean_of
from shared.errors import InputError
from shared.jobs.reuse import segment_spans


@dataclass(frozen=True, slots=True)
class SeamRatio:
    """Matched errors on 0..255 squared; `dataclasses.asdict` of it is JSON-able. None = nothing to measure."""

    ratio: float | None  # across / inside: 1 = no seam to be seen
    across: float | None  # mean of consecutive frames that belong to two segments
    inside: float | None  # mean of consecutive frames of one segment
    seams: int  # pairs of frames across a seam that have matches


def seam_ratio(consecutive: HMse, segment_frames: int) -> SeamRatio | None:
    """Compare the pairs of a lag 1 figure that lie across a seam with those that lie inside a segment.

    `segment_frames` is a job's: segments begin at every so many frames. None if there is but one segment. The body's
    own speed is in both means, so a shot with few seams says little. Raises InputError for another lag, or a segment
    of no frames.
    """
    if consecutive.lag != 1 or segment_frames < 1:
        raise InputError(
            "metrics.seam", f"Seams are between consecutive frames, not at lag {consecutive.lag} or {segment_frames}."
        )
    starts = {start for start, _ in segment_spans(len(consecutive.pairs) + 1, segment_frames)} - {0}
    if not starts:
        return None
    across = [value for k, value in enumerate(consecutive.pairs) if k + 1 in starts]
    inside = mean_of(value for k, value in enumerate(consecutive.pairs) if k + 1 not in starts)
    over = mean_of(across)
    ratio = over / inside if over is not None and inside else None
    return SeamRatio(ratio, over, inside, sum(value is not None for value in across))
