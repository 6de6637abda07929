"""What enlarging does to a clip's steadiness: a finished shot's frames, enlarged by the network and bicubically.

Sharper frames differ more where they lie a little apart, so the figures have to be read beside the sharpness, and
beside those of a perfectly steady body (`textured_render`) that goes through the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.measure.bench.timing import Report, thread_timed
from backend.measure.metrics.consistency import ConsistencyMatches, consistency_matches
from backend.measure.metrics.followed import BackwardFlow
from backend.measure.metrics.h_mse import h_mse
from backend.measure.metrics.sharpness import sharpness
from backend.measure.metrics.textured_render import textured_render
from backend.measure.metrics.warp_error import warp_error
from backend.measure.report.result_folder import ResultFolder
from backend.upscale import open_upscaler

Pictures = NDArray[np.uint8]  # (height, width, 3), or (frames, height, width, 3)
Way = Callable[[Pictures], Pictures]  # of enlarging a picture

STEADY = "a steady body"


@dataclass(frozen=True, slots=True)
class EnlargingRow:
    """A clip's figures under one way of enlarging; mean squared differences of 0..255."""

    clip: str
    way: str
    matched: float | None  # exact matches of consecutive frames, after block means of the job's size
    warp: float | None  # warp error at the larger size
    sharpness: float | None  # gradient energy at the larger size
    frame_s: float  # processor time of a frame, on one thread


def run_enlarging(folder: Path, factor: int, report: Report) -> list[EnlargingRow]:
    """Measure all methods of a finished shot. Raises InputError without the extra `upscale`, or without a shot."""
    shot = ResultFolder.open(folder)
    passes, result = shot.passes(), shot.result
    matches = consistency_matches(passes, result.height, result.width, lags=(1,), assignment_lags=(1,))
    clips = {entry.method: shot.compared(shot.pictures(entry)) for entry in result.methods}
    clips[STEADY] = textured_render(passes, matches.index)
    network = open_upscaler(factor, threads=1)

    def bicubic(picture: Pictures) -> Pictures:
        size = (picture.shape[1] * factor, picture.shape[0] * factor)
        return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))

    ways: dict[str, Way] = {"bicubic": bicubic, "network": network}
    return list(_rows(clips, ways, matches, factor, report))


def _rows(
    clips: Mapping[str, Pictures],
    ways: Mapping[str, Way],
    matches: ConsistencyMatches,
    factor: int,
    report: Report,
) -> Iterator[EnlargingRow]:
    part = matches.part.repeat(factor, axis=1).repeat(factor, axis=2)
    flows = [enlarged_flow(flow, matches.part.shape[2], factor) for flow in matches.flows]
    pairs = matches.surface[0][1]
    for clip, frames in clips.items():
        yield EnlargingRow(clip, "none", h_mse(frames, pairs).mean, None, None, 0.0)
        for way, enlarge in ways.items():
            report(f"{clip}: {way}")
            seconds, larger = thread_timed(partial(_enlarged, frames, enlarge))
            yield EnlargingRow(
                clip,
                way,
                h_mse(_shrunk(larger, factor), pairs).mean,
                warp_error(larger, part, flows).mean,
                sharpness(larger, part).mean,
                seconds / len(frames),
            )


def _enlarged(frames: Pictures, enlarge: Way) -> Pictures:
    return np.stack([enlarge(frame) for frame in frames])


def _shrunk(pictures: Pictures, factor: int) -> Pictures:
    """Block means, frame by frame, as grey levels."""
    count, height, width, _ = pictures.shape
    blocks = (one.reshape(height // factor, factor, width // factor, factor, 3) for one in pictures)
    return np.stack([np.rint(block.mean(axis=(1, 3))).astype(np.uint8) for block in blocks])


def enlarged_flow(flow: BackwardFlow, width: int, factor: int) -> BackwardFlow:
    """The flow of frames `factor` times as large: each pixel of a block moves as the block's middle does."""
    row, column = np.divmod(flow.pixel, width)
    within = np.arange(factor)
    rows = (row * factor)[:, None, None] + within[:, None]
    columns = (column * factor)[:, None, None] + within
    middle = within + 0.5 - factor / 2
    offset = np.stack(np.broadcast_arrays(middle, middle[:, None]), axis=-1)
    position = flow.position[:, None, None] * factor + offset
    return BackwardFlow((rows * width * factor + columns).reshape(-1), position.reshape(-1, 2))
