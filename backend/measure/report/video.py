"""Frames to a video file."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from shared.errors import InputError
from shared.files.frame_files import storage_error
from shared.jobs.frame_rate import exact_rate

Frame = NDArray[np.uint8]  # (height, width, 3)


def write_video(path: Path, frames: Iterable[Frame], fps: float, held: Sequence[int] | None = None) -> None:
    """Write an H.264 video that ordinary players open.

    frames: (height, width, 3) RGB each, all of one size, taken one by one; `held` says for how many frames of the video
    each is shown, one where None. H.264 as players take it has even sizes: where a frame's is odd, its last row or
    column is there twice. The file appears whole or not at all. Raises InputError for frames of another kind,
    LatentManError `storage.*`.
    """
    left = iter(frames)
    first = next(left, None)
    if first is None or first.ndim != 3 or first.shape[2] != 3:
        shape = None if first is None else first.shape
        raise InputError("report.frames", f"A video needs RGB frames; the first is {shape}.")
    part = path.with_name(path.name + ".part")
    shown = (_even(frame) for frame in itertools.chain((first,), left))
    timed = zip(shown, itertools.repeat(1), strict=False) if held is None else zip(shown, held, strict=True)
    try:
        _encode(part, _even(first).shape[:2], timed, exact_rate(fps))
        os.replace(part, path)
    except OSError as error:
        raise storage_error(error, path.parent) from error
    finally:
        part.unlink(missing_ok=True)


def _even(frame: Frame) -> Frame:
    height, width = frame.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return frame
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _encode(path: Path, size: tuple[int, ...], frames: Iterable[tuple[Frame, int]], rate: Fraction) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "14", "preset": "slow"}
        for frame, times in frames:
            for _ in range(times):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
